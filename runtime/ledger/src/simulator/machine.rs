//! The ledger under test: the real store and writer, driven one turn at a time and without threads. This file alone knows how.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hansa_economy::Digest;
use hansa_economy::ledger::{Appended, CommandId, Entry, State, Verified};
use redb::Builder;

use super::disk::Disk;
use super::shadow::same_rows;
use crate::check::{self, Places};
use crate::commit::{Committed, Failed, Prepared, unknown};
use crate::error::{OpenError, SubmitError};
use crate::handle::Outcome;
use crate::pressure::Pressure;
use crate::store::{Store, StoreError};
use crate::table::{log, meta};
use crate::writer::Writer;

/// The tables follow the log often here: every few commands.
const SNAPSHOT_BYTES: usize = 4096;

/// A running ledger on a disk.
pub(super) struct Machine {
    store: Arc<Store>,
    pressure: Arc<Pressure>,
    writer: Writer,
}

impl Machine {
    /// Put a new ledger on an empty disk.
    pub(super) fn found(disk: &Disk, state: &mut State, genesis: &Appended) -> Result<(), StoreError> {
        let database = Builder::new().create_with_backend(disk.clone())?;
        Store::found(&database, state, genesis)
    }

    /// Start on what is on `disk`. Log time follows `clock`.
    pub(super) fn start(disk: &Disk, clock: &Arc<AtomicU64>, cache_bytes: usize) -> Result<Machine, OpenError> {
        let (disk, clock) = (disk.clone(), clock.clone());
        let open = move || Builder::new().set_cache_size(cache_bytes).create_with_backend(disk.clone());
        let store = Arc::new(Store::open_with(PathBuf::from("simulated"), Box::new(open))?);
        let clock = Arc::new(move || clock.load(Ordering::Relaxed));
        let pressure = Arc::new(Pressure::default());
        let writer = Writer::load(store.clone(), clock, pressure.clone(), SNAPSHOT_BYTES)?;
        Ok(Machine { store, pressure, writer })
    }

    /// One turn of the writer. Where their number allows, the commands make two or three groups that are all applied before the
    /// first is committed. With the outcomes comes why the ledger has stopped, if it has.
    pub(super) fn turn(&mut self, commands: Vec<Verified>) -> (Vec<Result<Outcome, SubmitError>>, Option<String>) {
        let all = commands.len();
        if self.writer.is_stale() {
            if let Err(reason) = self.writer.recover() {
                return (vec![Err(unknown(&reason)); all], Some(reason));
            }
            if self.writer.is_stale() {
                return (vec![Err(self.pressure.full()); all], None);
            }
        }
        let groups = [3, 2].into_iter().find(|groups| all.is_multiple_of(*groups)).unwrap_or(1);
        let mut ahead = Vec::new();
        for group in commands.chunks(all / groups) {
            let prepared = self.writer.prepare(group.to_vec());
            let failed = prepared.is_err();
            ahead.push((prepared, group.len()));
            if failed {
                break;
            }
        }
        let mut outcomes = Vec::with_capacity(all);
        for (prepared, commands) in ahead {
            outcomes.extend(self.commit(prepared, commands));
        }
        outcomes.resize_with(all, || Err(unknown("a group before it failed")));
        let stopped = if self.writer.is_stale() { self.writer.recover().err() } else { None };
        (outcomes, stopped)
    }

    fn commit(&mut self, prepared: Result<Prepared, StoreError>, commands: usize) -> Vec<Result<Outcome, SubmitError>> {
        let (done, outcomes) = match prepared {
            Ok(prepared) => match prepared.commit(&self.store, &self.pressure) {
                Ok(Committed { concluded, outcomes }) => (Ok(concluded), outcomes),
                Err(Failed { failure, error }) => (Err(failure), vec![Err(error); commands]),
            },
            Err(failure) => {
                let outcomes = vec![Err(unknown(&failure.to_string())); commands];
                (Err(failure), outcomes)
            }
        };
        self.writer.conclude(done);
        outcomes
    }

    /// Stop in good order.
    pub(super) fn close(self) {
        self.writer.close();
    }

    /// The writer's state in memory.
    pub(super) fn state(&self) -> &State {
        self.writer.state()
    }

    /// The stored entries from number `from` on.
    pub(super) fn entries(&self, from: u64) -> Result<Vec<(Entry, Digest)>, StoreError> {
        self.store.read(|tx| tx.open_table(log::TABLE)?.range(from..)?.map(|row| log::open(row?.1.value())).collect())
    }

    /// The hash of one stored entry.
    pub(super) fn entry_hash(&self, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.store.entry_hash(seq)
    }

    /// The outcome that the log has.
    pub(super) fn outcome(&self, id: CommandId) -> Result<Option<Outcome>, StoreError> {
        self.store.outcome(id)
    }

    /// What is wrong with what is stored, compared with `state`: the rows where they stand at its entry, else what a start would
    /// load; and each transfer and outcome as a reader finds it.
    pub(super) fn compare(&self, state: &State, places: &Places) -> Result<Result<(), String>, StoreError> {
        let rows_at = self.store.read(|tx| Ok(meta::rows(&tx.open_table(meta::TABLE)?)?.0.seq))?;
        if rows_at == state.head().seq {
            return self.store.read(|tx| check::compare(tx, state, places));
        }
        let loaded = match self.store.peek() {
            Ok(loaded) => loaded.state,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if !same_rows(&loaded, state) {
            return Ok(Err("a start would load other rows than the log makes".into()));
        }
        for (id, record) in state.transfers() {
            if self.store.transfer(id)?.as_ref() != Some(record) {
                return Ok(Err(format!("a reader finds another transfer {id} than the log makes")));
            }
        }
        for (id, place) in state.outcomes() {
            if self.store.outcome(id)?.and_then(|outcome| outcome.seq) != Some(place.seq) {
                return Ok(Err(format!("a reader finds another outcome of command {id} than the log has")));
            }
        }
        Ok(Ok(()))
    }

    /// What the check of the whole file says is wrong.
    pub(super) fn check(&self) -> Result<Option<String>, StoreError> {
        Ok(self.store.read(check::check)?.problem)
    }
}
