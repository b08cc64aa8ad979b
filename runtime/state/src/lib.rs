//! Agents' own state: key-value pairs in redb, one file per agent, bounded in bytes. Calls block; run them off the
//! async threads.
//!
//! FORMAT, version 1: table `pairs` (key → value), table `meta` (`version`, `bytes`: the sum of all keys and values).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::sleep;
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

const VERSION: u64 = 1;
const PAIRS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("pairs");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Keys on one page of [`AgentState::keys`].
pub const KEYS_PER_PAGE: usize = 1000;

/// How often, and how far apart, a file is tried again that another holder is just letting go of.
const TRIES: u32 = 40;
const TRY_AGAIN: Duration = Duration::from_millis(25);

/// The state files that are open in this process: an agent's next version goes on with the file of the one before, which may
/// still be ending its last calls. Cheap to clone.
#[derive(Clone, Default)]
pub struct OpenStates {
    databases: Arc<Mutex<HashMap<PathBuf, Weak<Database>>>>,
}

impl OpenStates {
    /// The file at `path`, open already or opened or made now; keys and values together may take `bytes_max`. Blocks.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn open(&self, path: &Path, bytes_max: u64) -> Result<AgentState, StateError> {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = databases.get(path).and_then(Weak::upgrade) {
            return Ok(AgentState { database, bytes_max });
        }
        let mut tries = 1;
        let state = loop {
            match AgentState::open(path, bytes_max) {
                Err(StateError::Store(redb::Error::DatabaseAlreadyOpen)) if tries < TRIES => sleep(TRY_AGAIN),
                opened => break opened?,
            }
            tries += 1;
        };
        databases.retain(|_, database| database.strong_count() > 0);
        databases.insert(path.to_owned(), Arc::downgrade(&state.database));
        Ok(state)
    }
}

/// The state of one agent. Cheap to clone.
#[derive(Clone)]
pub struct AgentState {
    database: Arc<Database>,
    bytes_max: u64,
}

/// Why state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The pair would exceed what the operator granted.
    #[error(
        "the store is full: {used} of {bytes_max} bytes are used, this needs {needed} more; delete something, or ask for more with `[capabilities] keyvalue.bytes-max`"
    )]
    Full {
        /// Bytes used.
        used: u64,
        /// Bytes granted.
        bytes_max: u64,
        /// Bytes asked for.
        needed: u64,
    },
    /// Written by a later version of Hansa.
    #[error("the state file has format version {0}, this program knows up to {VERSION}; use the newer program")]
    Newer(u64),
    /// The store's word.
    #[error("the state file cannot be read or written: {0}")]
    Store(#[from] redb::Error),
}

macro_rules! store_errors {
    ($($kind:ty),*) => {$(
        impl From<$kind> for StateError {
            fn from(error: $kind) -> StateError {
                StateError::Store(error.into())
            }
        }
    )*};
}
store_errors!(redb::DatabaseError, redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

impl AgentState {
    /// Open or make the file at `path`; keys and values together may take `bytes_max`.
    pub fn open(path: &Path, bytes_max: u64) -> Result<AgentState, StateError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        {
            let mut meta = write.open_table(META)?;
            let version = meta.get("version")?.map_or(VERSION, |version| version.value());
            if version > VERSION {
                return Err(StateError::Newer(version));
            }
            meta.insert("version", version)?;
            write.open_table(PAIRS)?;
        }
        write.commit()?;
        Ok(AgentState { database: Arc::new(database), bytes_max })
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        let pairs = self.database.begin_read()?.open_table(PAIRS)?;
        Ok(pairs.get(key)?.map(|value| value.value().to_vec()))
    }

    /// Is there such a key?
    pub fn exists(&self, key: &str) -> Result<bool, StateError> {
        Ok(self.database.begin_read()?.open_table(PAIRS)?.get(key)?.is_some())
    }

    /// Set `key`; durable when this returns.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), StateError> {
        let write = self.database.begin_write()?;
        {
            let mut pairs = write.open_table(PAIRS)?;
            let before = pairs.insert(key, value)?.map_or(0, |old| size(key, old.value()));
            let mut meta = write.open_table(META)?;
            let used = meta.get("bytes")?.map_or(0, |used| used.value());
            let after = used - before + size(key, value);
            if after > self.bytes_max && after > used {
                return Err(StateError::Full { used, bytes_max: self.bytes_max, needed: after - used });
            }
            meta.insert("bytes", after)?;
        }
        Ok(write.commit()?)
    }

    /// Remove `key`; nothing happens where there is none.
    pub fn delete(&self, key: &str) -> Result<(), StateError> {
        let write = self.database.begin_write()?;
        {
            let mut pairs = write.open_table(PAIRS)?;
            let freed = pairs.remove(key)?.map_or(0, |old| size(key, old.value()));
            let mut meta = write.open_table(META)?;
            let used = meta.get("bytes")?.map_or(0, |used| used.value());
            meta.insert("bytes", used - freed)?;
        }
        Ok(write.commit()?)
    }

    /// Up to [`KEYS_PER_PAGE`] keys after `cursor` in their order, and where the next page starts.
    pub fn keys(&self, cursor: Option<&str>) -> Result<(Vec<String>, Option<String>), StateError> {
        let pairs = self.database.begin_read()?.open_table(PAIRS)?;
        let mut keys = Vec::new();
        for pair in pairs.range(cursor.unwrap_or("")..)? {
            let key = pair?.0.value().to_owned();
            if cursor.is_none_or(|cursor| key.as_str() > cursor) {
                keys.push(key);
            }
            if keys.len() == KEYS_PER_PAGE {
                break;
            }
        }
        let next = (keys.len() == KEYS_PER_PAGE).then(|| keys[KEYS_PER_PAGE - 1].clone());
        Ok((keys, next))
    }
}

fn size(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_kept_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let state = AgentState::open(&folder.path().join("state.redb"), 20).unwrap();
        state.set("a", b"0123456789").unwrap();
        assert_eq!(state.get("a").unwrap().as_deref(), Some(&b"0123456789"[..]));
        assert!(matches!(state.set("b", b"0123456789"), Err(StateError::Full { used: 11, .. })));
        state.set("a", b"0").unwrap();
        state.set("b", b"0123456789").unwrap();
        state.delete("b").unwrap();
        state.delete("b").unwrap();
        assert_eq!(state.keys(None).unwrap(), (vec!["a".to_owned()], None));
        assert!(!state.exists("b").unwrap());
    }

    #[test]
    fn keys_come_in_pages() {
        let folder = tempfile::tempdir().unwrap();
        let state = AgentState::open(&folder.path().join("state.redb"), 1 << 20).unwrap();
        for n in 0..KEYS_PER_PAGE + 5 {
            state.set(&format!("{n:06}"), b"").unwrap();
        }
        let (first, cursor) = state.keys(None).unwrap();
        let (rest, end) = state.keys(cursor.as_deref()).unwrap();
        assert_eq!((first.len(), rest.len(), end), (KEYS_PER_PAGE, 5, None));
    }
}
