//! Why histories could not be used, and why an entry was not appended.

use crate::name::BadName;

/// Why histories could not be opened, read or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A name or key is not valid.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// The server has no JetStream, or this account may not use it.
    #[error("no JetStream at `{url}`: use a server started by `hansa up`, or start yours with `nats-server -js`")]
    NoJetStream {
        /// The server.
        url: String,
    },
    /// A stream of this name exists that histories cannot be kept in.
    #[error(
        "stream `{histories}` is not for histories (its `{setting}` differs): choose another name, or delete it with `nats stream rm {histories}`"
    )]
    OtherSettings {
        /// The name asked for.
        histories: String,
        /// The setting of the stream that differs, as the server names it.
        setting: &'static str,
    },
    /// They were open, but the server has them no longer.
    #[error("histories `{histories}` are gone from the server: open them again; what they held is lost")]
    Gone {
        /// The histories.
        histories: String,
    },
    /// No answer in time.
    #[error("no answer about histories `{histories}` in time: try again")]
    Timeout {
        /// The histories.
        histories: String,
    },
    /// Anything else.
    #[error("histories `{histories}` cannot be used ({reason}): read the server's log")]
    Other {
        /// The histories.
        histories: String,
        /// What went wrong.
        reason: String,
    },
}

/// Why an entry was not appended, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A key or id is not valid; nothing was sent.
    #[error(transparent)]
    BadName(BadName),
    /// The history does not end where its writer believed. The entry is not there.
    #[error("the history ends at position `{last}`, its writer knows another end: read on from there, then append again")]
    Behind {
        /// The position of the last entry; 0 where the history is empty, as after its removal.
        last: u64,
    },
    /// The entry exceeds what the server accepts; nothing was sent.
    #[error("entry of `{size}` bytes exceeds the server's {max}: write less, or raise the server's `max_payload`")]
    TooLarge {
        /// Bytes of the entry.
        size: usize,
        /// Bytes that the server accepts.
        max: usize,
    },
    /// No answer in time. The entry may have been written, or may be still; the same append (position, id, entry) decides it.
    #[error("no answer from histories `{histories}` in time (the entry may have been written): repeat the append as it was")]
    Timeout {
        /// The histories.
        histories: String,
    },
    /// The histories themselves cannot be used.
    #[error(transparent)]
    History(HistoryError),
}

impl From<BadName> for AppendError {
    fn from(error: BadName) -> Self {
        Self::BadName(error)
    }
}

impl From<HistoryError> for AppendError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::BadName(error) => Self::BadName(error),
            HistoryError::Timeout { histories } => Self::Timeout { histories },
            other => Self::History(other),
        }
    }
}

impl AppendError {
    /// Whether the entry may stand in the history.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::BadName(_) | Self::Behind { .. } | Self::TooLarge { .. } | Self::History(HistoryError::Gone { .. }) => false,
            Self::Timeout { .. } | Self::History(_) => true,
        }
    }

    /// Whether the same append, with the same id, may succeed later.
    #[must_use]
    pub fn retry_is_sensible(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::History(HistoryError::NoJetStream { .. } | HistoryError::Other { .. }))
    }
}
