//! An object store on JetStream (NATS ADR-20): bytes too long for one message, readable by the stock clients (`nats object`).

use std::io::ErrorKind;
use std::sync::Arc;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::object_store::{Config, GetErrorKind, ObjectStore};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::bucket::BucketError;
use crate::connection::Bus;
use crate::limits::{BUCKET_TIMEOUT, OBJECT_TIMEOUT};
use crate::name::{check_key, check_name};

/// An open object store. Clones share it.
#[derive(Debug, Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bus: Bus,
    name: String,
}

impl Bus {
    /// The object store `name` (characters `A-Z a-z 0-9 _ -`), kept in files by the server. It is made when something is first put in.
    ///
    /// # Errors
    /// The name is not valid.
    pub fn objects(&self, name: &str) -> Result<Objects, BucketError> {
        check_name("object store name", name)?;
        Ok(Objects { inner: Arc::new(Inner { bus: self.clone(), name: name.to_owned() }) })
    }
}

impl Objects {
    /// Stores `bytes` under `key`. Whoever reads meanwhile has all or nothing.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BucketError> {
        check_key(key)?;
        let store = self.store(true).await?;
        let mut reader = bytes;
        let put = timeout(OBJECT_TIMEOUT, store.put(key, &mut reader)).await;
        put.map_err(|_| self.late())?.map(drop).map_err(|error| self.other(&error))
    }

    /// Sees to it that exactly `bytes` lie under `key`. What is there is read and compared; anything else, and what cannot be
    /// read, is replaced. Returns whether something was put.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn keep(&self, key: &str, bytes: &[u8]) -> Result<bool, BucketError> {
        if matches!(self.get(key, bytes.len()).await, Ok(Some(found)) if found == bytes) {
            return Ok(false);
        }
        self.put(key, bytes).await.map(|()| true)
    }

    /// What was stored under `key`, where it has at most `bytes_max` bytes; none where there is nothing.
    ///
    /// # Errors
    /// See [`BucketError`]; [`BucketError::TooLarge`] for more bytes, [`BucketError::Damaged`] for others than the store itself
    /// has noted.
    pub async fn get(&self, key: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, BucketError> {
        check_key(key)?;
        let Ok(store) = self.store(false).await else { return Ok(None) };
        match timeout(OBJECT_TIMEOUT, self.read(&store, key, bytes_max)).await {
            Ok(read) => read,
            Err(_) => Err(self.late()),
        }
    }

    async fn read(&self, store: &ObjectStore, key: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, BucketError> {
        let mut object = match store.get(key).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.other(&error)),
        };
        if object.info.size > bytes_max {
            return Err(BucketError::TooLarge { size: object.info.size, max: bytes_max });
        }
        let mut bytes = Vec::with_capacity(object.info.size);
        // What the store says of its length is not believed: it may send more.
        let reader = (&mut object).take(bytes_max as u64 + 1);
        Box::pin(reader).read_to_end(&mut bytes).await.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => BucketError::Damaged { bucket: self.inner.name.clone(), key: key.to_owned() },
            _ => self.other(&error),
        })?;
        match bytes.len() {
            size if size > bytes_max => Err(BucketError::TooLarge { size, max: bytes_max }),
            _ => Ok(Some(bytes)),
        }
    }

    async fn store(&self, may_make: bool) -> Result<ObjectStore, BucketError> {
        let context = ContextBuilder::new().timeout(BUCKET_TIMEOUT).build(self.inner.bus.client().clone());
        let open = async {
            match context.get_object_store(&self.inner.name).await {
                Ok(store) => Ok(store),
                Err(error) if !may_make => Err(self.other(&error)),
                Err(_) => {
                    let config = Config { bucket: self.inner.name.clone(), num_replicas: 1, max_bytes: -1, ..Config::default() };
                    context.create_object_store(config).await.map_err(|error| self.other(&error))
                }
            }
        };
        timeout(BUCKET_TIMEOUT * 2, open).await.unwrap_or_else(|_| Err(self.late()))
    }

    fn late(&self) -> BucketError {
        BucketError::Timeout { bucket: self.inner.name.clone() }
    }

    fn other(&self, error: &dyn std::fmt::Display) -> BucketError {
        BucketError::Other { bucket: self.inner.name.clone(), reason: error.to_string() }
    }
}
