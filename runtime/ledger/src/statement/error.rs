//! Why there is no statement.

use hansa_economy::channel::AccountId;

use crate::error::OpenError;
use crate::limits::STATEMENT_LINES_MAX;
use crate::replay::ReplayError;

/// Why there is no statement or history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// No such account.
    #[error("the ledger knows no account {0}; see `hansa ledger balance`, or ask the node that keeps the right ledger")]
    NoAccount(AccountId),
    /// Too much for one.
    #[error("the period has more than {STATEMENT_LINES_MAX} lines; choose a shorter one with `--since` and `--until`")]
    TooLong,
    /// A history of nothing, or of more than fits.
    #[error("a history has 1 to {STATEMENT_LINES_MAX} lines; `{0}` is not possible")]
    BadLimit(usize),
    /// The lines do not come to the balance: a defect of this program, or a damaged log.
    #[error("the movements of account {0} do not explain its balance; run `hansa ledger check`, and report this")]
    Unexplained(AccountId),
}
