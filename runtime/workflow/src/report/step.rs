//! What is known of one step.

use hansa_economy::{Amount, Digest, PublicKey};
use serde::Serialize;
use serde_json::Value;

use super::path;
use crate::run::Awaited;

/// One step, as far as it got. Times are Unix milliseconds by the clocks of the engines.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Its place: `rows#2/read` is the step `read` of item 2 of the map `rows`, `both.left/l` one of the branch `left`, `again#0/poll` one of a loop's first round,
    /// `read~1` the second of several sellers that are asked the same. Of what undoes a step: `undo/`, then that step's place.
    pub path: String,
    /// What it does; none where this program cannot read the file, and nothing else says it.
    pub kind: Option<Kind>,
    /// The step that it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Where it stands.
    pub state: StepState,
    /// Since when it stands there.
    pub since_ms: u64,
    /// When it was first heard of.
    pub began_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Why it failed, or is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its failure makes the item null that it happened in, and nothing more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_item: bool,
    /// How often it was tried to buy it, in order.
    pub attempts: Vec<Attempt>,
    /// Its value. Steps with others within them, and those that ask several sellers, have none here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What it cost, without what it cost to undo it, and without those within it.
    pub charged: Amount,
    /// What it may have cost beyond that: nobody knows whether it was charged, and so it counts.
    pub at_risk: Amount,
    /// What is set aside for the call under way.
    pub set_aside: Amount,
    /// The receipt; none for a free call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Digest>,
    /// What it waits for, or waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Awaited>,
    /// What a person said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// Of an `if` or a `switch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// Of a `map`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Items>,
    /// Of a `loop`: rounds begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// Of a `run`: the other workflow, as `acme/inner 2.0.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
}

impl Step {
    /// Its place without numbers of items, rounds and sellers: `rows/read`; of what undoes one, `undo/rows/read`.
    pub fn pattern(&self) -> String {
        match &self.undoes {
            Some(undone) => format!("{}{}", path::UNDO, path::pattern(undone)),
            None => path::pattern(&self.path),
        }
    }
}

impl Step {
    /// Is it over?
    pub fn is_over(&self) -> bool {
        matches!(self.state, StepState::Done | StepState::Failed | StepState::Left)
    }

    /// Its call under way: asked, and not known to be answered.
    pub fn in_flight(&self) -> Option<&Attempt> {
        let is_open = |attempt: &&Attempt| matches!(attempt.outcome, Outcome::Open | Outcome::Unclear);
        self.attempts.last().filter(|_| self.state == StepState::Running).filter(is_open)
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Buys a call, also one that undoes a step.
    Call,
    /// Steps for each item of a list.
    Map,
    /// Branches side by side.
    Parallel,
    /// The first case that holds; an `if` is one with one case.
    Switch,
    /// Steps again and again.
    Loop,
    /// Waits.
    Wait,
    /// Asks a person.
    Approve,
    /// Another workflow.
    Run,
    /// Makes a value.
    Set,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It, or something within it, is done just now; also between two attempts.
    #[default]
    Running,
    /// For a time, a signal or a person.
    Waiting,
    /// Until somebody lets the run go on.
    Paused,
    /// It has its value.
    Done,
    /// For good. Its file says whether the run goes on all the same.
    Failed,
    /// It was begun, and nothing more comes of it: something beside it failed, its time was over, or the run ended.
    Left,
}

/// One attempt to buy a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attempt {
    /// Which, from 1. Where nobody could be asked, that of the attempt before.
    pub nth: u32,
    /// Who was asked; none: nobody could be.
    pub seller: Option<PublicKey>,
    /// What that one runs, as `acme/reader@1.0.0`.
    pub package: Option<String>,
    /// The most that it could cost.
    pub price_max: Option<Amount>,
    /// When it began.
    pub began_ms: u64,
    /// Until when an answer was waited for.
    pub until_ms: Option<u64>,
    /// When its outcome was known for certain.
    pub ended_ms: Option<u64>,
    /// What came of it.
    pub outcome: Outcome,
    /// What went wrong; several where the same call was repeated.
    pub faults: Vec<Fault>,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is under way.
    Open,
    /// It was answered.
    Answered,
    /// It failed for certain, and cost nothing.
    Missed,
    /// Nobody knows: the same call is repeated at the same seller.
    Unclear,
    /// The step failed for good with it.
    Failed,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// When.
    pub at_ms: u64,
    /// Why, in words; often the seller's.
    pub what: String,
    /// When it is tried again.
    pub again_ms: u64,
}

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// Bytes that it has as JSON.
    pub bytes: u64,
    /// It itself; a report without values leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Which case held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chosen {
    /// The case, from 0; the number of cases where none did.
    pub case: u32,
    /// How many cases there are, the `else` not counted; none where this program cannot read the file.
    pub of: Option<u32>,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decided {
    /// Yes or no.
    pub approved: bool,
    /// Who.
    pub by: String,
    /// What they said about it.
    pub note: Option<String>,
    /// When.
    pub at_ms: u64,
}

/// Items of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Items {
    /// All of them.
    pub count: u32,
    /// Those that are over.
    pub ended: u32,
    /// Those of them that failed.
    pub failed: u32,
}

impl Answer {
    /// `value`, or its size only.
    pub(super) fn new(value: &Value, is_kept: bool) -> Answer {
        let mut bytes = Bytes(0);
        // Counting cannot fail; maps have texts as keys.
        drop(serde_json::to_writer(&mut bytes, value));
        Answer { bytes: bytes.0, value: is_kept.then(|| value.clone()) }
    }
}

/// Counts what is written.
struct Bytes(u64);

impl std::io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
