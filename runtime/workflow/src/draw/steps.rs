//! Steps as blocks.

use std::time::Duration;

use hansa_economy::Amount;

use super::face::{Chip, Face, Shape, Tone};
use super::icon::Icon;
use super::layout::{self, Frame, Way, Ways};
use super::measure::{Font, one_line};
use super::palette::Accent;
use super::scene::Block;
use super::{Notes, State, words};
use crate::definition::{Approval, Branch, Call, Case, Fan, Step, Terms, Until, Wait, Work};
use crate::limits::{DRAWN_CAPTION_WIDTH_MAX, DRAWN_TIP_CHARACTERS_MAX};

/// Steps one after another, within so many frames.
pub(super) fn blocks(steps: &[Step], notes: &Notes, depth: usize) -> Vec<Block> {
    steps.iter().map(|step| block(step, notes, depth)).collect()
}

fn block(step: &Step, notes: &Notes, depth: usize) -> Block {
    let column = |steps: &[Step], depth| layout::column(blocks(steps, notes, depth));
    match &step.work {
        Work::Call(call) => called(step, call, notes),
        Work::Map(fan) => {
            let frame = Frame { accent: Accent::Map, state: state(step, notes), depth, again: false };
            layout::frame(own(step, map(fan), notes), column(&fan.steps, depth + 1), &frame)
        }
        Work::Loop { while_true, rounds_max, steps } => {
            let rounds = words::count(*rounds_max as usize, "round");
            let condition = words::expression(while_true);
            let face = caption(Accent::Loop, Icon::Loop, &format!("while {condition}"), &format!(" · at most {rounds}"));
            let frame = Frame { accent: Accent::Loop, state: state(step, notes), depth, again: true };
            layout::frame(own(step, face, notes), column(steps, depth + 1), &frame)
        }
        Work::Parallel(branches) => {
            let line = format!("parallel · {}", branch_count(branches));
            let head = own(step, Face::new(Shape::Card, Accent::Parallel, Icon::Parallel, "", line), notes);
            let way = |branch: &Branch| Way {
                label: branch.name.clone(),
                tip: branch.name.clone(),
                font: Font::Name,
                steps: Some(column(&branch.steps, depth + 1)),
            };
            layout::fork(head, branches.iter().map(way).collect(), Ways::All { depth })
        }
        Work::Switch { cases, otherwise } => {
            let head = own(step, switch(cases), notes);
            let otherwise = (!otherwise.is_empty()).then(|| column(otherwise, depth));
            let last = Way { label: "otherwise".to_owned(), tip: String::new(), font: Font::Text, steps: otherwise };
            let way = |case: &Case| Way {
                label: words::expression(&case.when),
                tip: cut_tip(&case.when.text),
                font: Font::Code,
                steps: (!case.steps.is_empty()).then(|| column(&case.steps, depth)),
            };
            layout::fork(head, cases.iter().map(way).chain([last]).collect(), Ways::One)
        }
        Work::Wait(wait) => own(step, waited(wait), notes),
        Work::Approve(approval) => own(step, asked(approval), notes),
        Work::Run { workflow, .. } => {
            let mut face = Face::new(Shape::Lined, Accent::Run, Icon::Run, "", workflow);
            face.code = true;
            own(step, face, notes)
        }
        Work::Set(value) => {
            let mut face = Face::new(Shape::Card, Accent::Set, Icon::Set, "", words::template(value));
            face.code = true;
            own(step, face, notes)
        }
    }
}

fn branch_count(branches: &[Branch]) -> String {
    match branches.len() {
        1 => "1 branch".to_owned(),
        number => format!("{number} branches"),
    }
}

fn state(step: &Step, notes: &Notes) -> Option<&'static str> {
    notes.steps.get(&step.id)?.state.map(State::class)
}

/// The box of `step`: its face with what every step may have.
fn own(step: &Step, mut face: Face, notes: &Notes) -> Block {
    face.name.clone_from(&step.id);
    let budget = step.budget.map(|budget| money("budget", budget));
    let timeout = step.timeout.map(|time| time_chip("timeout", time));
    let error = words::on_error(step.on_error).map(|text| chip(Icon::Warning, Tone::Fault, text));
    face.chips = budget.into_iter().chain(timeout).chain(face.chips).chain(error).collect();
    // Where they are too many, those about choosing a seller are the ones to go.
    face.chips.sort_by_key(|chip| chip.icon == Icon::Tag);
    face.note = notes.steps.get(&step.id).cloned().unwrap_or_default();
    let mut block = face.block();
    block.step = Some(step.id.clone());
    block.tip = cut_tip(&block.tip);
    block
}

