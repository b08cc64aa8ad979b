//! An agent's wallet capability: its account within its daily limit. The key stays here.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::channel::AccountId;
use hansa_economy::{Amount, Keypair};
use hansa_host::wallet::{Funds, Wallet};

use super::allowance::Allowance;
use crate::ledger::LinkPort;

/// The capability.
pub(crate) struct Purse {
    pub(crate) ledger: LinkPort,
    pub(crate) account: AccountId,
    pub(crate) asset: u32,
    pub(crate) key: Arc<Keypair>,
    pub(crate) allowance: Allowance,
}

impl Purse {
    async fn funds(&self) -> Result<Funds, String> {
        let account = self.ledger.link().account(self.account).await.map_err(|error| error.to_string())?;
        let (spent, left) = self.allowance.today();
        Ok(Funds {
            available: units(account.map(|account| account.available()).unwrap_or_default()),
            spent_today: units(spent),
            left_today: units(left),
        })
    }

    async fn bill(&self, account: &str, sum: u64) -> Result<(), String> {
        let to: AccountId = account.parse().map_err(|error| format!("`{account}` is no account: {error}"))?;
        if sum == 0 {
            return Err("a bill of nothing needs no paying; give a sum above 0".into());
        }
        let aside = self.allowance.set_aside(Amount(sum.into()), true)?;
        match self.ledger.pay(self.asset, self.account, to, aside.amount, &self.key).await {
            Ok(()) => {
                let cost = aside.amount;
                aside.settle(cost);
                Ok(())
            }
            Err(error) => {
                // Refused by the ledger, nothing moved; where nobody answers, it counts as spent.
                if error.reason.is_some() || error.is_short || !error.may_pass {
                    aside.settle(Amount::ZERO);
                }
                Err(error.to_string())
            }
        }
    }
}

fn units(amount: Amount) -> u64 {
    u64::try_from(amount.0).unwrap_or(u64::MAX)
}

impl Wallet for Purse {
    fn look(&self) -> BoxFuture<'_, Result<Funds, String>> {
        self.funds().boxed()
    }

    fn pay(&self, account: String, sum: u64) -> BoxFuture<'_, Result<(), String>> {
        async move { self.bill(&account, sum).await }.boxed()
    }
}
