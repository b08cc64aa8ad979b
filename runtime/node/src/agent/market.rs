//! An agent's market capability for one call: its purchases, its narrowed terms, the receipts it got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::{Amount, Digest};
use hansa_host::Fault;
use hansa_host::market::{Limits, Market, Offer, Prefer, Purchase};
use hansa_trade::{Bought, Buyer, Narrowing, Order, Terms};

use super::allowance::Allowance;
use super::logs::{BUY, Ring};

/// The capability. Made anew for each call, so that every purchase is paid by the call it belongs to.
pub(crate) struct CallMarket {
    buyer: Buyer,
    terms: Arc<BTreeMap<String, Terms>>,
    narrowed: Mutex<BTreeMap<String, Terms>>,
    receipts: Mutex<Vec<Digest>>,
    deadline_ms: Option<u64>,
    logs: Ring,
    allowance: Option<Allowance>,
}

impl CallMarket {
    /// For a call that has to end at `deadline_ms`. Purchases get a line in `logs`, and are paid within `allowance`.
    pub(crate) fn new(
        buyer: Buyer,
        terms: Arc<BTreeMap<String, Terms>>,
        deadline_ms: Option<u64>,
        logs: Ring,
        allowance: Option<Allowance>,
    ) -> CallMarket {
        CallMarket { buyer, terms, narrowed: Mutex::default(), receipts: Mutex::default(), deadline_ms, logs, allowance }
    }

    /// Receipts for what was bought so far.
    pub(crate) fn receipts(&self) -> Vec<Digest> {
        self.receipts.lock().expect("no panic while receipts are locked").clone()
    }

    fn terms(&self, service: &str) -> Option<Terms> {
        let narrowed = self.narrowed.lock().expect("no panic while terms are locked").get(service).cloned();
        narrowed.or_else(|| self.terms.get(service).cloned())
    }

    async fn purchase(&self, purchase: Purchase) -> Result<Bytes, Fault> {
        let Some(mut terms) = self.terms(&purchase.service) else {
            return Err(Fault::Refused(format!(
                "agent.toml names no terms for `{}`; add `[buys.\"{}\"]`",
                purchase.service, purchase.service
            )));
        };
        let schema = purchase.schema.clone();
        let order = Order {
            service: purchase.service.to_string(),
            function: purchase.function.to_string(),
            args: purchase.args,
            fits: Arc::new(move |answer| schema.validate_result(answer).map_err(|error| error.to_string())),
        };
        let aside = match &self.allowance {
            Some(allowance) => Some(allowance.set_aside(terms.max_price, false).map_err(Fault::OverBudget)?),
            None => None,
        };
        if let Some(aside) = &aside {
            terms.max_price = aside.amount;
        }
        let bought = self.buyer.buy(&order, &terms, self.deadline_ms).await;
        match (aside, &bought) {
            // It may have been charged; then the receipt is still to come.
            (None, _) | (Some(_), Err(Fault::Deadline(_))) => {}
            (Some(aside), Err(_)) => aside.settle(Amount::ZERO),
            (Some(aside), Ok(bought)) => aside.settle(bought.charged),
        }
        self.logs.write(BUY, bought_line(&order, &bought));
        let bought = bought?;
        if let Some(receipt) = bought.receipt {
            self.receipts.lock().expect("no panic while receipts are locked").push(receipt);
        }
        Ok(bought.answer)
    }
}

impl Market for CallMarket {
    fn buy(&self, purchase: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>> {
        self.purchase(purchase).boxed()
    }

    fn narrow(&self, service: &str, limits: Limits) -> Result<(), String> {
        let terms = self.terms(service).ok_or_else(|| format!("`{service}` is not among the imports that agent.toml buys"))?;
        let narrowed = terms.narrowed(&narrowing(limits)?)?;
        self.narrowed.lock().expect("no panic while terms are locked").insert(service.to_owned(), narrowed);
        Ok(())
    }

    fn offers(&self, service: String, function: String) -> BoxFuture<'_, Result<Vec<Offer>, String>> {
        let found = self.terms(&service).ok_or_else(|| format!("`{service}` is not among the imports that agent.toml buys"));
        let found =
            found.and_then(|terms| self.buyer.candidates(&service, &function, 0, &terms).map_err(|none| none.to_string()));
        let offers = found.map(|candidates| {
            let offer = |candidate: hansa_trade::Candidate| Offer {
                seller: candidate.listed.offer.agent.to_string(),
                package: candidate.listed.offer.package.clone(),
                node: candidate.listed.offer.node_name.clone(),
                price_max: u64::try_from(candidate.price_max.0).unwrap_or(u64::MAX),
                latency_ms: candidate.latency_ms,
            };
            candidates.into_iter().map(offer).collect()
        });
        async move { offers }.boxed()
    }
}

/// `commons:embedding/embedder@0.1.0 embed from z6MkabcdEF12: paid 0.0002`
fn bought_line(order: &Order, bought: &Result<Bought, Fault>) -> String {
    let what = format!("{} {}", order.service, order.function);
    match bought {
        Ok(bought) => format!("{what} from {}: paid {}", bought.seller.short(), bought.charged),
        Err(fault) => format!("{what}: {fault}"),
    }
}

fn narrowing(limits: Limits) -> Result<Narrowing, String> {
    let sellers = limits.sellers.map(|keys| keys.iter().map(|key| key.parse().map_err(|error| format!("{error}"))).collect());
    Ok(Narrowing {
        max_price: limits.max_price.map(|units| Amount(units.into())),
        deadline_ms: limits.deadline_ms,
        prefer: limits.prefer.map(|prefer| match prefer {
            Prefer::Cheapest => hansa_trade::Prefer::Cheapest,
            Prefer::Fastest => hansa_trade::Prefer::Fastest,
        }),
        sellers: sellers.transpose()?,
    })
}
