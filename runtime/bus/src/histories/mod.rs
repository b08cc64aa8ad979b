//! Histories: many small logs in one file of the server. Whoever appends to one must know its last entry, so that of two writers
//! only one can add the next.

mod append;
mod error;
mod follow;
mod open;
mod page;

use std::sync::Arc;
use std::time::Instant;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, PurgeErrorKind, RawMessageBuilder, Stream};
use async_nats::jetstream::{Context, ErrorCode};
use bytes::Bytes;
use tokio::time::{sleep, timeout};

use crate::connection::Bus;
use crate::limits::{HISTORY_RETRY, HISTORY_TIMEOUT};
use crate::name::{check_key, check_name};

pub use error::{AppendError, HistoryError};
pub use follow::{HistoriesReader, HistoryReader};

/// An entry of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its place in the order. Rises within a history, though not by one: all histories of a name share the numbers, from 1.
    pub position: u64,
    /// The entry.
    pub entry: Bytes,
}

/// Open histories, each with a key. Clones share them; any number of operations may run at once.
#[derive(Debug, Clone)]
pub struct Histories {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bus: Bus,
    name: String,
    context: Context,
    stream: Stream<()>,
}

impl Bus {
    /// Opens histories, kept in a file by the server; makes room for them where there is none. `name`: characters
    /// `A-Z a-z 0-9 _ -`. Their entries are messages of the stream `name` on the subjects `name.key`.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn histories(&self, name: &str) -> Result<Histories, HistoryError> {
        check_name("name of histories", name)?;
        // Longer than our own bound, which gives the clearer error.
        let context = ContextBuilder::new().timeout(HISTORY_TIMEOUT * 2).build(self.client().clone());
        let stream = context.get_stream_no_info(name).await.map_err(|error| other(name, &error))?;
        let inner = Inner { bus: self.clone(), name: name.to_owned(), context, stream };
        let histories = Histories { inner: Arc::new(inner) };
        histories.healed(|| open::open(&histories)).await?;
        Ok(histories)
    }
}

impl Histories {
    /// The name of the histories.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The position of a history's last entry; none where it is empty.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn last(&self, key: &str) -> Result<Option<u64>, HistoryError> {
        check_key(key)?;
        let subject = self.subject(key);
        let last = self.stored(|stored| stored.last_by_subject(subject.clone())).await?;
        Ok(last.map(|message| message.sequence))
    }

    /// The entries of a history from position `from` on, in order: at least all that were there when this was called. A history
    /// that is removed meanwhile ends where it was read to.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn read(&self, key: &str, from: u64) -> Result<Vec<HistoryEntry>, HistoryError> {
        let Some(last) = self.last(key).await? else { return Ok(Vec::new()) };
        let subject = self.subject(key);
        let (mut entries, mut next, mut heard) = (Vec::new(), from.max(1), Instant::now());
        while next <= last {
            page::read(self, &subject, next, &mut entries).await?;
            let reached = entries.last().map_or(next, |entry: &HistoryEntry| entry.position + 1);
            if reached > next {
                (next, heard) = (reached, Instant::now());
                continue;
            }
            if heard.elapsed() > HISTORY_TIMEOUT {
                return Err(self.late());
            }
            // A lost connection, a replica that lags behind, or the history was removed.
            sleep(HISTORY_RETRY).await;
            if self.last(key).await?.is_none_or(|last| last < next) {
                break;
            }
        }
        Ok(entries)
    }

    /// Forgets a history wholly; does nothing where it is empty. Its positions are not used again.
    ///
    /// # Errors
    /// See [`HistoryError`]; it may have been removed nevertheless, and removing it again does no harm.
    pub async fn remove(&self, key: &str) -> Result<(), HistoryError> {
        check_key(key)?;
        let subject = self.subject(key);
        let purge = || async {
            let purged = self.inner.stream.purge().filter(subject.clone()).await;
            purged.map(drop).map_err(|error| match error.kind() {
                PurgeErrorKind::JetStream(cause) => self.refused(cause.error_code(), &error),
                PurgeErrorKind::TimedOut => self.late(),
                PurgeErrorKind::Request => self.other(&error),
            })
        };
        self.healed(purge).await
    }

    /// A message of the stream, from whoever knows all of them.
    async fn stored(
        &self,
        which: impl Fn(RawMessageBuilder) -> RawMessageBuilder,
    ) -> Result<Option<StreamMessage>, HistoryError> {
        let get = || async {
            match which(self.inner.stream.raw_message_builder()).send().await {
                Ok(message) => Ok(Some(message)),
                Err(error) => match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(None),
                    LastRawMessageErrorKind::JetStream(cause) => Err(self.refused(cause.error_code(), &error)),
                    _ => Err(self.other(&error)),
                },
            }
        };
        self.healed(get).await
    }

    /// Runs an operation that may be repeated, again after each loss of the connection, until its time is over.
    async fn healed<T, F>(&self, operation: impl Fn() -> F) -> Result<T, HistoryError>
    where
        F: Future<Output = Result<T, HistoryError>>,
    {
        self.in_time(async {
            loop {
                self.inner.bus.connected().await;
                // Boxed, because the client's futures are large, and one stands in each append.
                if let Some(done) = self.until_lost(Box::pin(operation())).await {
                    return done;
                }
            }
        })
        .await
    }

    async fn in_time<T>(&self, operation: impl Future<Output = Result<T, HistoryError>>) -> Result<T, HistoryError> {
        timeout(HISTORY_TIMEOUT, operation).await.unwrap_or_else(|_| Err(self.late()))
    }

    /// What an operation gives; none where the connection is lost first, because the answer is then most likely lost too.
    async fn until_lost<T>(&self, operation: impl Future<Output = T>) -> Option<T> {
        let mut link = self.inner.bus.link();
        let losses = link.borrow().losses;
        tokio::select! {
            biased;
            done = operation => Some(done),
            _lost = link.wait_for(|link| link.losses != losses) => None,
        }
    }

    fn subject(&self, key: &str) -> String {
        format!("{}.{key}", self.name())
    }

    fn no_jetstream(&self) -> HistoryError {
        HistoryError::NoJetStream { url: self.inner.bus.url().to_owned() }
    }

    fn late(&self) -> HistoryError {
        HistoryError::Timeout { histories: self.name().to_owned() }
    }

    fn other(&self, error: &dyn std::fmt::Display) -> HistoryError {
        other(self.name(), error)
    }

    /// The server's refusal of a question about the stream.
    fn refused(&self, code: ErrorCode, error: &dyn std::fmt::Display) -> HistoryError {
        match code {
            ErrorCode::STREAM_NOT_FOUND => HistoryError::Gone { histories: self.name().to_owned() },
            code if open::is_missing_jetstream(code) => self.no_jetstream(),
            _ => self.other(error),
        }
    }
}

fn other(name: &str, error: &dyn std::fmt::Display) -> HistoryError {
    HistoryError::Other { histories: name.to_owned(), reason: error.to_string() }
}
