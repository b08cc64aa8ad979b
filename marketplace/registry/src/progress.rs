//! How far a transfer is.

use std::sync::Arc;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the registry.
    Push,
    /// From the registry.
    Pull,
}

/// One step of the transfer of one blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which way.
    pub direction: Direction,
    /// What: `component`, `statement`, `README.md`.
    pub part: &'static str,
    /// Bytes that are through.
    pub done_bytes: u64,
    /// Bytes in all.
    pub all_bytes: u64,
}

/// Is told about every step, from whichever thread makes it; it should return at once.
pub type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// A watcher for those who do not want to know.
pub fn unwatched() -> Watcher {
    Arc::new(|_| ())
}
