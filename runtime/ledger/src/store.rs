//! The redb file: opening it with clear errors, committing, reading, closing it after a failure.
//!
//! A commit writes the log. The other tables follow from it and are brought up to date once in a while, by a snapshot; what came
//! since is in memory ([`Recent`]) and, after a start, replayed from the log (`loading.rs`).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hansa_economy::Digest;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Account, Appended, Head, RootKey, RootProof, RootTree, State, TransferId, TransferRecord, Verified};
use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageError, TableError, WriteTransaction,
};

use crate::error::OpenError;
use crate::loading::{self, Loaded};
use crate::recent::Recent;
use crate::rows::Rows;
use crate::table::{accounts, assets, channels, format_2, holds, keys, log, meta, outcomes, owners, places, refunds, transfers};

/// The ledger's file in its folder.
pub(crate) const FILE_NAME: &str = "ledger.redb";

/// Reading or writing the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// redb says so.
    #[error("{0}")]
    Redb(Box<redb::Error>),
    /// A row is not what its table says.
    #[error("table `{table}`: {reason}")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A group does not follow what the store has: a group before it failed.
    #[error("a group before it failed")]
    Order,
    /// It was closed after a failure and did not open again.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Is it for want of room: a full disk, a quota, or a limit on the size of files?
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, StoreError::Redb(error) if matches!(&**error, redb::Error::Io(error) if is_full(error)))
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> StoreError {
        StoreError::Redb(Box::new(error.into()))
    }
}

/// How the database is opened, the first time and after a failure.
pub(crate) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The store. Readers share it; the writer alone writes, and alone replaces the database after a failure.
pub(crate) struct Store {
    path: PathBuf,
    opener: Opener,
    database: RwLock<Option<Database>>,
    recent: RwLock<Recent>,
    /// A commit failed, and may have taken effect all the same: what is recent is not known, and nothing more is written before
    /// it is loaded again.
    is_behind: AtomicBool,
    /// Over the rows of the tables and some of the recent ones; [`Recent::follow`] brings it up to date.
    tree: Mutex<RootTree>,
}