fn called(step: &Step, call: &Call, notes: &Notes) -> Block {
    let main = own(step, bought(call, Face::new(Shape::Card, Accent::Call, Icon::Call, "", "")), notes);
    let Some(undo) = &call.compensate else { return main };
    let mut face = bought(undo, Face::new(Shape::Side, Accent::Set, Icon::Undo, "undone by", ""));
    // The state of the step is that of its undoing, once there is one.
    let undone = notes.steps.get(&step.id).and_then(|note| note.state).filter(|state| *state == State::Compensated);
    face.note.state = undone;
    face.tip.push(format!("undoes {} if the run fails later", step.id));
    let mut side = face.block();
    side.tip = cut_tip(&side.tip);
    layout::beside(main, side)
}

/// The terms of a call, and what it calls.
fn bought(call: &Call, mut face: Face) -> Face {
    face.line = words::function(call);
    face.code = true;
    face.tip.push(format!("{} {}", call.service, call.function));
    face.chips = terms(&call.terms);
    face.chips.extend(call.ask.as_ref().map(|ask| chip(Icon::Parallel, Tone::Term, words::ask(ask))));
    face.chips.extend(words::retry(&call.retry).map(|text| chip(Icon::Loop, Tone::Term, text)));
    face
}

/// Terms, each on a chip.
pub(super) fn terms(terms: &Terms) -> Vec<Chip> {
    let price = terms.max_price.map(|price| money("max price", price));
    let deadline = terms.deadline.map(|time| time_chip("deadline", time));
    let choice = words::choice(terms).into_iter().map(|text| chip(Icon::Tag, Tone::Term, text));
    price.into_iter().chain(deadline).chain(choice).collect()
}

fn map(fan: &Fan) -> Face {
    let over = words::expression(&fan.over);
    let start = format!("for each {} in {over}", fan.item);
    let mut face = caption(Accent::Map, Icon::Map, &start, &format!(" · {} at a time", fan.concurrency));
    face.chips.extend(fan.item_budget.map(|budget| chip(Icon::Coin, Tone::Money, format!("{} per item", words::amount(budget)))));
    face
}

/// The head of a frame; `start` is cut so that `end` can be seen.
fn caption(accent: Accent, icon: Icon, start: &str, end: &str) -> Face {
    let room = DRAWN_CAPTION_WIDTH_MAX - 62 - Font::Code.width(end);
    let mut face = Face::new(Shape::Bare, accent, icon, "", format!("{}{end}", Font::Code.cut(start, room)));
    face.code = true;
    face.tip.push(one_line(start));
    face
}

fn switch(cases: &[Case]) -> Face {
    let line = match cases.len() {
        1 => "if".to_owned(),
        number => format!("switch · {}", words::count(number, "case")),
    };
    Face::new(Shape::Card, Accent::Fork, Icon::Fork, "", line)
}

fn waited(wait: &Wait) -> Face {
    let icon = if matches!(wait.until, Until::Signal(_)) { Icon::Bell } else { Icon::Clock };
    let mut face = Face::new(Shape::Round, Accent::Wait, icon, "", format!("wait {}", words::until(&wait.until)));
    face.chips.extend(wait.timeout.map(|time| time_chip("at most", time)));
    face
}

fn asked(approval: &Approval) -> Face {
    let line = format!("asks: {}", words::message(&approval.message));
    let mut face = Face::new(Shape::Round, Accent::Approve, Icon::Person, "", line);
    let expiry = format!("{}, {}", words::span(approval.expires), words::expiry(approval.on_expiry));
    face.chips.push(chip(Icon::Clock, Tone::Term, expiry));
    face
}

pub(super) fn money(what: &str, amount: Amount) -> Chip {
    chip(Icon::Coin, Tone::Money, format!("{what} {}", words::amount(amount)))
}

fn time_chip(what: &str, time: Duration) -> Chip {
    chip(Icon::Clock, Tone::Term, format!("{what} {}", words::span(time)))
}

fn chip(icon: Icon, tone: Tone, text: impl Into<String>) -> Chip {
    Chip { icon, tone, text: text.into() }
}

/// A tip has an end, too.
pub(super) fn cut_tip(tip: &str) -> String {
    match tip.char_indices().nth(DRAWN_TIP_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &tip[..end]),
        None => tip.to_owned(),
    }
}
