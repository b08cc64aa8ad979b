//! `hansa workflow show`: what happened, line by line.

use super::super::Report;
use super::super::event::{Event, What};
use super::words::{clock, cut_place, day, moment, value, width};
use super::{Page, head};
use crate::limits::{REPORT_PLACE_COLUMNS_MAX, TEXT_COLUMNS_MAX};

/// What stands in place of a step where the whole run is meant.
const RUN: &str = "·";

/// How it stands at `now_ms`, Unix milliseconds; then one line for each event, with clock times in UTC; an answer stands in a line of its own below.
pub fn timeline(report: &Report, now_ms: u64) -> String {
    let mut page = Page::default();
    head(report, now_ms, &mut page);
    started(report, &mut page);
    let places = place_columns(report, &report.events);
    let mut today = report.facts.started_ms.map(day);
    for event in &report.events {
        let its_day = day(event.at_ms);
        if today.as_ref() != Some(&its_day) {
            page.line(&its_day);
            today = Some(its_day);
        }
        lines(report, event, places, &mut page);
    }
    page.0
}

/// How it stands at `now_ms`, Unix milliseconds, in one or a few lines.
pub fn standing(report: &Report, now_ms: u64) -> String {
    let mut page = Page::default();
    head(report, now_ms, &mut page);
    page.0
}

/// What happened from the `from`-th event on, line by line; how many there are now.
pub fn news(report: &Report, from: usize) -> (String, usize) {
    let mut page = Page::default();
    let places = place_columns(report, &report.events);
    let events = report.events.get(from..).unwrap_or_default();
    events.iter().for_each(|event| lines(report, event, places, &mut page));
    (page.0, report.events.len().max(from))
}

fn started(report: &Report, page: &mut Page) {
    let facts = &report.facts;
    let Some(started_ms) = facts.started_ms else { return };
    let labels = facts.labels.iter().map(|(label, value)| format!(" · {label}={value}")).collect::<String>();
    page.line(&format!("started {} by {}{labels}", moment(started_ms), facts.by));
    if let Some(from) = &facts.from {
        page.line(&format!("goes on from step `{}` of {}", from.step, from.run));
    }
    page.line("");
}

/// How wide the column of places is.
pub(super) fn place_columns<'a>(report: &Report, events: impl IntoIterator<Item = &'a Event>) -> usize {
    let widths = events.into_iter().filter_map(|event| match event.what {
        What::Step(nth, _) => Some(width(&report.steps[nth].path)),
        _ => None,
    });
    widths.max().unwrap_or(0).clamp(1, REPORT_PLACE_COLUMNS_MAX)
}

/// The lines of one event.
pub(super) fn lines(report: &Report, event: &Event, places: usize, page: &mut Page) {
    let said = report.said(event);
    let place = cut_place(said.path.unwrap_or(RUN), places);
    let front = format!("{}  {place:<places$}  ", clock(event.at_ms));
    let room = TEXT_COLUMNS_MAX.saturating_sub(width(&front));
    let Some(answer) = said.value else { return page.wrapped(&front, &said.words) };
    // A short value has room behind its words.
    let left = room.saturating_sub(width(&said.words) + 2);
    let shown = value(answer, left);
    if answer.bytes <= left as u64 && width(&shown) <= left {
        return page.line(&format!("{front}{}: {shown}", said.words));
    }
    page.wrapped(&front, &said.words);
    page.line(&format!("{}{}", " ".repeat(width(&front)), value(answer, room)));
}
