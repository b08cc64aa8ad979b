//! Why there is no export.

use hansa_economy::channel::AccountId;

use crate::error::OpenError;
use crate::replay::ReplayError;
use crate::store::StoreError;

/// Why an export was not finished. What was written before is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Writing failed.
    #[error("cannot write the export: {0}")]
    Write(#[from] std::io::Error),
    /// The movements do not add up to a balance: a defect of this program, or a damaged log.
    #[error("the movements of account {0} do not explain its balance; run `hansa ledger check`, and report this")]
    Unexplained(AccountId),
    /// More units than beancount adds exactly.
    #[error(
        "asset {code} has more units than beancount adds exactly ({digits} digits); choose hledger, csv or jsonl",
        digits = crate::limits::BEANCOUNT_DIGITS_MAX
    )]
    TooLarge {
        /// The asset's name.
        code: String,
    },
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> ExportError {
        ReplayError::Store(error).into()
    }
}
