//! A journal on JetStream: entries in one order for everybody, each kept once and for good. The server refuses to rewrite it.

mod follow;

use std::sync::Arc;

use async_nats::jetstream::context::{ContextBuilder, CreateStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Stream};
use async_nats::jetstream::{Context, ErrorCode};
use bytes::Bytes;
use tokio::time::timeout;

use crate::connection::Bus;
use crate::limits::JOURNAL_TIMEOUT;
use crate::name::{BadName, check_key, check_name};

pub use follow::{JournalEvent, JournalReader};

/// Why a journal could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A name or id is not valid.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// The server has no JetStream, or this account may not use it.
    #[error("no JetStream at `{url}`: use a server started by `hansa up`, or start yours with `nats-server -js`")]
    NoJetStream {
        /// The server.
        url: String,
    },
    /// The entry exceeds what the server accepts.
    #[error("entry of `{size}` bytes exceeds the server's {max}: write less, or raise the server's `max_payload`")]
    TooLarge {
        /// Bytes of the entry.
        size: usize,
        /// Bytes that the server accepts.
        max: usize,
    },
    /// No answer in time. The entry may have been written; writing it again does no harm.
    #[error("no answer about journal `{journal}` in time: try again")]
    Timeout {
        /// The journal.
        journal: String,
    },
    /// Anything else. The entry may have been written; writing it again does no harm.
    #[error("journal `{journal}` cannot be used ({reason}): read the server's log")]
    Other {
        /// The journal.
        journal: String,
        /// What went wrong.
        reason: String,
    },
}

/// An open journal. Clones share it.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bus: Bus,
    name: String,
}

impl Bus {
    /// Opens a journal, kept in a file by the server; creates it where it is missing. `name`: characters `A-Z a-z 0-9 _ -`. Its
    /// entries are messages of the stream `name` on the subjects `name.id`.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub async fn journal(&self, name: &str) -> Result<Journal, JournalError> {
        check_name("journal name", name)?;
        let journal = Journal { inner: Arc::new(Inner { bus: self.clone(), name: name.to_owned() }) };
        journal.stream().await?;
        Ok(journal)
    }
}

impl Journal {
    /// The journal's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Appends an entry under an id of its own; returns its place in the order, from 1. An entry with this id that is there already
    /// stays as it is, and its place is returned.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub async fn append(&self, id: &str, entry: Bytes) -> Result<u64, JournalError> {
        check_key(id)?;
        let (size, max) = (entry.len(), self.inner.bus.max_payload());
        if size > max {
            return Err(JournalError::TooLarge { size, max });
        }
        let stream = self.stream().await?;
        let subject = format!("{}.{id}", self.name());
        let publish = async { self.context().publish(subject.clone(), entry).await?.await };
        match timeout(JOURNAL_TIMEOUT, publish).await {
            Ok(Ok(written)) => Ok(written.sequence),
            Ok(Err(error)) if error.kind() == PublishErrorKind::TimedOut => Err(self.late()),
            // The server refuses a second entry under one id; its own words are all it says of the cause.
            Ok(Err(error)) => match self.in_time(stream.get_last_raw_message_by_subject(&subject)).await {
                Ok(present) => Ok(present.sequence),
                Err(_) => Err(self.other(&error)),
            },
            Err(_) => Err(self.late()),
        }
    }

    /// Follows the whole journal. See [`JournalReader`].
    #[must_use]
    pub fn follow(&self) -> JournalReader {
        JournalReader::start(self.clone())
    }

    fn context(&self) -> Context {
        ContextBuilder::new().timeout(JOURNAL_TIMEOUT).build(self.inner.bus.client().clone())
    }

    /// The stream behind it, made where it is missing.
    async fn stream(&self) -> Result<Stream, JournalError> {
        let context = self.context();
        match timeout(JOURNAL_TIMEOUT, context.get_or_create_stream(config(self.name()))).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(match error.kind() {
                CreateStreamErrorKind::JetStreamUnavailable => self.no_jetstream(),
                CreateStreamErrorKind::JetStream(cause) if is_missing_jetstream(cause.error_code()) => self.no_jetstream(),
                CreateStreamErrorKind::TimedOut => self.late(),
                _ if error.to_string().contains("no responders") => self.no_jetstream(),
                _ => self.other(&error),
            }),
            Err(_) => Err(self.late()),
        }
    }

    async fn in_time<T, E: std::fmt::Display>(&self, operation: impl Future<Output = Result<T, E>>) -> Result<T, JournalError> {
        match timeout(JOURNAL_TIMEOUT, operation).await {
            Ok(done) => done.map_err(|error| self.other(&error)),
            Err(_) => Err(self.late()),
        }
    }

    fn no_jetstream(&self) -> JournalError {
        JournalError::NoJetStream { url: self.inner.bus.url().to_owned() }
    }

    fn late(&self) -> JournalError {
        JournalError::Timeout { journal: self.name().to_owned() }
    }

    fn other(&self, error: &dyn std::fmt::Display) -> JournalError {
        JournalError::Other { journal: self.name().to_owned(), reason: error.to_string() }
    }
}

fn is_missing_jetstream(code: ErrorCode) -> bool {
    code == ErrorCode::JETSTREAM_NOT_ENABLED || code == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
}

fn config(name: &str) -> Config {
    Config {
        name: name.to_owned(),
        subjects: vec![format!("{name}.>")],
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..Config::default()
    }
}
