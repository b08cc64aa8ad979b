//! What all nodes of a business know of a run: enough to list it, and to see who has it.

use std::collections::BTreeMap;

use hansa_economy::Amount;
use hansa_workflow::run::{Change, Ending, Entry};
use serde::{Deserialize, Serialize};

/// A run in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Its name.
    pub run: String,
    /// The workflow's name.
    pub workflow: String,
    /// The version that it began with, and goes on with.
    pub version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Who or what started it.
    pub by: String,
    /// How it stands.
    pub state: State,
    /// Why it stands so.
    pub why: Option<String>,
    /// The engine that has it: the token of its node's key.
    pub engine: String,
    /// That node's name.
    pub node: String,
    /// Unix milliseconds.
    pub started_ms: u64,
    /// When this last changed, Unix milliseconds.
    pub changed_ms: u64,
    /// The most that it may cost, credits.
    pub budget: Amount,
    /// What it has cost when this last changed, credits.
    pub spent: Amount,
    /// It is over, and what was left of its budget is back.
    pub settled: bool,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It goes on.
    Running,
    /// A step of it waits for a time, a signal or a person.
    Waiting,
    /// It, or a step of it, waits until somebody lets it go on.
    Paused,
    /// What was done is undone.
    Undoing,
    /// It ended as its file says.
    Completed,
    /// A step failed.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Somebody ended it at once.
    Terminated,
}

impl State {
    /// Is it over?
    pub fn is_over(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Cancelled | State::Terminated)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Waiting => "waiting",
            State::Paused => "paused",
            State::Undoing => "undoing",
            State::Completed => "completed",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::Terminated => "terminated",
        }
    }
}

impl Summary {
    /// After this entry. True: it changed.
    pub(crate) fn see(&mut self, entry: &Entry) -> bool {
        let before = (self.state, self.why.clone(), self.settled);
        entry.changes.iter().for_each(|change| self.change(change));
        let changed = before != (self.state, self.why.clone(), self.settled);
        if changed {
            self.changed_ms = entry.at_ms;
        }
        changed
    }

    fn change(&mut self, change: &Change) {
        let set = match change {
            Change::Awaits { step, .. } => (State::Waiting, Some(format!("`{step}` waits"))),
            Change::Given { .. } | Change::Decided { .. } | Change::Attempted(_) if self.state == State::Waiting => {
                (State::Running, None)
            }
            Change::Paused { step: Some(step), why } => (State::Paused, Some(format!("`{step}`: {why}"))),
            Change::Paused { step: None, why } => (State::Paused, Some(why.clone())),
            Change::Resumed { .. } => (State::Running, None),
            Change::Undoing { why } => (State::Undoing, Some(why.clone())),
            Change::Answered(answered) => {
                self.spent = self.spent.saturating_add(answered.charged);
                return;
            }
            Change::Ended { how, what, spent, .. } => {
                self.spent = *spent;
                (of_ending(*how), what.clone())
            }
            Change::Settled { .. } => {
                self.settled = true;
                return;
            }
            _ => return,
        };
        (self.state, self.why) = set;
    }
}

fn of_ending(how: Ending) -> State {
    match how {
        Ending::Completed => State::Completed,
        Ending::Failed => State::Failed,
        Ending::Cancelled => State::Cancelled,
        Ending::Terminated => State::Terminated,
    }
}
