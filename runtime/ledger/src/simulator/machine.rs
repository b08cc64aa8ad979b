//! The ledger under test: the real store and writer, driven one turn at a time and without threads. This file alone knows how.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hansa_economy::Digest;
use hansa_economy::ledger::{Appended, CommandId, Entry, State, Verified};
use redb::Builder;

use super::disk::Disk;
use crate::check;
use crate::error::{OpenError, SubmitError};
use crate::handle::Outcome;
use crate::store::{Store, StoreError};
use crate::table::log;
use crate::writer::Writer;

/// A running ledger on a disk.
pub(super) struct Machine {
    store: Arc<Store>,
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
        let state = store.load()?;
        let clock = Arc::new(move || clock.load(Ordering::Relaxed));
        let writer = Writer::new(store.clone(), state, clock, Arc::new(AtomicU32::new(0)));
        Ok(Machine { store, writer })
    }

    /// One turn of the writer. The second is why the ledger has stopped, if it has.
    pub(super) fn turn(&mut self, commands: Vec<Verified>) -> (Vec<Result<Outcome, SubmitError>>, Option<String>) {
        let turn = self.writer.turn(commands);
        let stopped = turn.committed.err().and_then(|_| self.writer.recover().err());
        (turn.outcomes, stopped)
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

    /// What is wrong with the stored rows, compared with `state`.
    pub(super) fn compare(&self, state: &State) -> Result<Result<(), String>, StoreError> {
        self.store.read(|tx| check::compare(tx, state))
    }

    /// What the check of the whole file says is wrong.
    pub(super) fn check(&self) -> Result<Option<String>, StoreError> {
        Ok(self.store.read(check::check)?.problem)
    }
}
