//! The market of a case: sells what the case says, under the terms of `agent.toml`, and counts what was bought.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use hansa_catalogue::manifest::Purchase as Terms;
use hansa_economy::Amount;
use hansa_economy::offer::compatible;
use hansa_host::Fault;
use hansa_host::market::{Bid, Limits, Market, Offer, Purchase};

use super::file::Supply;

/// The capability, made anew for each case.
pub(super) struct CaseMarket {
    supplies: Vec<Supply>,
    terms: BTreeMap<String, Terms>,
    narrowed: Mutex<BTreeMap<String, Amount>>,
    bought: Mutex<Bought>,
    /// What was put out in this case: the cheapest is bought.
    tendered: Mutex<Vec<Purchase>>,
}

/// What was bought in a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bought {
    /// By `service.function` without version.
    pub(super) counts: BTreeMap<String, u32>,
    /// What it cost together.
    pub(super) spent: Amount,
}

impl CaseMarket {
    pub(super) fn new(supplies: Vec<Supply>, terms: BTreeMap<String, Terms>) -> CaseMarket {
        CaseMarket { supplies, terms, narrowed: Mutex::default(), bought: Mutex::default(), tendered: Mutex::default() }
    }

    pub(super) fn bought(&self) -> Bought {
        lock(&self.bought).clone()
    }

    /// A bill: spent like a purchase, as long as `most` allows.
    pub(super) fn pay(&self, sum: Amount, most: Amount) -> Result<(), String> {
        let mut bought = lock(&self.bought);
        let spent = bought.spent.saturating_add(sum);
        if spent > most {
            return Err(format!("{sum} are more than the case's account and its daily limit leave"));
        }
        bought.spent = spent;
        Ok(())
    }

    /// The price limit for a service now.
    fn limit(&self, service: &str) -> Option<Amount> {
        let terms = self.terms.get(service)?;
        Some(lock(&self.narrowed).get(service).copied().unwrap_or(terms.max_price))
    }

    fn purchase(&self, purchase: &Purchase) -> Result<Bytes, Fault> {
        let Some(limit) = self.limit(&purchase.service) else {
            let name = &purchase.service;
            return Err(Fault::Refused(format!("agent.toml names no terms for `{name}`; add `[buys.\"{name}\"]`")));
        };
        let mut supplies = self.supplies(purchase)?;
        if lock(&self.tendered).iter().any(|tendered| same(tendered, purchase)) {
            supplies.sort_by_key(|supply| supply.price);
        }
        let supply = supplies[0];
        if supply.price > limit {
            return Err(Fault::OverBudget(format!("the offer costs {}, above the limit of {limit}", supply.price)));
        }
        let result = purchase.schema.result_from_json(&supply.result).map_err(|error| {
            Fault::SellerFailed(format!("the case's market answers `{}` with what does not fit: {error}", purchase.function))
        })?;
        let failed = supply.result.get("err").is_some();
        let mut bought = lock(&self.bought);
        let item = format!("{}.{}", without_version(&purchase.service), purchase.function);
        *bought.counts.entry(item).or_default() += 1;
        if !failed {
            bought.spent = bought.spent.saturating_add(supply.price);
        }
        Ok(result.into())
    }

    /// The supplies that fit, at least one, in their order; what is wrong where none does.
    fn supplies(&self, purchase: &Purchase) -> Result<Vec<&Supply>, Fault> {
        let sold = |supply: &&Supply| compatible(&purchase.service, &supply.service) && supply.function == *purchase.function;
        let mut sellers = self.supplies.iter().filter(sold).peekable();
        if sellers.peek().is_none() {
            let what = format!("{}`.`{}", purchase.service, purchase.function);
            return Err(Fault::NoOffer(format!("nobody sells `{what}` in this case; add a `[[case.market]]`")));
        }
        let mut fitting = Vec::new();
        for supply in sellers {
            let wanted = supply.arguments.as_ref().map(|arguments| purchase.schema.args_from_json(arguments)).transpose();
            let wanted = wanted.map_err(|error| {
                Fault::NoOffer(format!("the arguments in the case's market do not fit `{}`: {error}", purchase.function))
            })?;
            if wanted.is_none_or(|wanted| wanted == purchase.args) {
                fitting.push(supply);
            }
        }
        if fitting.is_empty() {
            let asked = purchase.schema.args_to_json(&purchase.args).map(|args| args.to_string()).unwrap_or_default();
            let what = &purchase.function;
            return Err(Fault::NoOffer(format!("the case's market sells `{what}` for other arguments; asked for: {asked}")));
        }
        Ok(fitting)
    }

    /// Every supply that fits bids its price, at once.
    fn bids(&self, purchase: Purchase) -> Result<Vec<Bid>, String> {
        let service = &purchase.service;
        let limit = self.limit(service).ok_or_else(|| format!("`{service}` is not among the imports that agent.toml buys"))?;
        let supplies = self.supplies(&purchase).map_err(|fault| fault.text().to_owned())?;
        let mut supplies: Vec<_> = supplies.into_iter().enumerate().collect();
        supplies.sort_by_key(|(_, supply)| supply.price);
        let bids = supplies.into_iter().map(|(nth, supply)| bid(nth, supply, limit)).collect();
        lock(&self.tendered).push(purchase);
        Ok(bids)
    }
}

/// Bids are for one call with its arguments.
fn same(one: &Purchase, other: &Purchase) -> bool {
    (&one.service, &one.function, &one.args) == (&other.service, &other.function, &other.args)
}

fn bid(nth: usize, supply: &Supply, limit: Amount) -> Bid {
    let Offer { seller, package, node, price_max, .. } = offer(nth, supply);
    let out = (supply.price > limit).then(|| format!("its bid of {} is above the limit of {limit}", supply.price));
    Bid { seller, package, node, price: out.is_none().then_some(price_max), out }
}

impl Market for CaseMarket {
    fn buy(&self, purchase: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>> {
        ready(self.purchase(&purchase)).boxed()
    }

    fn narrow(&self, service: &str, limits: Limits) -> Result<(), String> {
        let limit = self.limit(service).ok_or_else(|| format!("`{service}` is not among the imports that agent.toml buys"))?;
        let wished = limits.max_price.map(|units| Amount(units.into())).unwrap_or(limit);
        if wished > limit {
            return Err(format!("max-price {wished} is wider than {limit}; terms only ever narrow"));
        }
        lock(&self.narrowed).insert(service.to_owned(), wished);
        Ok(())
    }

    fn offers(&self, service: String, function: String) -> BoxFuture<'_, Result<Vec<Offer>, String>> {
        let sold = self.supplies.iter().filter(|supply| compatible(&service, &supply.service) && supply.function == function);
        let mut offers: Vec<Offer> = sold.enumerate().map(|(nth, supply)| offer(nth, supply)).collect();
        offers.sort_by_key(|offer| offer.price_max);
        ready(Ok(offers)).boxed()
    }

    fn tender(&self, purchase: Purchase, _: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>> {
        ready(self.bids(purchase)).boxed()
    }
}

fn offer(nth: usize, supply: &Supply) -> Offer {
    Offer {
        seller: format!("did:key:seller-{nth}"),
        package: "cases/seller@0.1.0".into(),
        node: "cases".into(),
        price_max: u64::try_from(supply.price.0).unwrap_or(u64::MAX),
        latency_ms: None,
    }
}

fn without_version(service: &str) -> &str {
    service.split('@').next().unwrap_or(service)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
