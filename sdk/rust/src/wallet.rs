//! The agent's own account, within the limit that `wallet.spend-per-day` of `agent.toml` sets. Purchases count, and bills do.

use crate::Fault;
use crate::bindings::hansa::wallet::wallet;
pub use crate::bindings::hansa::wallet::wallet::Funds;

/// What the account has, and what may be spent until midnight UTC; in the smallest unit of the node's asset.
///
/// # Errors
/// [`Fault::Failed`] where the ledger cannot be asked.
pub fn look() -> Result<Funds, Fault> {
    wallet::look().map_err(|reason| Fault::Failed(format!("could not look at the wallet: {reason}")))
}

/// Pay `sum` to `account`, the id that `hansa account show` prints.
///
/// # Errors
/// [`Fault::Failed`]: not done, and why; the money stays.
pub fn pay(account: &str, sum: u64) -> Result<(), Fault> {
    wallet::pay(account, sum).map_err(|reason| Fault::Failed(format!("could not pay: {reason}")))
}
