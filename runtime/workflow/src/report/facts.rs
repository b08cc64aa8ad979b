//! What is known of a run as a whole.

use std::collections::BTreeMap;

use hansa_economy::Amount;
use serde::Serialize;

use super::step::Answer;
use crate::run::Restart;

/// A run. Times are Unix milliseconds by the clocks of the engines.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// Its name.
    pub run: String,
    /// The workflow, `owner/name`; empty where this program cannot read its file.
    pub workflow: String,
    /// The workflow's version.
    pub version: String,
    /// Where it stands.
    pub state: State,
    /// Why it is paused or undone, or did not complete.
    pub why: Option<String>,
    /// Who or what started it, in words.
    pub by: String,
    /// What it was started with.
    pub input: Option<Answer>,
    /// What it was marked with.
    pub labels: BTreeMap<String, String>,
    /// The run whose steps it goes on from, and from which step.
    pub from: Option<Restart>,
    /// When it started.
    pub started_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// When it was last heard of.
    pub last_ms: u64,
    /// Its output.
    pub output: Option<Answer>,
    /// The most that it may cost.
    pub budget: Amount,
    /// What it has cost, what is at risk among it.
    pub spent: Amount,
    /// What is set aside for calls under way.
    pub set_aside: Amount,
    /// What is set aside on the ledger for the whole run.
    pub held: Option<Amount>,
    /// What of that moved to the account that pays sellers.
    pub drawn: Amount,
    /// What of it was left and is free again.
    pub returned: Option<Amount>,
    /// The engines that had it, in order.
    pub engines: Vec<Engine>,
    /// How often another engine took it over.
    pub takeovers: u32,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its journal says nothing yet.
    #[default]
    Unknown,
    /// Calls are under way, or are about to be.
    Running,
    /// Nothing goes on until somebody resumes it: it was paused, or all attempts of a step are used up and nothing else is under way.
    Paused,
    /// For a time, a signal or a person, and nothing else is under way.
    Waiting,
    /// It shall end, and what was done is undone first.
    Undoing,
    /// As its file says.
    Completed,
    /// A step failed; what was done was undone.
    Failed,
    /// Somebody wanted it; what was done was undone.
    Cancelled,
    /// Somebody wanted it at once; nothing was undone.
    Terminated,
}

impl State {
    /// Is it over?
    pub fn is_over(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Cancelled | State::Terminated)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            State::Unknown => "not begun",
            State::Running => "running",
            State::Paused => "paused",
            State::Waiting => "waiting",
            State::Undoing => "undoing",
            State::Completed => "completed",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::Terminated => "terminated",
        })
    }
}

/// An engine that had the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Engine {
    /// What it is called.
    pub name: String,
    /// Since when it wrote the journal.
    pub since_ms: u64,
    /// Why it took the run over; none of the first.
    pub why: Option<String>,
}

/// Something that happened to the run as a whole, or that people did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Happening {
    /// When.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Happened {
    /// Another engine went on with it.
    Taken {
        /// Which.
        engine: String,
        /// Why.
        why: String,
    },
    /// Money was set aside on the ledger.
    Held {
        /// How much.
        amount: Amount,
    },
    /// A part of it moved to the account that pays sellers.
    Drawn {
        /// Which, from 1.
        nth: u32,
        /// How much.
        amount: Amount,
    },
    /// A signal came.
    Signalled {
        /// Its name.
        name: String,
        /// From whom.
        by: String,
        /// What it brought.
        payload: Answer,
        /// The step that waited for it.
        taken_by: Option<String>,
    },
    /// Nothing new was bought, of the run or of one step.
    Paused {
        /// The step.
        step: Option<String>,
        /// Why.
        why: String,
    },
    /// It went on.
    Resumed {
        /// Who let it.
        by: String,
    },
    /// It was to end.
    Cancelled {
        /// Who wanted it.
        by: String,
        /// Why.
        why: String,
        /// Without undoing anything.
        at_once: bool,
    },
    /// What was done was undone from here on.
    Undoing {
        /// Why.
        why: String,
    },
    /// What was left of the money set aside is free again.
    Settled {
        /// So much.
        returned: Amount,
    },
}
