//! Events, in words.

use super::super::event::{Did, Event, What};
use super::super::facts::Happened;
use super::super::step::{Attempt, Chosen, Fault, Kind};
use super::super::{Answer, Report, Step};
use super::words::{clock, counted, moment};
use crate::run::Awaited;

/// An event: whose it is, what happened, and the value that came with it.
pub(super) struct Said<'a> {
    /// The step; none: the whole run.
    pub(super) path: Option<&'a str>,
    pub(super) words: String,
    pub(super) value: Option<&'a Answer>,
}

impl Report {
    pub(super) fn said(&self, event: &Event) -> Said<'_> {
        let run = |words: String, value| Said { path: None, words, value };
        let facts = &self.facts;
        match event.what {
            What::Started => run(format!("started by {}", facts.by), None),
            What::Ended => {
                let why = facts.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                run(format!("{}, {} spent{why}", facts.state, facts.spent), facts.output.as_ref())
            }
            What::Happened(nth) => happened(&self.happened[nth].what),
            What::Step(nth, did) => {
                let step = &self.steps[nth];
                let (words, value) = self.did(nth, did);
                Said { path: Some(&step.path), words, value }
            }
        }
    }

    fn did(&self, nth: usize, did: Did) -> (String, Option<&Answer>) {
        let step = &self.steps[nth];
        let words = match did {
            Did::Begin => "begins, within its time limit".to_owned(),
            Did::Attempt(nth) => asks(&step.attempts[nth as usize]),
            Did::Answer => return (paid(step), step.answer.as_ref()),
            Did::Miss { attempt, fault, is_unclear } => {
                let attempt = &step.attempts[attempt as usize];
                missed(attempt, &attempt.faults[fault as usize], is_unclear)
            }
            Did::Give if step.kind == Some(Kind::Wait) && !matches!(step.awaited, Some(Awaited::Signal { .. })) => {
                "goes on".to_owned()
            }
            Did::Give if step.kind == Some(Kind::Approve) && step.decided.is_none() => {
                return ("nobody answered in time; it gives".to_owned(), step.answer.as_ref());
            }
            Did::Give => return ("gives".to_owned(), step.answer.as_ref()),
            Did::Choose => step.chosen.map_or_else(String::new, chose),
            Did::Round { round, goes_on: true } => format!("round {} begins", round + 1),
            Did::Round { round, .. } => format!("ends after {}", counted(round.into(), "round")),
            Did::Open => format!("begins {}", counted(step.items.unwrap_or_default().count.into(), "item")),
            Did::Run => format!("runs {}", step.runs.as_deref().unwrap_or("another workflow")),
            Did::Await => awaits(step),
            Did::Decide => decided(step),
            Did::Break => {
                let risk = if step.at_risk.0 > 0 { format!(" ({} may be charged)", step.at_risk) } else { String::new() };
                format!("failed{risk}: {}", step.why.as_deref().unwrap_or_default())
            }
        };
        (words, None)
    }
}

fn happened(what: &Happened) -> Said<'_> {
    let mut said = Said { path: None, words: String::new(), value: None };
    said.words = match what {
        Happened::Taken { engine, why } => format!("engine {engine} goes on with it: {why}"),
        Happened::Held { amount } => format!("{amount} set aside on the ledger"),
        Happened::Drawn { nth, amount } => format!("{amount} moved to pay sellers, part {nth}"),
        Happened::Signalled { name, by, payload, .. } => {
            said.value = Some(payload);
            format!("signal `{name}` from {by}")
        }
        Happened::Paused { step, why } => {
            said.path = step.as_deref();
            format!("stands still: {why}")
        }
        Happened::Resumed { by } => format!("resumed by {by}"),
        Happened::Cancelled { by, why, at_once: false } => format!("cancelled by {by}: {why}"),
        Happened::Cancelled { by, why, .. } => format!("terminated by {by}: {why}"),
        Happened::Undoing { why } => format!("what was done is undone, since {why}"),
        Happened::Settled { returned } => format!("{returned} is free again"),
    };
    said
}

fn asks(attempt: &Attempt) -> String {
    let which = if attempt.nth > 1 { format!("attempt {}: ", attempt.nth) } else { String::new() };
    let seller = attempt.seller.map_or_else(|| "nobody".to_owned(), |seller| seller.short());
    let price = attempt.price_max.unwrap_or_default();
    format!("{which}asks {seller}, at most {price}, {}", attempt.package.as_deref().unwrap_or_default())
}

/// Which case holds.
pub(super) fn chose(chosen: Chosen) -> String {
    let Chosen { case, of } = chosen;
    match of {
        Some(1) if case >= 1 => "its condition does not hold".to_owned(),
        Some(cases) if case >= cases => "no case holds".to_owned(),
        Some(1) => "its condition holds".to_owned(),
        Some(cases) => format!("case {} of {cases} holds", case + 1),
        None => format!("case {} holds", case.saturating_add(1)),
    }
}

/// What an answered call cost.
pub(super) fn paid(step: &Step) -> String {
    match step.receipt {
        Some(receipt) => format!("answered for {}, receipt {}", step.charged, receipt.short()),
        None => "answered, free of charge".to_owned(),
    }
}

fn missed(attempt: &Attempt, fault: &Fault, is_unclear: bool) -> String {
    let what = match (is_unclear, attempt.seller) {
        (true, _) => "no clear answer",
        (false, Some(_)) => "missed",
        (false, None) => "nobody asked",
    };
    let verb = if is_unclear { "repeated" } else { "again" };
    format!("{what}, {verb} at {}: {}", clock(fault.again_ms), fault.what)
}

fn awaits(step: &Step) -> String {
    match &step.awaited {
        Some(Awaited::Time { until_ms }) => format!("waits until {}", moment(*until_ms)),
        Some(Awaited::Signal { name, until_ms: None }) => format!("waits for the signal `{name}`"),
        Some(Awaited::Signal { name, until_ms: Some(until_ms) }) => {
            format!("waits for the signal `{name}` until {}", moment(*until_ms))
        }
        Some(Awaited::Approval { message, until_ms }) => format!("asks until {}: {message}", moment(*until_ms)),
        None => String::new(),
    }
}

fn decided(step: &Step) -> String {
    let Some(decided) = &step.decided else { return String::new() };
    let verb = if decided.approved { "approved" } else { "rejected" };
    let note = decided.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
    format!("{verb} by {}{note}", decided.by)
}
