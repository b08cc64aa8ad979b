//! `hansa:wallet/wallet`: the agent's own account, within its spending limit.

use futures::future::BoxFuture;

pub use super::bindings::hansa::wallet::wallet::Funds;
use super::{Absent, bindings::hansa::wallet::wallet, ready};
use crate::state::State;

/// The account of one agent.
pub trait Wallet: Send + Sync {
    /// What it has and may spend.
    fn look(&self) -> BoxFuture<'_, Result<Funds, String>>;
    /// Pays `sum` to `account`, or says why not.
    fn pay(&self, account: String, sum: u64) -> BoxFuture<'_, Result<(), String>>;
}

const ABSENT: &str = "no wallet here";

impl Wallet for Absent {
    fn look(&self) -> BoxFuture<'_, Result<Funds, String>> {
        ready(Err(ABSENT.into()))
    }

    fn pay(&self, _: String, _: u64) -> BoxFuture<'_, Result<(), String>> {
        ready(Err(ABSENT.into()))
    }
}

impl wallet::Host for State {
    async fn look(&mut self) -> Result<Funds, String> {
        self.capabilities.wallet.look().await
    }

    async fn pay(&mut self, account: String, sum: u64) -> Result<(), String> {
        self.capabilities.wallet.pay(account, sum).await
    }
}
