//! What submitters were told. Each outcome that left the ledger is a promise: it is the only one for its id (I9), and it
//! survives every crash (I10).

use std::collections::{BTreeMap, BTreeSet};

use hansa_economy::Digest;
use hansa_economy::ledger::{CommandId, CommandResult, Reason, Verified};

use super::accountant::{Objection, insist, object};
use super::machine::Machine;
use super::shadow::Shadow;
use crate::handle::Outcome;

/// All promises.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    by_id: BTreeMap<CommandId, (Digest, Outcome)>,
    /// Commands, by the digest of their bytes, that had any outcome.
    answered: BTreeSet<Digest>,
    /// The newest entry that was spoken of.
    newest: (u64, Digest),
}

impl Promises {
    /// The newest entry that was spoken of.
    pub(super) fn seq(&self) -> u64 {
        self.newest.0
    }

    /// Has `command` had an outcome?
    pub(super) fn has(&self, command: &Verified) -> bool {
        self.answered.contains(&command.digest())
    }

    /// Somebody is told `outcome` of `command`. `shadow` has followed the log up to here.
    pub(super) fn told(&mut self, command: &Verified, outcome: &Outcome, shadow: &Shadow) -> Result<(), Objection> {
        insist(outcome.id == command.body().id, "the outcome of another command")?;
        self.answered.insert(command.digest());
        let Some(seq) = outcome.seq else { return refused_before_the_log(command, outcome, shadow) };
        let Some((entry, hash)) = shadow.entry(seq) else { return object("I10: an outcome that is not in the log") };
        let place = entry.commands.iter().position(|bytes| Digest::of(bytes) == command.digest());
        let result = place.and_then(|place| entry.results.get(place));
        let same = result == Some(&outcome.result) && entry.timestamp_ns == outcome.timestamp_ns;
        insist(same, "I9: an outcome differs from the log")?;
        let promise = Outcome { repeated: false, ..outcome.clone() };
        if let Some((digest, before)) = self.by_id.insert(outcome.id, (command.digest(), promise.clone())) {
            insist(digest == command.digest() && before == promise, "I9: one id has two outcomes")?;
            insist(outcome.repeated, "I9: a repeat came as if it were new")?;
        }
        if seq > self.newest.0 {
            self.newest = (seq, *hash);
        }
        Ok(())
    }

    /// I10: a ledger that has started again keeps every promise, and its head has not gone back behind one.
    pub(super) fn kept(&self, machine: &Machine) -> Result<(), Objection> {
        let (seq, hash) = self.newest;
        let found = machine.entry_hash(seq).map_err(|error| error.to_string())?;
        insist(seq == 0 || found == Some(hash), "I10: the newest entry spoken of is gone")?;
        for (id, (_, promise)) in &self.by_id {
            let found = machine.outcome(*id).map_err(|error| error.to_string())?;
            if found.as_ref() != Some(promise) {
                return object(format!("I10: {promise:?} was promised, the ledger has {found:?}"));
            }
        }
        Ok(())
    }
}

fn refused_before_the_log(command: &Verified, outcome: &Outcome, shadow: &Shadow) -> Result<(), Objection> {
    let state = shadow.state();
    match outcome.result {
        CommandResult::Refused(Reason::WrongLedger) => {
            insist(command.body().ledger != Some(state.head().ledger), "its ledger is the right one")
        }
        CommandResult::Refused(Reason::IdTaken) => {
            let taken = state.outcome(outcome.id).is_some_and(|taken| taken.digest != command.digest());
            insist(taken, "I9: nobody else has this id")
        }
        _ => object("an outcome without a place in the log"),
    }
}
