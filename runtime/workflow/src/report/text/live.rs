//! `hansa workflow watch`: one screen.

use super::super::step::StepState;
use super::super::wait::Waiting;
use super::super::{Progress, Report};
use super::timeline::{lines, place_columns};
use super::words::{counted, grouped, moment, span};
use super::{Page, head};
use crate::limits::{LIVE_EVENTS_MAX, LIVE_ROWS_MAX};

/// Cells of the bar.
const CELLS: u64 = 30;

/// Where the run stands at `now_ms`, Unix milliseconds: progress, spending, what is being done, what it waits for, and what happened last.
pub fn live(report: &Report, now_ms: u64) -> String {
    let mut page = Page::default();
    head(report, now_ms, &mut page);
    if let Some(engine) = report.facts.engines.last().filter(|_| report.facts.takeovers > 0) {
        let times = counted(report.facts.takeovers.into(), "time");
        page.line(&format!("taken over {times}; engine {} has it since {}", engine.name, moment(engine.since_ms)));
    }
    page.line(&bar(&report.progress()));
    let waits = report.waits_for();
    let (working, waiting): (Vec<&Waiting>, Vec<&Waiting>) = waits.iter().partition(|waiting| is_work(report, waiting));
    rows("WORKING ON", &working, now_ms, &mut page);
    rows("WAITING FOR", &waiting, now_ms, &mut page);
    let events = &report.events[report.events.len().saturating_sub(LIVE_EVENTS_MAX)..];
    if !events.is_empty() {
        page.line("");
        page.line("LAST");
        let places = place_columns(report, events);
        events.iter().for_each(|event| lines(report, event, places, &mut page));
    }
    page.0
}

/// Calls under way, and those about to be repeated, need nobody.
fn is_work(report: &Report, waiting: &Waiting) -> bool {
    let step = waiting.step.as_deref().and_then(|path| report.step(path));
    step.is_some_and(|step| step.state == StepState::Running)
}

fn bar(progress: &Progress) -> String {
    let Progress { done, failed, total, at_least, undone } = *progress;
    let over = done + failed;
    let cells = (over * CELLS).checked_div(total).unwrap_or(0).min(CELLS) as usize;
    let bar = format!("{}{}", "■".repeat(cells), "·".repeat(CELLS as usize - cells));
    let least = if at_least { "at least " } else { "" };
    let failed = if failed > 0 { format!(", {} failed", grouped(failed)) } else { String::new() };
    let undone = if undone > 0 { format!(", {} undone", grouped(undone)) } else { String::new() };
    format!("[{bar}] {} of {least}{} done{failed}{undone}", grouped(done), counted(total, "step"))
}

fn rows(what: &str, waits: &[&Waiting], now_ms: u64, page: &mut Page) {
    if waits.is_empty() {
        return;
    }
    page.line("");
    page.line(what);
    for waiting in waits.iter().take(LIVE_ROWS_MAX) {
        let since = span(now_ms.saturating_sub(waiting.since_ms));
        page.wrapped(&format!("  {since:>10}  "), &waiting.words);
        if let Some(command) = &waiting.command {
            page.line(&format!("  {:>10}  {command}", ""));
        }
    }
    if waits.len() > LIVE_ROWS_MAX {
        page.line(&format!("  and {} more", grouped((waits.len() - LIVE_ROWS_MAX) as u64)));
    }
}
