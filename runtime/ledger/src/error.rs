//! The errors of opening, submitting and reading.

use std::path::PathBuf;

use hansa_economy::Digest;
use hansa_economy::ledger::GenesisError;
use hansa_economy::statement::StatementError;

use crate::store::StoreError;

/// Why a ledger's folder does not open. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no ledger here.
    #[error("there is no ledger in `{0}`; create one first")]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a ledger in `{0}` already; open it, or choose another folder")]
    Exists(PathBuf),
    /// Another process, or another part of this one, has it.
    #[error("the ledger `{0}` is open in another process; stop that process, or submit through it")]
    Locked(PathBuf),
    /// Not one of our files.
    #[error("`{path}` is no ledger: {reason}; move the file away or choose another folder")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Written by a newer program.
    #[error("`{path}` has format {found}, this program knows {known}; run a newer `hansa`")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// Another ledger than the one asked for.
    #[error("`{path}` holds ledger {found}, expected {expected}; choose the right folder, or change what is expected")]
    OtherLedger {
        /// The file.
        path: PathBuf,
        /// The ledger found.
        found: Digest,
        /// The ledger asked for.
        expected: Digest,
    },
    /// Cut short, or damaged; never written over.
    #[error("`{path}` is damaged: {reason}; keep it, and restore the newest good copy beside it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The command given founds no ledger.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The command given is not signed well.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// There is no room on its disk.
    #[error("no room on the disk of `{0}`; make room, then try again")]
    Full(PathBuf),
    /// Reading or writing failed.
    #[error("cannot read or write `{path}`: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
}

impl OpenError {
    /// Is it for want of room on the disk?
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, OpenError::Full(_))
    }
}

/// Why a command has no outcome yet. A refused command is an outcome, not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Not a signed command, or a signature in it is wrong.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Too much is waiting; nothing was done.
    #[error("the ledger is full; try again in {retry_after_ms} ms")]
    Overloaded {
        /// Milliseconds after which it is worth trying again.
        retry_after_ms: u32,
    },
    /// There is no room on the ledger's disk; nothing was done.
    #[error("the ledger's disk is full and nothing was done; make room, and try again in {retry_after_ms} ms")]
    Full {
        /// Milliseconds after which the ledger tries again by itself, if it is asked.
        retry_after_ms: u32,
    },
    /// The store failed while the command was on its way; it may or may not stand in the log.
    #[error("the outcome is unknown ({reason}); submit the same bytes again")]
    Unknown {
        /// What happened.
        reason: String,
    },
    /// The ledger no longer runs; nothing was done.
    #[error("the ledger has stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

impl SubmitError {
    /// Is it sensible to submit the same bytes again?
    pub fn may_retry(&self) -> bool {
        matches!(self, SubmitError::Overloaded { .. } | SubmitError::Full { .. } | SubmitError::Unknown { .. })
    }

    /// May the command have taken effect?
    pub fn may_have_taken_effect(&self) -> bool {
        matches!(self, SubmitError::Unknown { .. })
    }
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the ledger: {0}")]
pub struct QueryError(#[from] StoreError);
