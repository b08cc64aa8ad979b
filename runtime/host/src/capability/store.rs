//! `wasi:keyvalue/store`: the agent's own state on its node.

use std::sync::Arc;

use futures::future::BoxFuture;
use wasmtime::component::Resource;

use super::{
    Absent,
    bindings::wasi::keyvalue::store::{Error, Host, HostBucket, KeyResponse},
    bucket::Bucket,
    ready,
};
use crate::{limits::STORE_KEY_BYTES_MAX, state::State};

/// Why the store gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The agent may not do this.
    #[error("access denied")]
    AccessDenied,
    /// Anything else, in words that the guest may see; for example that the store is full.
    #[error("{0}")]
    Other(String),
}

/// A page of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Keys in their order.
    pub keys: Vec<String>,
    /// Where the next page starts; none after the last.
    pub cursor: Option<String>,
}

/// The state of one agent. Keys are at most 512 bytes; a value is bounded by what one crossing may carry.
pub trait AgentStore: Send + Sync {
    /// The value of a key; none where there is none.
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>>;
    /// Sets the value of a key.
    fn set(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Removes a key; removing none is no error.
    fn delete(&self, key: String) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Is there such a key?
    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// A page of keys from `cursor`, or from the start.
    fn list_keys(&self, cursor: Option<String>) -> BoxFuture<'_, Result<Keys, StoreError>>;
}

/// A store that can be read and not written.
pub(crate) struct ReadOnly(pub(crate) Arc<dyn AgentStore>);

const READ_ONLY: &str = "a price is named without leaving a trace: the store can be read here, and not written";

impl AgentStore for ReadOnly {
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.0.get(key)
    }
    fn set(&self, _: String, _: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Err(StoreError::Other(READ_ONLY.into())))
    }
    fn delete(&self, _: String) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Err(StoreError::Other(READ_ONLY.into())))
    }
    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.0.exists(key)
    }
    fn list_keys(&self, cursor: Option<String>) -> BoxFuture<'_, Result<Keys, StoreError>> {
        self.0.list_keys(cursor)
    }
}

const ABSENT: &str = "no store on this node";

impl AgentStore for Absent {
    fn get(&self, _: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        ready(Err(StoreError::Other(ABSENT.into())))
    }
    fn set(&self, _: String, _: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Err(StoreError::Other(ABSENT.into())))
    }
    fn delete(&self, _: String) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Err(StoreError::Other(ABSENT.into())))
    }
    fn exists(&self, _: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(Err(StoreError::Other(ABSENT.into())))
    }
    fn list_keys(&self, _: Option<String>) -> BoxFuture<'_, Result<Keys, StoreError>> {
        ready(Err(StoreError::Other(ABSENT.into())))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccessDenied => Error::AccessDenied,
            StoreError::Other(text) => Error::Other(text),
        }
    }
}

fn key_fits(key: &str) -> Result<(), Error> {
    if key.len() <= STORE_KEY_BYTES_MAX {
        return Ok(());
    }
    Err(Error::Other(format!("a key of {} bytes; at most {STORE_KEY_BYTES_MAX}", key.len())))
}

impl Host for State {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Error> {
        if !matches!(identifier.as_str(), "" | "default") {
            return Err(Error::NoSuchStore);
        }
        self.table.push(Bucket).map_err(|_| Error::Other("too many buckets are open; drop some".into()))
    }
}

impl HostBucket for State {
    async fn get(&mut self, _: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, Error> {
        key_fits(&key)?;
        Ok(self.capabilities.store.get(key).await?)
    }

    async fn set(&mut self, _: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), Error> {
        key_fits(&key)?;
        Ok(self.capabilities.store.set(key, value).await?)
    }

    async fn delete(&mut self, _: Resource<Bucket>, key: String) -> Result<(), Error> {
        key_fits(&key)?;
        Ok(self.capabilities.store.delete(key).await?)
    }

    async fn exists(&mut self, _: Resource<Bucket>, key: String) -> Result<bool, Error> {
        key_fits(&key)?;
        Ok(self.capabilities.store.exists(key).await?)
    }

    async fn list_keys(&mut self, _: Resource<Bucket>, cursor: Option<String>) -> Result<KeyResponse, Error> {
        let Keys { keys, cursor } = self.capabilities.store.list_keys(cursor).await?;
        Ok(KeyResponse { keys, cursor })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}
