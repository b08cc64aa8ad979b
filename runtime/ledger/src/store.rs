//! The redb file: opening it with clear errors, loading the state, writing a group's rows, closing it after a failure.

use std::path::{Path, PathBuf};
use std::sync::{RwLock, RwLockReadGuard};

use hansa_economy::Digest;
use hansa_economy::ledger::{Appended, Changes, Head, RootTree, State, Verified};
use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageError, TableError, WriteTransaction,
};

use crate::error::OpenError;
use crate::table::{accounts, assets, channels, holds, keys, log, meta, open_later, outcomes, owners, refunds, transfers};

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
        let store = Store { path, opener, database: RwLock::new(Some(database)) };
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
        tx.open_table(assets::TABLE)?;
        tx.open_table(channels::TABLE)?;
        write_rows(&tx, state, &changes, std::slice::from_ref(genesis), RootTree::of(state).root())?;
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

    /// Write what a group changed, its entries and the new state root, durably.
    pub(crate) fn write(&self, state: &State, changes: &Changes, entries: &[Appended], root: Digest) -> Result<(), StoreError> {
        let guard = self.database()?;
        let tx = begin_write(guard.as_ref().ok_or(StoreError::Closed)?)?;
        write_rows(&tx, state, changes, entries, root)?;
        tx.commit()?;
        Ok(())
    }

    /// Close the database and open it anew, as redb asks after a failed write.
    pub(crate) fn reopen(&self) -> Result<(), OpenError> {
        let mut guard = self.database.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(guard.take());
        *guard = Some((self.opener)().map_err(|error| open_error(&self.path, error))?);
        Ok(())
    }

    /// The state as it was committed last (everything but settled transfers and outcomes) and the tree over it, whose root was
    /// compared with the stored one.
    pub(crate) fn load(&self) -> Result<(State, RootTree), OpenError> {
        let (state, stored) = self.read(load_state).map_err(|error| self.damaged(error.to_string()))?;
        let newest = self.entry_hash(state.head().seq).map_err(|error| self.damaged(error.to_string()))?;
        let next = self.entry_hash(state.head().seq + 1).map_err(|error| self.damaged(error.to_string()))?;
        match newest == Some(state.head().hash) && next.is_none() {
            true => {}
            false => return Err(self.damaged(format!("log and state do not meet at entry {}", state.head().seq))),
        }
        let mut tree = RootTree::of(&state);
        let root = tree.root();
        match stored.filter(|stored| *stored != root) {
            Some(stored) => Err(self.damaged(format!("its rows have state root {root}, the last commit wrote {stored}"))),
            None => Ok((state, tree)),
        }
    }

    /// The hash of entry `seq`, if it is there.
    pub(crate) fn entry_hash(&self, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.read(|tx| Ok(log::get(&tx.open_table(log::TABLE)?, seq)?.map(|(_, hash)| hash)))
    }

    /// Bring to `state` what `commands` speak of.
    pub(crate) fn recall(&self, state: &mut State, commands: &[Verified]) -> Result<Recalled, StoreError> {
        let mut recalled = Recalled::naming(commands);
        self.read(|tx| {
            let (transfers, outcomes) = (tx.open_table(transfers::TABLE)?, tx.open_table(outcomes::TABLE)?);
            for id in &recalled.outcomes {
                if let Some(outcome) = outcomes::get(&outcomes, *id)? {
                    state.recall_outcome(*id, outcome);
                }
            }
            recalled.transfers.retain(|id| state.transfer(*id).is_none());
            for id in &recalled.transfers {
                if let Some(record) = transfers::get(&transfers, *id)? {
                    state.recall(*id, record);
                }
            }
            Ok(())
        })?;
        Ok(recalled)
    }

    fn database(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, StoreError> {
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
            Some(meta::FORMAT_OLDEST..=meta::FORMAT) => Ok(()),
            Some(found) if found > meta::FORMAT => Err(OpenError::Newer { path: path(), found, known: meta::FORMAT }),
            Some(found) => Err(OpenError::Foreign { path: path(), reason: format!("format {found} was never used") }),
            None => Err(OpenError::Foreign { path: path(), reason: "a redb file of another program".into() }),
        }
    }

    fn damaged(&self, reason: String) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), reason }
    }
}

/// Ids of the rows that were brought to memory for a group, sorted.
pub(crate) struct Recalled {
    pub(crate) transfers: Vec<hansa_economy::ledger::TransferId>,
    pub(crate) outcomes: Vec<hansa_economy::ledger::CommandId>,
}