impl Store {
    /// Open the file at `path`, which must exist.
    pub(crate) fn open(path: PathBuf, cache_bytes: usize) -> Result<Store, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path));
        }
        let file = path.clone();
        Store::open_with(path, Box::new(move || Builder::new().set_cache_size(cache_bytes).open(&file)))
    }

    /// Open whatever `opener` opens; `path` is for messages.
    pub(crate) fn open_with(path: PathBuf, opener: Opener) -> Result<Store, OpenError> {
        let database = opener().map_err(|error| open_error(&path, error))?;
        let store = Store {
            path,
            opener,
            database: RwLock::new(Some(database)),
            recent: RwLock::default(),
            is_behind: AtomicBool::new(false),
            tree: Mutex::default(),
        };
        if store.format()? < meta::FORMAT {
            store.upgrade()?;
        }
        Ok(store)
    }

    /// Make a file with nothing but the format and the first entry in it, in the place where `path` says.
    pub(crate) fn create(path: &Path, state: &mut State, genesis: &Appended) -> Result<(), OpenError> {
        let database = Builder::new().create(path).map_err(|error| open_error(path, error))?;
        Store::found(&database, state, genesis).map_err(|error| io_error(path, &error))
    }

    pub(crate) fn found(database: &Database, state: &mut State, genesis: &Appended) -> Result<(), StoreError> {
        let mut rows = Recent::default();
        rows.take_in(Rows::take(state, Vec::new()));
        let tx = begin_write(database)?;
        make_tables(&tx)?;
        log::append(&mut tx.open_table(log::TABLE)?, genesis.entry.seq, &genesis.bytes)?;
        rows.write(&tx)?;
        let mut meta = tx.open_table(meta::TABLE)?;
        meta::put_format(&mut meta, meta::FORMAT)?;
        meta::put_head(&mut meta, state.head())?;
        meta::put_rows(&mut meta, state.head(), RootTree::of(state).root())?;
        drop(meta);
        tx.commit()?;
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// See the newest committed rows.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let guard = self.database()?;
        let database = guard.as_ref().ok_or(StoreError::Closed)?;
        read(&database.begin_read()?)
    }

    /// Write a group's entries durably, where the log ends with hash `before`; then readers see its `rows`. With `snapshot`, the
    /// same commit brings all tables to where the log stood before the group.
    pub(crate) fn commit(&self, before: Digest, entries: &[Appended], rows: Rows, snapshot: bool) -> Result<(), StoreError> {
        // Refusals and repeats, which have no entry, are answers too: not by a state that never came to be.
        if self.is_behind.load(Ordering::Acquire) {
            return Err(StoreError::Order);
        }
        if entries.is_empty() && !snapshot {
            return Ok(());
        }
        if let Err(failure) = self.write(before, entries, &rows, snapshot) {
            self.is_behind.store(true, Ordering::Release);
            return Err(failure);
        }
        let mut recent = self.recent_mut();
        if snapshot {
            recent.clear();
        }
        recent.take_in(rows);
        Ok(())
    }

    fn write(&self, before: Digest, entries: &[Appended], rows: &Rows, snapshot: bool) -> Result<(), StoreError> {
        let guard = self.database()?;
        let tx = begin_write(guard.as_ref().ok_or(StoreError::Closed)?)?;
        if meta::head(&tx.open_table(meta::TABLE)?)?.hash != before {
            return Err(StoreError::Order);
        }
        let mut log = tx.open_table(log::TABLE)?;
        entries.iter().try_for_each(|appended| log::append(&mut log, appended.entry.seq, &appended.bytes))?;
        drop(log);
        meta::put_head(&mut tx.open_table(meta::TABLE)?, &rows.head)?;
        if snapshot {
            self.write_rows(&tx)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Bring all tables to where the log stands.
    pub(crate) fn snapshot(&self) -> Result<(), StoreError> {
        if self.is_behind.load(Ordering::Acquire) {
            return Err(StoreError::Order);
        }
        let rows_at = self.read(|tx| Ok(meta::rows(&tx.open_table(meta::TABLE)?)?.0.seq))?;
        if self.recent().head.as_ref().is_none_or(|head| head.seq == rows_at) {
            return Ok(());
        }
        let guard = self.database()?;
        let tx = begin_write(guard.as_ref().ok_or(StoreError::Closed)?)?;
        self.write_rows(&tx)?;
        tx.commit()?;
        self.recent_mut().clear();
        Ok(())
    }

    fn write_rows(&self, tx: &WriteTransaction) -> Result<(), StoreError> {
        let recent = self.recent();
        let Some(head) = &recent.head else { return Ok(()) };
        recent.write(tx)?;
        let root = self.root_of(&recent);
        meta::put_rows(&mut tx.open_table(meta::TABLE)?, head, root)
    }

    fn root_of(&self, recent: &Recent) -> Digest {
        let mut tree = self.tree();
        recent.follow(&mut tree);
        tree.root()
    }

    /// See a newest committed row: a recent one, else that of the tables, which by then have whatever is not recent.
    pub(crate) fn look<T>(
        &self,
        recent: impl FnOnce(&Recent) -> Option<T>,
        table: impl FnOnce(&ReadTransaction) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let found = recent(&self.recent());
        if found.is_some() { Ok(found) } else { self.read(table) }
    }

    /// See recent rows and tables of the same moment. What is committed meanwhile is not answered before this ends: for short reads.
    pub(crate) fn look_at_all<T>(
        &self,
        read: impl FnOnce(&Recent, &ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let recent = self.recent();
        self.read(|tx| read(&recent, tx))
    }

    /// A transfer or burnt id.
    pub(crate) fn transfer(&self, id: TransferId) -> Result<Option<TransferRecord>, StoreError> {
        let (record, place) = {
            let recent = self.recent();
            (recent.transfers.get(&id).cloned(), recent.places.get(&id).copied())
        };
        match (record, place) {
            (Some(record), _) => Ok(Some(TransferRecord::clone(&record))),
            (None, Some(place)) => {
                self.read(|tx| Ok(Some(TransferRecord::Created(place.read(&tx.open_table(log::TABLE)?)?, None))))
            }
            (None, None) => self.read(|tx| transfers::find(tx, id)),
        }
    }

    /// Where the log stands, and the root of the state there.
    pub(crate) fn stand(&self) -> Result<(Head, Digest), StoreError> {
        let recent = self.recent();
        match &recent.head {
            Some(head) => Ok((head.clone(), self.root_of(&recent))),
            None => self.read(|tx| meta::rows(&tx.open_table(meta::TABLE)?)),
        }
    }

    /// An account, the root of the state where the log stands, and the proof that the account is in it.
    pub(crate) fn prove(&self, id: AccountId) -> Result<Option<(Account, Digest, RootProof)>, StoreError> {
        let recent = self.recent();
        let account = match recent.accounts.get(&id) {
            Some(account) => Some(account.clone()),
            None => self.read(|tx| accounts::get(&tx.open_table(accounts::TABLE)?, id))?,
        };
        let mut tree = self.tree();
        recent.follow(&mut tree);
        let proof = tree.prove(RootKey::Account(id));
        Ok(account.zip(proof).map(|(account, proof)| (account, tree.root(), proof)))
    }

    pub(crate) fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        // What is taken in is whole: nothing in between can panic.
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent_mut(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn tree(&self) -> MutexGuard<'_, RootTree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Close the database and open it anew, as redb asks after a failed write.
    pub(crate) fn reopen(&self) -> Result<(), OpenError> {
        let mut guard = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(guard.take());
        *guard = Some((self.opener)().map_err(|error| open_error(&self.path, error))?);
        Ok(())
    }

    /// The state as it was committed last; of settled transfers and outcomes it has those that came after the rows were
    /// written. With it, how many bytes of the log these are. Readers see it from now on.
    pub(crate) fn load(&self) -> Result<(State, usize), OpenError> {
        let Loaded { mut state, places, tree, bytes } = self.peek()?;
        let mut recent = self.recent_mut();
        *recent = Recent::default();
        recent.take_in(Rows::take(&mut state, places));
        *self.tree() = tree;
        self.is_behind.store(false, Ordering::Release);
        Ok((state, bytes))
    }

    /// The same, for nobody to see.
    pub(crate) fn peek(&self) -> Result<Loaded, OpenError> {
        loading::load(self).map_err(|error| self.damaged(error.to_string()))
    }

    /// Number and hash of the log's newest entry.
    pub(crate) fn newest(&self) -> Result<(u64, Digest), StoreError> {
        self.read(|tx| meta::head(&tx.open_table(meta::TABLE)?).map(|head| (head.seq, head.hash)))
    }

    /// The hash of entry `seq`, if it is there.
    pub(crate) fn entry_hash(&self, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.read(|tx| Ok(log::get(&tx.open_table(log::TABLE)?, seq)?.map(|(_, hash)| hash)))
    }

    /// Bring to `state` what `commands` speak of. What came since the rows were written, it has in memory.
    pub(crate) fn recall(&self, state: &mut State, commands: &[Verified]) -> Result<(), StoreError> {
        // Sorted lookups keep to one part of the table.
        let mut commands_named: Vec<_> = commands.iter().map(|command| command.body().id).collect();
        commands_named.retain(|id| state.outcome(*id).is_none());
        commands_named.sort_unstable();
        let mut transfers_named: Vec<_> = commands.iter().flat_map(Verified::transfers_named).collect();
        transfers_named.retain(|id| state.transfer(*id).is_none());
        transfers_named.sort_unstable();
        self.read(|tx| {
            outcomes::get_each(&tx.open_table(outcomes::TABLE)?, &commands_named, |id, outcome| {
                state.recall_outcome(id, outcome);
            })?;
            match transfers_named.is_empty() {
                true => Ok(()),
                false => transfers::find_each(tx, &transfers_named, |id, record| state.recall(id, record)),
            }
        })
    }

    fn database(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, StoreError> {
        // Only `reopen` writes here, and a database that is not there says `Closed`: poison has nothing to add.
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn format(&self) -> Result<u32, OpenError> {
        let path = || self.path.clone();
        let format = self.read(|tx| match tx.open_table(meta::TABLE) {
            Ok(table) => meta::format(&table),
            Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        });
        match format.map_err(|error| self.damaged(error.to_string()))? {
            Some(found @ meta::FORMAT_OLDEST..=meta::FORMAT) => Ok(found),
            Some(found) if found > meta::FORMAT => Err(OpenError::Newer { path: path(), found, known: meta::FORMAT }),
            Some(found) => Err(OpenError::Foreign { path: path(), reason: format!("format {found} was never used") }),
            None => Err(OpenError::Foreign { path: path(), reason: "a redb file of another program".into() }),
        }
    }

    /// Make all tables of the newest format from the log, in one commit.
    fn upgrade(&self) -> Result<(), OpenError> {
        tracing::info!(path = %self.path.display(), "bringing an older ledger to format {}: replaying its log", meta::FORMAT);
        let failed = |error: StoreError| match error.is_full() {
            true => OpenError::Full(self.path.clone()),
            false => self.damaged(error.to_string()),
        };
        let (mut state, places) = loading::replay_all(self).map_err(|error| self.damaged(error.to_string()))?;
        let mut rows = Recent::default();
        rows.take_in(Rows::take(&mut state, places));
        let root = RootTree::of(&state).root();
        let guard = self.database().map_err(failed)?;
        let write = |database: &Database| -> Result<(), StoreError> {
            let tx = begin_write(database)?;
            format_2::drop_tables(&tx)?;
            make_tables(&tx)?;
            rows.write(&tx)?;
            let mut meta = tx.open_table(meta::TABLE)?;
            meta::put_format(&mut meta, meta::FORMAT)?;
            meta::put_rows(&mut meta, state.head(), root)?;
            drop(meta);
            tx.commit()?;
            Ok(())
        };
        guard.as_ref().ok_or(StoreError::Closed).and_then(write).map_err(failed)
    }

    fn damaged(&self, reason: String) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), reason }
    }
}

fn begin_write(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut tx = database.begin_write()?;
    tx.set_durability(Durability::Immediate)?;
    tx.set_two_phase_commit(true);
    tx.set_quick_repair(true);
    Ok(tx)
}

/// A reader expects every table to be there.
pub(crate) fn make_tables(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(accounts::TABLE)?;
    tx.open_table(owners::TABLE)?;
    tx.open_table(keys::TABLE)?;
    tx.open_table(assets::TABLE)?;
    tx.open_table(channels::TABLE)?;
    tx.open_table(places::TABLE)?;
    tx.open_table(transfers::TABLE)?;
    tx.open_table(holds::TABLE)?;
    tx.open_table(refunds::TABLE)?;
    tx.open_table(outcomes::TABLE)?;
    Ok(())
}

fn open_error(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    if let DatabaseError::Storage(StorageError::Io(error)) = &error
        && is_full(error)
    {
        return OpenError::Full(path);
    }
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::Locked(path),
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
            OpenError::Foreign { path, reason: error.to_string() }
        }
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            OpenError::Damaged { path, reason: "it ends too early".into() }
        }
        DatabaseError::Storage(StorageError::Corrupted(reason)) => OpenError::Damaged { path, reason },
        DatabaseError::UpgradeRequired(version) => OpenError::Foreign { path, reason: format!("redb file format {version}") },
        error => OpenError::Io { path, reason: error.to_string() },
    }
}

pub(crate) fn io_error(path: &Path, error: &dyn std::fmt::Display) -> OpenError {
    OpenError::Io { path: path.to_owned(), reason: error.to_string() }
}
