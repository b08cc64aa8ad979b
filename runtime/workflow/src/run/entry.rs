//! The journal of a run: what is written of it, one entry after another. FORMAT: JSON, version 1; a run is what its entries say, and nothing else.

use std::collections::BTreeMap;

use hansa_economy::{Amount, Digest, PublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of this format. A journal of a later one is left to whoever knows it.
pub const VERSION: u32 = 1;

/// One entry: all of it or nothing is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// [`VERSION`].
    pub version: u32,
    /// Made up by its writer, so that it knows its own again where the answer to writing was lost.
    pub id: String,
    /// Unix milliseconds by the writer's clock.
    pub at_ms: u64,
    /// Which engine wrote it.
    pub engine: String,
    /// What happened, in its order.
    pub changes: Vec<Change>,
}

/// What began a run. The file stands in it: a run goes on with the version that it began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Started {
    /// The workflow's file.
    pub file: String,
    /// Inputs by name, those left out by their defaults.
    pub input: Map<String, Value>,
    /// Labels of the run.
    pub labels: BTreeMap<String, String>,
    /// The most that it may cost.
    pub budget: Amount,
    /// 32 random bytes as hexadecimal digits: the ids of its calls are derived from them, and known to nobody else before they are made.
    pub secret: String,
    /// Who or what started it, in words.
    pub by: String,
    /// The run whose steps it goes on from, and from which step.
    pub from: Option<Restart>,
}

/// A run that goes on from a step of another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Restart {
    /// That run.
    pub run: String,
    /// The first step that is done anew.
    pub step: String,
}

/// One thing that happened. `step` is a step's place in the run: `pages#3/summary` is the step `summary` of item 3 of the map `pages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Change {
    /// It began. The first of all.
    Started(Box<Started>),
    /// Another engine goes on with it.
    Taken {
        /// Why.
        why: String,
    },
    /// Money was set aside on the ledger.
    Held {
        /// How much.
        amount: Amount,
    },
    /// A part of what was set aside moved to the account that pays sellers.
    Drawn {
        /// Which, from 1.
        nth: u32,
        /// How much.
        amount: Amount,
    },
    /// A call is about to be bought, and its price is set aside.
    Attempted(Attempted),
    /// It was answered.
    Answered(Answered),
    /// It failed for certain, and costs nothing. Also where nobody was found to be asked.
    Missed {
        /// The step.
        step: String,
        /// Which attempt.
        nth: u32,
        /// Why.
        fault: String,
        /// When it is tried again, Unix milliseconds.
        again_ms: u64,
    },
    /// Nobody knows whether it ran: the same call is repeated at the same seller.
    Unclear {
        /// The step.
        step: String,
        /// Which attempt.
        nth: u32,
        /// Why.
        fault: String,
        /// When it is repeated, Unix milliseconds.
        again_ms: u64,
    },
    /// A step that buys nothing has this value.
    Given {
        /// The step.
        step: String,
        /// Its value.
        value: Value,
    },
    /// A condition was looked at: this case holds; the number of cases where none does. Of a loop: 1 where it goes on, else 0.
    Chose {
        /// The step; of a loop with the round.
        step: String,
        /// The case, from 0.
        case: u32,
    },
    /// A map was begun.
    Opened {
        /// The step.
        step: String,
        /// Items of its list.
        items: u32,
        /// SHA-256 of the list as JSON.
        list: Digest,
    },
    /// Another workflow was begun within this one. Its file stands here, as the run's own does at its begin.
    Nested {
        /// The step.
        step: String,
        /// Its file.
        file: String,
    },
    /// A step began that has a time limit.
    Began {
        /// The step.
        step: String,
    },
    /// A step waits.
    Awaits {
        /// The step.
        step: String,
        /// For what.
        awaited: Awaited,
    },
    /// A signal came.
    Signalled {
        /// Its name.
        name: String,
        /// What it brought.
        payload: Value,
        /// From whom, in words.
        by: String,
    },
    /// Somebody approved or rejected.
    Decided {
        /// The step.
        step: String,
        /// Yes or no.
        approved: bool,
        /// Who, in words.
        by: String,
        /// What they said about it.
        note: Option<String>,
    },
    /// A step failed for good.
    Broke {
        /// The step.
        step: String,
        /// Why.
        what: String,
        /// Nobody knows whether its last call was charged: it may have cost so much, and counts as if it had.
        at_risk: Amount,
        /// It makes the item null that it happened in, and nothing more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_item: bool,
    },
    /// Nothing new is bought until somebody lets it go on. Of a step: that one waits, the others go on.
    Paused {
        /// The step.
        step: Option<String>,
        /// Why.
        why: String,
    },
    /// It goes on.
    Resumed {
        /// Who let it.
        by: String,
    },
    /// It shall end, and what was done shall be undone.
    Cancelled {
        /// Who wants it.
        by: String,
        /// Why.
        why: String,
        /// Without undoing anything.
        at_once: bool,
    },
    /// What was done is undone from here on, backwards.
    Undoing {
        /// Why.
        why: String,
    },
    /// It is over.
    Ended {
        /// How.
        how: Ending,
        /// Its output.
        #[serde(default, deserialize_with = "even_null", skip_serializing_if = "Option::is_none")]
        output: Option<Value>,
        /// Why, where it did not complete.
        what: Option<String>,
        /// What it cost.
        spent: Amount,
    },
    /// What was left of the money set aside is free again.
    Settled {
        /// So much.
        returned: Amount,
    },
}

/// A call about to be bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attempted {
    /// The step.
    pub step: String,
    /// Which attempt, from 1.
    pub nth: u32,
    /// Of whom.
    pub seller: PublicKey,
    /// What that one runs, as `acme/reader@1.0.0`.
    pub package: String,
    /// What it may cost.
    pub price_max: Amount,
    /// Until when an answer was waited for, Unix milliseconds.
    pub until_ms: u64,
    /// SHA-256 of the arguments as JSON.
    pub args: Digest,
    /// What `.spent` was for them.
    pub spent: Amount,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answered {
    /// The step.
    pub step: String,
    /// Which attempt.
    pub nth: u32,
    /// The answer.
    pub value: Value,
    /// What it cost.
    pub charged: Amount,
    /// The receipt; none for a free call.
    pub receipt: Option<Digest>,
}

/// What a step waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Awaited {
    /// A time, Unix milliseconds.
    Time {
        /// When.
        until_ms: u64,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
        /// Until when, Unix milliseconds.
        until_ms: Option<u64>,
    },
    /// A person.
    Approval {
        /// What is asked.
        message: String,
        /// Until when, Unix milliseconds.
        until_ms: u64,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// As its file says.
    Completed,
    /// A step failed; what was done was undone.
    Failed,
    /// Somebody wanted it; what was done was undone.
    Cancelled,
    /// Somebody wanted it at once; nothing was undone.
    Terminated,
}

/// Why an entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Written by a later version of Hansa.
    #[error(
        "the run's journal has format version {0}, this program knows up to {VERSION}; a node with the newer program goes on with it"
    )]
    Newer(u32),
    /// It is no entry.
    #[error("an entry of the run's journal cannot be read: {0}")]
    Damaged(String),
}

impl Entry {
    /// Reads an entry.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub fn read(bytes: &[u8]) -> Result<Entry, EntryError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let damaged = |error: serde_json::Error| EntryError::Damaged(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.version > VERSION {
            return Err(EntryError::Newer(head.version));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// As it is written.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps have texts as keys, and writing to memory cannot fail")
    }
}

/// An output that is null is one all the same.
fn even_null<'de, D: serde::Deserializer<'de>>(output: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(output).map(Some)
}
