//! An agent's state in memory, for cases.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use hansa_host::store::{AgentStore, Keys, StoreError};

/// The state. Clones share it.
#[derive(Clone, Default)]
pub(super) struct MemoryStore {
    bytes_max: u64,
    values: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl MemoryStore {
    /// An empty store for at most so many bytes of keys and values.
    pub(super) fn new(bytes_max: u64) -> MemoryStore {
        MemoryStore { bytes_max, values: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        let mut values = self.lock();
        let others: usize = values.iter().filter(|(known, _)| **known != key).map(|(key, value)| key.len() + value.len()).sum();
        if (others + key.len() + value.len()) as u64 > self.bytes_max {
            return Err(StoreError::Other(format!("the store is full: {} bytes are granted", self.bytes_max)));
        }
        values.insert(key, value);
        Ok(())
    }
}

fn now<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    ready(value).boxed()
}

impl AgentStore for MemoryStore {
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        now(Ok(self.lock().get(&key).cloned()))
    }

    fn set(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        now(self.put(key, value))
    }

    fn delete(&self, key: String) -> BoxFuture<'_, Result<(), StoreError>> {
        self.lock().remove(&key);
        now(Ok(()))
    }

    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        now(Ok(self.lock().contains_key(&key)))
    }

    fn list_keys(&self, cursor: Option<String>) -> BoxFuture<'_, Result<Keys, StoreError>> {
        let after = |key: &&String| cursor.as_ref().is_none_or(|cursor| *key > cursor);
        let keys = self.lock().keys().filter(after).cloned().collect();
        now(Ok(Keys { keys, cursor: None }))
    }
}
