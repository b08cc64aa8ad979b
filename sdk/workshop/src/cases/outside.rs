//! An agent's wallet and topics in a case: what it has is what the case says, what it publishes is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use hansa_catalogue::runs::covers;
use hansa_economy::Amount;
use hansa_host::topics::Topics;
use hansa_host::wallet::{Funds, Wallet};

use super::market::CaseMarket;

/// The account of a case.
pub(super) struct CaseWallet {
    pub(super) funds: Amount,
    pub(super) spend_per_day: Amount,
    pub(super) market: Arc<CaseMarket>,
}

impl Wallet for CaseWallet {
    fn look(&self) -> BoxFuture<'_, Result<Funds, String>> {
        let spent = self.market.bought().spent;
        let units = |amount: Amount| u64::try_from(amount.0).unwrap_or(u64::MAX);
        let funds = Funds {
            available: units(self.funds.saturating_sub(spent)),
            spent_today: units(spent),
            left_today: units(self.spend_per_day.saturating_sub(spent)),
        };
        ready(Ok(funds)).boxed()
    }

    fn pay(&self, _: String, sum: u64) -> BoxFuture<'_, Result<(), String>> {
        ready(self.market.pay(Amount(sum.into()), self.funds.min(self.spend_per_day))).boxed()
    }
}

/// What was published, by topic.
#[derive(Default)]
pub(super) struct CaseTopics {
    pub(super) granted: Vec<String>,
    published: Mutex<BTreeMap<String, u32>>,
}

impl CaseTopics {
    pub(super) fn new(granted: Vec<String>) -> CaseTopics {
        CaseTopics { granted, ..CaseTopics::default() }
    }

    pub(super) fn published(&self) -> BTreeMap<String, u32> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Topics for CaseTopics {
    fn publish(&self, topic: String, _: Vec<u8>) -> BoxFuture<'_, Result<(), String>> {
        if !self.granted.iter().any(|granted| covers(granted, &topic)) {
            return ready(Err(format!("`{topic}` is not among the topics that agent.toml asks for with topics.publish"))).boxed();
        }
        *self.published.lock().unwrap_or_else(PoisonError::into_inner).entry(topic).or_default() += 1;
        ready(Ok(())).boxed()
    }
}
