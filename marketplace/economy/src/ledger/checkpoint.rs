//! Checkpoints: the ledger operator's signed word on where the log stood. Kept elsewhere, one shows that a restored old copy has
//! forgotten its end, or that somebody has written another history.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::state::Head;
use crate::digest::Digest;
use crate::statement::Statement;

/// What the operator signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Checkpoint {
    /// The ledger.
    #[n(0)]
    pub ledger: Digest,
    /// The newest entry's number.
    #[n(1)]
    pub seq: u64,
    /// The newest entry's hash.
    #[n(2)]
    pub hash: Digest,
    /// The newest log time, Unix nanoseconds.
    #[n(3)]
    pub time_ns: u64,
    /// The root of the state after that entry, [`super::RootTree`].
    #[n(4)]
    pub state_root: Digest,
}

/// A ledger is not the one that a checkpoint speaks of, or has lost a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointBreach {
    /// Another ledger.
    #[error("the checkpoint is of ledger {found}, this is {expected}")]
    Ledger {
        /// This ledger.
        expected: Digest,
        /// The checkpoint's.
        found: Digest,
    },
    /// The log ends before.
    #[error(
        "the checkpoint has seen entry {promised}, and this ledger ends at entry {newest}: it is an old copy; restore a newer one, what was acknowledged since is missing here"
    )]
    Forgotten {
        /// The entry that the checkpoint has seen.
        promised: u64,
        /// The newest entry here.
        newest: u64,
    },
    /// Another history.
    #[error("entry {seq} has hash {found} here, the checkpoint says {promised}: this is another history")]
    History {
        /// The entry.
        seq: u64,
        /// The hash that the checkpoint has seen.
        promised: Digest,
        /// The hash here.
        found: Digest,
    },
    /// The same log, and yet another state.
    #[error("the state after entry {seq} has root {found}, the checkpoint says {promised}: rows were changed beside the log")]
    State {
        /// The entry.
        seq: u64,
        /// The root that the checkpoint has seen.
        promised: Digest,
        /// The root here.
        found: Digest,
    },
}

impl Statement for Checkpoint {
    const CONTENT_TYPE: &'static str = "hansa/checkpoint.1";
}

impl Checkpoint {
    /// The checkpoint of a ledger that stands at `head` with this root.
    pub fn of(head: &Head, state_root: Digest) -> Checkpoint {
        Checkpoint { ledger: head.ledger, seq: head.seq, hash: head.hash, time_ns: head.time_ns, state_root }
    }

    /// Does a ledger that stands at `head` continue what this checkpoint has seen? `hash_at`: the hash of an entry that it has;
    /// `root`: the root of its present state, which is compared where nothing came since.
    pub fn holds(
        &self,
        head: &Head,
        hash_at: impl FnOnce(u64) -> Option<Digest>,
        root: Option<Digest>,
    ) -> Result<(), CheckpointBreach> {
        if self.ledger != head.ledger {
            return Err(CheckpointBreach::Ledger { expected: head.ledger, found: self.ledger });
        }
        if self.seq > head.seq {
            return Err(CheckpointBreach::Forgotten { promised: self.seq, newest: head.seq });
        }
        match hash_at(self.seq) {
            None => return Err(CheckpointBreach::Forgotten { promised: self.seq, newest: head.seq }),
            Some(found) if found != self.hash => {
                return Err(CheckpointBreach::History { seq: self.seq, promised: self.hash, found });
            }
            Some(_) => {}
        }
        match root.filter(|root| self.seq == head.seq && *root != self.state_root) {
            Some(found) => Err(CheckpointBreach::State { seq: self.seq, promised: self.state_root, found }),
            None => Ok(()),
        }
    }
}
