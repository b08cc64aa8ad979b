//! The redb file: opening it with clear errors, loading the state, writing a group's rows, closing it after a failure.

use std::path::{Path, PathBuf};
use std::sync::{RwLock, RwLockReadGuard};

use hansa_economy::Digest;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Account, Appended, Head, Id128, State, Verified};
use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageError, TableError, WriteTransaction,
};

use crate::error::OpenError;
use crate::rows::GroupRows;
use crate::table::{accounts, assets, channels, format_1, holds, log, meta, outcomes, owners, sheaf, transfers};
use crate::view::Opened;

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
    /// It was closed after a failure and did not open again.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Is it for want of room: a full disk, a quota, or a limit on the size of files?
    pub(crate) fn is_full(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, StoreError::Redb(error)
            if matches!(&**error, redb::Error::Io(error) if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)))
    }
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
    database: RwLock<Option<Opened>>,
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
        let store = Store { path, opener, database: RwLock::new(Some(Opened::new(database))) };
        store.check_format()?;
        Ok(store)
    }

    /// Make a file with nothing but the format and the first entry in it, in the place where `path` says.
    pub(crate) fn create(path: &Path, state: &mut State, genesis: &Appended) -> Result<(), OpenError> {
        let database = Builder::new().create(path).map_err(|error| open_error(path, error))?;
        Store::found(&database, state, genesis).map_err(|error| io_error(path, &error))
    }

    pub(crate) fn found(database: &Database, state: &mut State, genesis: &Appended) -> Result<(), StoreError> {
        let changes = state.take_changes();
        let tx = begin_write(database)?;
        meta::put_format(&mut tx.open_table(meta::TABLE)?, meta::FORMAT)?;
        // Readers find every table from the first commit on.
        for table in [accounts::TABLE, accounts::BALANCES, transfers::TABLE, outcomes::TABLE] {
            tx.open_table(table)?;
        }
        tx.open_table(owners::TABLE)?;
        tx.open_table(assets::TABLE)?;
        tx.open_table(channels::TABLE)?;
        tx.open_table(holds::TABLE)?;
        write_rows(&tx, &GroupRows::of(state, &changes), std::slice::from_ref(genesis))?;
        tx.commit()?;
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// See the newest committed rows.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let guard = self.database()?;
        let opened = guard.as_ref().ok_or(StoreError::Closed)?;
        read(&opened.database.begin_read()?)
    }

    /// An account, as the newest commit left it.
    pub(crate) fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let guard = self.database()?;
        guard.as_ref().ok_or(StoreError::Closed)?.accounts()?.get(id)
    }

    /// Write what a group changed and its entries, durably.
    pub(crate) fn write(&self, rows: &GroupRows, entries: &[Appended]) -> Result<(), StoreError> {
        let guard = self.database()?;
        let opened = guard.as_ref().ok_or(StoreError::Closed)?;
        let tx = begin_write(&opened.database)?;
        write_rows(&tx, rows, entries)?;
        tx.commit()?;
        opened.renew();
        Ok(())
    }

    /// Close the database and open it anew, as redb asks after a failed write.
    pub(crate) fn reopen(&self) -> Result<(), StoreError> {
        let mut guard = self.database.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(guard.take());
        *guard = Some(Opened::new((self.opener)()?));
        Ok(())
    }

    /// Where the log stands.
    pub(crate) fn head(&self) -> Result<Head, StoreError> {
        self.read(|tx| meta::head(&tx.open_table(meta::TABLE)?))
    }

    /// The state as it was committed last: everything but settled transfers and outcomes.
    pub(crate) fn load(&self) -> Result<State, OpenError> {
        let state = self.read(load_state).map_err(|error| self.damaged(error.to_string()))?;
        let newest = self.entry_hash(state.head().seq).map_err(|error| self.damaged(error.to_string()))?;
        let next = self.entry_hash(state.head().seq + 1).map_err(|error| self.damaged(error.to_string()))?;
        match newest == Some(state.head().hash) && next.is_none() {
            true => Ok(state),
            false => Err(self.damaged(format!("log and state do not meet at entry {}", state.head().seq))),
        }
    }

    /// The hash of entry `seq`, if it is there.
    pub(crate) fn entry_hash(&self, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.read(|tx| Ok(log::get(&tx.open_table(log::TABLE)?, seq)?.map(|(_, hash)| hash)))
    }

    /// Bring to `state` what `commands` speak of.
    pub(crate) fn recall(&self, state: &mut State, commands: &[Verified]) -> Result<(), StoreError> {
        let named = |ids: Vec<Id128>| {
            // Sorted lookups keep to one part of the tree.
            let mut ids: Vec<u128> = ids.into_iter().map(|id| id.0).collect();
            ids.sort_unstable();
            ids
        };
        let outcomes_named = named(commands.iter().map(|command| command.body().id).collect());
        let transfers_named = named(commands.iter().flat_map(Verified::transfers_named).collect());
        self.read(|tx| {
            sheaf::get_each(&tx.open_table(outcomes::TABLE)?, outcomes::TAG, outcomes_named, |id, row| {
                state.recall_outcome(Id128(id), outcomes::open(row)?);
                Ok(())
            })?;
            sheaf::get_each(&tx.open_table(transfers::TABLE)?, transfers::TAG, transfers_named, |id, row| {
                state.recall(Id128(id), transfers::open(row)?);
                Ok(())
            })
        })
    }

    fn database(&self) -> Result<RwLockReadGuard<'_, Option<Opened>>, StoreError> {
        // Only `reopen` writes here, and a database that is not there says `Closed`: poison has nothing to add.
        Ok(self.database.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let path = || self.path.clone();
        let format = self.read(|tx| match tx.open_table(meta::TABLE) {
            Ok(table) => meta::format(&table),
            Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        });
        match format.map_err(|error| self.damaged(error.to_string()))? {
            Some(meta::FORMAT) => Ok(()),
            Some(1) => self.upgrade().map_err(|error| io_error(&self.path, &error)),
            Some(found) if found > meta::FORMAT => Err(OpenError::Newer { path: path(), found, known: meta::FORMAT }),
            Some(found) => Err(OpenError::Foreign { path: path(), reason: format!("format {found} was never used") }),
            None => Err(OpenError::Foreign { path: path(), reason: "a redb file of another program".into() }),
        }
    }

    /// Bring format 1 to the newest, in one commit: whole or not at all.
    fn upgrade(&self) -> Result<(), StoreError> {
        let guard = self.database()?;
        let tx = begin_write(&guard.as_ref().ok_or(StoreError::Closed)?.database)?;
        format_1::upgrade(&tx)?;
        Ok(tx.commit()?)
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

fn write_rows(tx: &WriteTransaction, rows: &GroupRows, entries: &[Appended]) -> Result<(), StoreError> {
    let mut log = tx.open_table(log::TABLE)?;
    for appended in entries {
        log::append(&mut log, appended.entry.seq, &appended.bytes)?;
    }
    rows.write(tx)
}

fn load_state(tx: &ReadTransaction) -> Result<State, StoreError> {
    let head: Head = meta::head(&tx.open_table(meta::TABLE)?)?;
    let mut state = State::new(head);
    for account in accounts::all(&tx.open_table(accounts::TABLE)?, &tx.open_table(accounts::BALANCES)?)? {
        state.restore_account(account?);
    }
    for asset in assets::all(&tx.open_table(assets::TABLE)?)? {
        state.restore_asset(asset?);
    }
    for channel in channels::all(&tx.open_table(channels::TABLE)?)? {
        state.restore_channel(channel?);
    }
    let transfers = tx.open_table(transfers::TABLE)?;
    for id in holds::all(&tx.open_table(holds::TABLE)?)? {
        let record = transfers::get(&transfers, id)?;
        let record = record.ok_or_else(|| StoreError::Row { table: holds::TAG, reason: format!("hold {id} is no transfer") })?;
        state.recall(id, record);
    }
    Ok(state)
}

fn open_error(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
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
