//! Key-value buckets on JetStream (NATS ADR-8), readable by the stock clients (`nats kv`).

mod open;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::kv::{Operation, Store};
use bytes::Bytes;
use futures::TryStreamExt;
use tokio::sync::Mutex;

use crate::connection::Bus;
use crate::limits::BUCKET_TIMEOUT;
use crate::name::{BadName, check_key};

pub use watch::{BucketEvent, BucketWatch};

/// A bucket to open, or to create where it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketOptions {
    /// Characters `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// Entries expire at this age, at least a second; `None` keeps them. Watches report an expiry as a deletion.
    pub max_age: Option<Duration>,
    /// Revisions kept of each key, 1 to 64.
    pub history: u8,
    /// Where the bucket lives.
    pub storage: BucketStorage,
}

/// Where a bucket lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketStorage {
    /// On disk: outlives the server.
    File,
    /// In the server's memory: gone when the server restarts. The bucket itself is made again, empty, by the next use.
    Memory,
}

/// Why an operation on a bucket failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BucketError {
    /// A name or key is not valid.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// A number is out of its bounds.
    #[error("{what} of bucket `{bucket}` is out of bounds: choose {rule}")]
    OutOfBounds {
        /// What the number means.
        what: &'static str,
        /// The bucket.
        bucket: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// The bucket exists, but elsewhere than asked for; that cannot be changed.
    #[error(
        "bucket `{bucket}` exists with another storage than {wanted:?}: ask for that, or delete it with `nats kv del {bucket}`"
    )]
    OtherStorage {
        /// The bucket.
        bucket: String,
        /// The storage asked for.
        wanted: BucketStorage,
    },
    /// The server has no JetStream, or this account may not use it.
    #[error("no JetStream at `{url}`: use a server started by `hansa up`, or start yours with `nats-server -js`")]
    NoJetStream {
        /// The server.
        url: String,
    },
    /// The value exceeds what the server accepts.
    #[error("value of `{size}` bytes exceeds the server's {max}: store less, or raise the server's `max_payload`")]
    TooLarge {
        /// Bytes of the value.
        size: usize,
        /// Bytes that the server accepts.
        max: usize,
    },
    /// What lies in an object store is not what its own notes say.
    #[error("what bucket `{bucket}` holds as `{key}` is damaged: store it again")]
    Damaged {
        /// The object store.
        bucket: String,
        /// What was asked for.
        key: String,
    },
    /// No answer in time. What was to be written may have been.
    #[error("no answer about bucket `{bucket}` in time: try again")]
    Timeout {
        /// The bucket.
        bucket: String,
    },
    /// Anything else. What was to be written may have been.
    #[error("bucket `{bucket}` cannot be used ({reason}): read the server's log")]
    Other {
        /// The bucket.
        bucket: String,
        /// What went wrong.
        reason: String,
    },
}

/// The present value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// Rises with each change of the bucket.
    pub revision: u64,
}

/// An open bucket. Clones share it.
#[derive(Debug, Clone)]
pub struct Bucket {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bus: Bus,
    options: BucketOptions,
    store: Mutex<Store>,
    /// Losses of the connection when the bucket was last seen: after another one it may have to be made again.
    seen_at: AtomicU64,
}

impl Bus {
    /// Opens a bucket; creates it where it is missing. Age and history of an existing one are set to those asked for.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn bucket(&self, options: BucketOptions) -> Result<Bucket, BucketError> {
        open::check(&options)?;
        let losses = self.link().borrow().losses;
        let store = open::open(self, &options).await?;
        let inner = Inner { bus: self.clone(), options, store: Mutex::new(store), seen_at: AtomicU64::new(losses) };
        Ok(Bucket { inner: Arc::new(inner) })
    }
}

impl Bucket {
    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.options.name
    }

    /// Sets a key; returns the revision. Once it returns, the server has the value, though not yet safe from a power
    /// cut.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn put(&self, key: &str, value: Bytes) -> Result<u64, BucketError> {
        check_key(key)?;
        let (size, max) = (value.len(), self.inner.bus.max_payload());
        if size > max {
            return Err(BucketError::TooLarge { size, max });
        }
        let store = self.store().await?;
        self.in_time(store.put(key, value)).await
    }

    /// The present value of a key. On a cluster, a replica may answer that has not yet heard of the newest change.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, BucketError> {
        check_key(key)?;
        let store = self.store().await?;
        let entry = self.in_time(store.entry(key)).await?;
        let present = entry.filter(|entry| entry.operation == Operation::Put);
        Ok(present.map(|entry| Entry { value: entry.value, revision: entry.revision }))
    }

    /// Deletes a key; does nothing where it is missing.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        check_key(key)?;
        let store = self.store().await?;
        self.in_time(store.delete(key)).await
    }

    /// All keys that have a value, sorted.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn keys(&self) -> Result<Vec<String>, BucketError> {
        let store = self.store().await?;
        let keys = self.in_time(store.keys()).await?;
        let mut keys: Vec<String> = self.in_time(keys.try_collect()).await?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// Follows the whole bucket. See [`BucketWatch`].
    #[must_use]
    pub fn watch_all(&self) -> BucketWatch {
        BucketWatch::start(self.clone())
    }

    /// The open store; made again where the server may have lost it with the connection.
    async fn store(&self) -> Result<Store, BucketError> {
        let losses = self.inner.bus.link().borrow().losses;
        let mut store = self.inner.store.lock().await;
        if self.inner.seen_at.load(Ordering::Acquire) != losses {
            *store = open::open(&self.inner.bus, &self.inner.options).await?;
            self.inner.seen_at.store(losses, Ordering::Release);
        }
        Ok(store.clone())
    }

    async fn in_time<T, E: std::fmt::Display>(&self, operation: impl Future<Output = Result<T, E>>) -> Result<T, BucketError> {
        let bucket = self.name();
        match tokio::time::timeout(BUCKET_TIMEOUT, operation).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(BucketError::Other { bucket: bucket.to_owned(), reason: error.to_string() }),
            Err(_) => Err(BucketError::Timeout { bucket: bucket.to_owned() }),
        }
    }
}
