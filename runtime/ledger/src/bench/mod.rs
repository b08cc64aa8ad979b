//! How fast a ledger is on one disk: for operators (`hansa ledger bench`), and for the benchmark beside SQLite
//! (`benches/ledger`). Everything is real but the people: commits are durable, every rule holds.

mod points;
mod town;

use std::path::Path;

use serde::Serialize;

use crate::error::{OpenError, QueryError, SubmitError};

pub use points::{bare_appends, batches, reads, singles};
pub use town::{ACCOUNTS, FUNDS, Town, pair, scatter};

/// Transfers of one batch.
pub const BATCH: usize = 8192;
/// Transfers of one command in a batch: the most there may be.
pub const PER_COMMAND: usize = 256;
/// Commands of a batch that are on their way at the same time: eight batches.
pub const WINDOW: usize = 8 * BATCH / PER_COMMAND;

/// Why a disk cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The disk.
    #[error("cannot write to the disk: {0}")]
    Io(#[from] std::io::Error),
    /// The ledger on it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A command.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A payment was refused, which none should be.
    #[error("a payment came to {0}")]
    Refused(String),
}

/// What one disk allows, per second.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BenchReport {
    /// Appends of 512 bytes to a file, each followed by fsync: what the disk itself can do.
    pub appends_synced: f64,
    /// Commands of one client who waits for each; one commit each, which syncs twice.
    pub one_client: f64,
    /// Commands of 64 clients, signatures included.
    pub clients_64: f64,
    /// Transfers in commands of 256.
    pub transfers_in_batches: f64,
    /// Balances read while those are written.
    pub reads: f64,
}

/// Measure a new ledger in `folder`, which must be empty: some ten seconds, some hundred MB. `progress` hears what is done next.
pub async fn measure(folder: &Path, mut progress: impl FnMut(&str)) -> Result<BenchReport, BenchError> {
    progress("appends with fsync");
    let appends_synced = bare_appends(folder, 1.0)?;
    progress("a ledger with 10,000 accounts");
    let town = Town::found(&folder.join("ledger")).await?;
    progress("one client");
    let one_client = singles(&town, 1_000, 1, false).await?;
    progress("64 clients");
    let clients_64 = singles(&town, 20_000, 64, true).await?;
    progress("batches");
    let transfers_in_batches = batches(&town, 60).await?;
    progress("reads while batches are written");
    let reads = reads(&town, 30).await?.0;
    Ok(BenchReport { appends_synced, one_client, clients_64, transfers_in_batches, reads })
}
