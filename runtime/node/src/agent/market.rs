//! An agent's market capability for one call: its purchases, its narrowed terms, the receipts it got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::{Amount, Digest};
use hansa_host::Fault;
use hansa_host::market::{Bid, Limits, Market, Offer, Prefer, Purchase};
use hansa_trade::{Bought, Buyer, Narrowing, Order, Tendered, Terms};

use super::allowance::Allowance;
use super::award::Award;
use super::logs::{BUY, Ring};
use crate::ambient;

/// Tenders of one call whose bids are kept for its purchases; the oldest goes first.
const AWARDS_MAX: usize = 32;

/// The capability. Made anew for each call, so that every purchase is paid by the call it belongs to.
pub(crate) struct CallMarket {
    buyer: Buyer,
    terms: Arc<BTreeMap<String, Terms>>,
    narrowed: Mutex<BTreeMap<String, Terms>>,
    receipts: Mutex<Vec<Digest>>,
    /// What was put out in this call, with the bids, oldest first.
    awards: Mutex<Vec<Arc<Award>>>,
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
        let (narrowed, receipts, awards) = (Mutex::default(), Mutex::default(), Mutex::default());
        CallMarket { buyer, terms, narrowed, receipts, awards, deadline_ms, logs, allowance }
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
        let mut terms = self.terms(&purchase.service).ok_or_else(|| Fault::Refused(no_terms(&purchase.service)))?;
        let order = order(purchase);
        let aside = match &self.allowance {
            Some(allowance) => Some(allowance.set_aside(terms.max_price, false).map_err(Fault::OverBudget)?),
            None => None,
        };
        if let Some(aside) = &aside {
            terms.max_price = aside.amount;
        }
        let bought = match self.awarded(&order) {
            Some(award) => {
                let bought = self.buyer.buy_by(&order, &terms, &award.tendered, self.deadline_ms).await;
                bought.inspect(|bought| award.taken(bought.seller))
            }
            None => self.buyer.buy(&order, &terms, self.deadline_ms).await,
        };
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

    /// The bids for this order that still hold.
    fn awarded(&self, order: &Order) -> Option<Arc<Award>> {
        let mut awards = self.awards.lock().expect("no panic while awards are locked");
        awards.retain(|award| award.tendered.holds(ambient::now_ms()));
        awards.iter().rev().find(|award| same(&award.order, order)).cloned()
    }

    async fn tendered(&self, purchase: Purchase, wait: Duration) -> Result<Vec<Bid>, String> {
        let terms = self.terms(&purchase.service).ok_or_else(|| no_terms(&purchase.service))?;
        let left = self.deadline_ms.map_or(u64::MAX, |deadline_ms| deadline_ms.saturating_sub(ambient::now_ms()));
        if wait.as_millis() >= u128::from(left) {
            return Err(format!("a tender of {} ms, and this call ends in {left} ms; wait less", wait.as_millis()));
        }
        let order = order(purchase);
        let tendered = self.buyer.tender(&order, &terms, wait).await.map_err(|fault| fault.text().to_owned())?;
        self.logs.write(BUY, tender_line(&order, &tendered));
        let bids = tendered.bids.iter().map(shown).collect();
        let mut awards = self.awards.lock().expect("no panic while awards are locked");
        awards.retain(|award| !same(&award.order, &order));
        if awards.len() == AWARDS_MAX {
            awards.remove(0);
        }
        let wins = tendered.winner().is_some();
        let award = Award::new(self.buyer.clone(), order, tendered);
        if wins {
            awards.push(Arc::new(award));
        }
        Ok(bids)
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

    fn tender(&self, purchase: Purchase, wait: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>> {
        self.tendered(purchase, wait).boxed()
    }
}

fn no_terms(service: &str) -> String {
    format!("agent.toml names no terms for `{service}`; add `[buys.\"{service}\"]`")
}

fn order(purchase: Purchase) -> Order {
    let schema = purchase.schema;
    Order {
        service: purchase.service.to_string(),
        function: purchase.function.to_string(),
        args: purchase.args,
        fits: Arc::new(move |answer| schema.validate_result(answer).map_err(|error| error.to_string())),
    }
}

/// Bids are for one call with its arguments.
fn same(one: &Order, other: &Order) -> bool {
    (&one.service, &one.function, &one.args) == (&other.service, &other.function, &other.args)
}

/// A bid as the guest sees it.
fn shown(bid: &hansa_trade::Bid) -> Bid {
    let offer = &bid.candidate.listed.offer;
    let price = u64::try_from(bid.candidate.price_max.0).unwrap_or(u64::MAX);
    Bid {
        seller: offer.agent.to_string(),
        package: offer.package.clone(),
        node: offer.node_name.clone(),
        price: bid.out.is_none().then_some(price),
        out: bid.out.as_ref().map(ToString::to_string),
    }
}

/// `commons:embedding/embedder@0.1.0 embed: 2 of 3 sellers bid, best 0.0002 of z6MkabcdEF12`
fn tender_line(order: &Order, tendered: &Tendered) -> String {
    let (asked, counting) = (tendered.bids.len(), tendered.bids.iter().filter(|bid| bid.out.is_none()).count());
    let best = tendered.winner().map(|bid| &bid.candidate);
    let best = best.map_or(String::new(), |best| format!(", best {} of {}", best.price_max, best.listed.offer.agent.short()));
    format!("{} {}: {counting} of {asked} sellers bid{best}", order.service, order.function)
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
