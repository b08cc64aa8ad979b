//! Checkpoints in a file of the operator's choice, best on another disk: written while the ledger goes on, and compared when it is
//! opened, so that a restored old copy of the ledger is noticed before it forgets what was acknowledged.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hansa_economy::ledger::Checkpoint;
use hansa_economy::{Keypair, Signed, StatementError};
use hansa_ledger::{BreachError, Ledger, QueryError};

/// How often the file is brought up to date.
const EVERY: Duration = Duration::from_secs(30);

/// Why a ledger does not start against its checkpoint, or the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The ledger is not what the checkpoint has seen.
    #[error("`{}`: {breach}", path.display())]
    Breach {
        /// The checkpoint's file.
        path: PathBuf,
        /// What differs.
        breach: BreachError,
    },
    /// There is no ledger, and once there was one.
    #[error("there is no ledger in `{}`, but the checkpoint `{}` has seen one; restore it, or name another checkpoint for a new ledger", folder.display(), path.display())]
    Gone {
        /// Where the ledger should be.
        folder: PathBuf,
        /// The checkpoint's file.
        path: PathBuf,
    },
    /// Not a checkpoint.
    #[error("`{}` is no checkpoint: {error}; name another file, or move this one away if you know why it changed", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why.
        error: StatementError,
    },
    /// The file system's word.
    #[error("the checkpoint `{}` cannot be read or written: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The ledger's word.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// The checkpoint in `path`; none where there is no such file yet.
pub fn read(path: &Path) -> Result<Option<Signed<Checkpoint>>, CheckpointError> {
    match std::fs::read(path) {
        Ok(bytes) => match Signed::open(&bytes) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(error) => Err(CheckpointError::Foreign { path: path.to_owned(), error }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CheckpointError::Io { path: path.to_owned(), error }),
    }
}

/// Does `ledger` continue what `path` has seen? A file that is not there yet has seen nothing.
pub fn compare(ledger: &Ledger, path: &Path) -> Result<(), CheckpointError> {
    let Some(checkpoint) = read(path)? else {
        return Ok(());
    };
    ledger.continues(&checkpoint)?.map_err(|breach| CheckpointError::Breach { path: path.to_owned(), breach })
}

/// May a new ledger be founded in `folder`? Not where the checkpoint has seen one before.
pub fn unseen(folder: &Path, path: &Path) -> Result<(), CheckpointError> {
    match read(path)? {
        Some(_) => Err(CheckpointError::Gone { folder: folder.to_owned(), path: path.to_owned() }),
        None => Ok(()),
    }
}

/// Write the ledger's present checkpoint to `path`, whole or not at all.
pub fn write(ledger: &Ledger, key: &Keypair, path: &Path) -> Result<Signed<Checkpoint>, CheckpointError> {
    let checkpoint = ledger.checkpoint(key)?;
    let put = || {
        let fresh = path.with_extension("new");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&fresh, checkpoint.bytes())?;
        std::fs::File::open(&fresh)?.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    put().map_err(|error| CheckpointError::Io { path: path.to_owned(), error })?;
    Ok(checkpoint)
}

/// Keep `path` up to date, for ever; abort the task to end it.
pub(crate) async fn keep(ledger: Ledger, key: Arc<Keypair>, path: PathBuf) {
    let mut newest = 0;
    loop {
        let (held, signer, file) = (ledger.clone(), key.clone(), path.clone());
        let written = tokio::task::spawn_blocking(move || match held.head() {
            Ok(head) if head.seq == newest => Ok(None),
            Ok(_) => write(&held, &signer, &file).map(Some),
            Err(error) => Err(error.into()),
        });
        match written.await {
            Ok(Ok(Some(checkpoint))) => newest = checkpoint.body.seq,
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "no new checkpoint; will try again"),
            Err(_) => return,
        }
        tokio::time::sleep(EVERY).await;
    }
}