impl Recalled {
    fn naming(commands: &[Verified]) -> Recalled {
        // Sorted lookups keep to one part of the tree.
        let mut outcomes: Vec<_> = commands.iter().map(|command| command.body().id).collect();
        let mut transfers: Vec<_> = commands.iter().flat_map(Verified::transfers_named).collect();
        outcomes.sort_unstable();
        outcomes.dedup();
        transfers.sort_unstable();
        transfers.dedup();
        Recalled { transfers, outcomes }
    }
}

fn begin_write(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut tx = database.begin_write()?;
    tx.set_durability(Durability::Immediate)?;
    tx.set_two_phase_commit(true);
    tx.set_quick_repair(true);
    Ok(tx)
}

fn write_rows(
    tx: &WriteTransaction,
    state: &State,
    changes: &Changes,
    entries: &[Appended],
    root: Digest,
) -> Result<(), StoreError> {
    let mut log = tx.open_table(log::TABLE)?;
    for appended in entries {
        log::append(&mut log, appended.entry.seq, &appended.bytes)?;
    }
    let (mut accounts, mut owners) = (tx.open_table(accounts::TABLE)?, tx.open_table(owners::TABLE)?);
    for (owner, account) in &changes.owners_before {
        owners::remove(&mut owners, *owner, *account)?;
    }
    for account in changes.accounts.iter().filter_map(|id| state.account(*id)) {
        accounts::put(&mut accounts, account)?;
        owners::put(&mut owners, account.owner, account.id)?;
    }
    let mut keys = tx.open_table(keys::TABLE)?;
    for key in changes.keys.iter().filter_map(|id| state.key(*id)) {
        keys::put(&mut keys, key)?;
    }
    let mut assets = tx.open_table(assets::TABLE)?;
    for asset in changes.assets.iter().filter_map(|id| state.asset(*id)) {
        assets::put(&mut assets, asset)?;
    }
    let mut channels = tx.open_table(channels::TABLE)?;
    for channel in changes.channels.iter().filter_map(|id| state.channel(*id)) {
        channels::put(&mut channels, channel)?;
    }
    let (mut transfers, mut holds) = (tx.open_table(transfers::TABLE)?, tx.open_table(holds::TABLE)?);
    for (id, record) in changes.transfers.iter().filter_map(|id| Some((*id, state.transfer(*id)?))) {
        transfers::put(&mut transfers, id, record)?;
        holds::follow(&mut holds, id, record)?;
    }
    let mut refunds = tx.open_table(refunds::TABLE)?;
    for row in changes.refunded.iter().filter_map(|target| state.refunded(*target)) {
        refunds::put(&mut refunds, row)?;
    }
    let mut outcomes = tx.open_table(outcomes::TABLE)?;
    for (id, outcome) in changes.outcomes.iter().filter_map(|id| Some((*id, state.outcome(*id)?))) {
        outcomes::put(&mut outcomes, id, outcome)?;
    }
    let mut meta = tx.open_table(meta::TABLE)?;
    // A file of an older format has all tables of this one now.
    meta::put_format(&mut meta, meta::FORMAT)?;
    meta::put_root(&mut meta, root)?;
    meta::put_head(&mut meta, state.head())
}

pub(crate) fn load_state(tx: &ReadTransaction) -> Result<(State, Option<Digest>), StoreError> {
    let meta = tx.open_table(meta::TABLE)?;
    let head: Head = meta::head(&meta)?;
    let mut state = State::new(head);
    for account in accounts::all(&tx.open_table(accounts::TABLE)?)? {
        state.restore_account(account?);
    }
    if let Some(table) = open_later(tx, keys::TABLE)? {
        for key in keys::all(&table)? {
            state.restore_key(key?);
        }
    }
    for asset in assets::all(&tx.open_table(assets::TABLE)?)? {
        state.restore_asset(asset?);
    }
    for channel in channels::all(&tx.open_table(channels::TABLE)?)? {
        state.restore_channel(channel?);
    }
    if let Some(table) = open_later(tx, refunds::TABLE)? {
        for row in refunds::all(&table)? {
            state.restore_refunded(row?);
        }
    }
    let transfers = tx.open_table(transfers::TABLE)?;
    for id in holds::all(&tx.open_table(holds::TABLE)?)? {
        let record = transfers::get(&transfers, id)?;
        let record = record.ok_or_else(|| StoreError::Row { table: holds::TAG, reason: format!("hold {id} is no transfer") })?;
        state.recall(id, record);
    }
    Ok((state, meta::root(&meta)?))
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
