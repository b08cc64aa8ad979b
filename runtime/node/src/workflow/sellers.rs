//! Buying for runs: who can be asked, and one call bought under its name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hansa_economy::{Amount, PublicKey};
use hansa_host::Fault;
use hansa_trade::{Buyer, Candidate, Effect, Named, Order, Setback, Terms};
use hansa_workflow::limits::{CALL_KNOWN_FOR, CALL_TIME_USUAL};
use hansa_workflow::run::{Bought, Certainty, Missed, Offered, Purchase, Wanted};
use serde_json::Value;

use super::contracts::{Components, Function};
use super::deposits::Short;
use crate::ambient;

/// How long a seller that failed is asked after the others.
const AFTER_OTHERS_MS: u64 = 60_000;
/// Prices named for calls to come that are kept; all are forgotten when there are more.
const NAMED_PRICES_MAX: usize = 10_000;
/// How long is waited for deposits to come back out of channels before a purchase is tried again.
const DEPOSITS_BACK: Duration = Duration::from_millis(200);
/// How often it is, at most: longer than the grace time of a channel whose engine is gone.
const SHORT_TRIES_MAX: u32 = 400;

/// Where runs buy. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sellers {
    pub(crate) buyer: Buyer,
    pub(crate) components: Components,
    pub(super) short: Short,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Until when sellers that failed are asked after others, Unix milliseconds.
    failed: HashMap<PublicKey, u64>,
    /// Candidates with a price that was named for one call: by seller, function and arguments.
    priced: HashMap<(PublicKey, String, Vec<u8>), Candidate>,
}

impl Sellers {
    pub(crate) fn new(buyer: Buyer, components: Components) -> Sellers {
        Sellers { buyer, components, short: Short::default(), state: Arc::default() }
    }

    /// Who can be asked, best first.
    pub(crate) async fn offers(&self, wanted: &Wanted, args: &Value, most: Amount) -> Result<Vec<Offered>, Missed> {
        let terms = terms(wanted, most, None);
        let found = self.buyer.candidates(&wanted.service, &wanted.function, 0, &terms);
        let found = found.map_err(|none| missed(&none, Certainty::Nothing))?;
        let function = self.function(&found, wanted).await?;
        let order = order(wanted, args, &function)?;
        let priced = self.buyer.quote(&order, &terms).await;
        let mut priced = priced.map_err(|fault| missed(&fault, of_fault(&fault)))?;
        let mut state = self.lock();
        let now_ms = ambient::now_ms();
        state.failed.retain(|_, until_ms| *until_ms > now_ms);
        priced.sort_by_key(|candidate| state.failed.contains_key(&candidate.listed.offer.agent));
        if state.priced.len() > NAMED_PRICES_MAX {
            state.priced.clear();
        }
        for candidate in priced.iter().filter(|candidate| candidate.quote.is_some()) {
            let key = (candidate.listed.offer.agent, wanted.function.clone(), order.args.to_vec());
            state.priced.insert(key, candidate.clone());
        }
        Ok(priced.iter().map(offered).collect())
    }

    /// The function's types, as the first seller has it whose component can be had.
    async fn function(&self, candidates: &[Candidate], wanted: &Wanted) -> Result<Function, Missed> {
        let mut last = String::new();
        for candidate in candidates {
            match self.components.function(&candidate.listed, &wanted.function).await {
                Ok(function) => return Ok(function),
                Err(why) => last = why,
            }
        }
        Err(missed(&last, Certainty::Nothing))
    }

    /// Buy one call of one seller.
    pub(crate) async fn buy(&self, purchase: Purchase<'_>) -> Result<Bought, Missed> {
        // What may have been sent before is repeated, whatever hinders it now.
        let hindered = if purchase.is_repeat { Certainty::Unclear } else { Certainty::Nothing };
        let terms = terms(purchase.wanted, purchase.offered.price_max, Some(purchase.offered.seller));
        let candidate = self.candidate(&purchase, &terms).map_err(|what| missed(&what, hindered))?;
        let function = self.components.function(&candidate.listed, &purchase.wanted.function).await;
        let function = function.map_err(|what| missed(&what, hindered))?;
        let order = order(purchase.wanted, purchase.args, &function)?;
        let candidate = self.priced(&purchase, &order, candidate);
        let keep_s = u32::try_from(CALL_KNOWN_FOR.as_secs()).unwrap_or(u32::MAX);
        let named = Named { call: purchase.call, salt: purchase.salt, keep_s, is_repeat: purchase.is_repeat };
        let mut tries = 0;
        let bought = loop {
            match self.buyer.buy_named(&order, &candidate, &named, purchase.until_ms).await {
                // The till holds the budget, so its money lies in channels: bring it back.
                Err(Setback { fault: Fault::OverBudget(_), effect: Effect::None })
                    if tries < SHORT_TRIES_MAX && ambient::now_ms() < purchase.until_ms =>
                {
                    if tries == 0 {
                        self.buyer.close_channels().await;
                    }
                    tries += 1;
                    self.short.say();
                    tokio::time::sleep(DEPOSITS_BACK).await;
                }
                bought => break bought,
            }
        };
        let judged = match bought {
            Ok(bought) => judge(&function, bought),
            Err(setback) => Err(missed(&setback.fault, of_setback(&setback))),
        };
        if judged.as_ref().is_err_and(|missed| missed.certainty != Certainty::Useless) {
            self.lock().failed.insert(purchase.offered.seller, ambient::now_ms() + AFTER_OTHERS_MS);
        }
        judged
    }

    fn candidate(&self, purchase: &Purchase<'_>, terms: &Terms) -> Result<Candidate, String> {
        let Purchase { wanted, offered, .. } = purchase;
        let index = self.buyer_index();
        let found = index.candidates(&wanted.service, &wanted.function, 0, terms, ambient::now_ms());
        let found = found.map_err(|none| format!("{} cannot be asked: {none}", offered.package))?;
        let candidate = found.into_iter().next().ok_or_else(|| format!("{} offers nothing now", offered.package))?;
        Ok(Candidate { price_max: offered.price_max, ..candidate })
    }

    fn buyer_index(&self) -> &hansa_trade::OfferIndex {
        self.components.exchange().index()
    }

    /// With the price that its seller named for this very call.
    fn priced(&self, purchase: &Purchase<'_>, order: &Order, candidate: Candidate) -> Candidate {
        let key = (purchase.offered.seller, purchase.wanted.function.clone(), order.args.to_vec());
        match self.lock().priced.remove(&key) {
            Some(priced) if !purchase.is_repeat && priced.price_max <= purchase.offered.price_max => priced,
            _ => candidate,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic while sellers are locked")
    }
}

fn offered(candidate: &Candidate) -> Offered {
    let offer = &candidate.listed.offer;
    Offered { seller: offer.agent, package: offer.package.clone(), price_max: candidate.price_max }
}

/// A workflow's terms as trade has them.
pub(crate) fn terms(wanted: &Wanted, most: Amount, seller: Option<PublicKey>) -> Terms {
    let mine = &wanted.terms;
    let span = mine.deadline.unwrap_or(CALL_TIME_USUAL);
    Terms {
        max_price: mine.max_price.unwrap_or(Amount::MAX).min(most),
        deadline_ms: u32::try_from(span.as_millis()).unwrap_or(u32::MAX),
        prefer: match mine.prefer {
            Some(hansa_workflow::definition::Prefer::Fastest) => hansa_trade::Prefer::Fastest,
            _ => hansa_trade::Prefer::Cheapest,
        },
        labels: mine.labels.clone(),
        sellers: seller.map(|seller| vec![seller]).or_else(|| mine.sellers.clone()),
        nodes: wanted.nodes.clone(),
        retries: 0,
    }
}

fn order(wanted: &Wanted, args: &Value, function: &Function) -> Result<Order, Missed> {
    let args = function.args(args).map_err(|what| missed(&what, Certainty::Useless))?;
    let schema = function.schema.clone();
    Ok(Order {
        service: wanted.service.clone(),
        function: wanted.function.clone(),
        args: args.into(),
        fits: Arc::new(move |answer| schema.validate_result(answer).map_err(|error| error.to_string())),
    })
}

/// An answer that was paid for, unless it is a fault, which costs nothing.
fn judge(function: &Function, bought: hansa_trade::Bought) -> Result<Bought, Missed> {
    if let Some(fault) = Fault::from_result(&bought.answer) {
        let certainty = match fault {
            Fault::InvalidInput(_) | Fault::Refused(_) => Certainty::Useless,
            _ => Certainty::Nothing,
        };
        return Err(missed(&fault, certainty));
    }
    let value = function.value(&bought.answer);
    // Whatever it says: it was charged, and counts.
    let value = value.unwrap_or_else(|what| serde_json::json!({ "err": what }));
    Ok(Bought { value, charged: bought.charged, receipt: bought.receipt })
}

fn of_setback(setback: &Setback) -> Certainty {
    match setback.effect {
        Effect::Unclear => Certainty::Unclear,
        Effect::Broke => Certainty::Nothing,
        Effect::None => of_fault(&setback.fault),
    }
}

/// Of a call that did not run.
fn of_fault(fault: &Fault) -> Certainty {
    match fault {
        Fault::InvalidInput(_) => Certainty::Useless,
        _ => Certainty::Nothing,
    }
}

fn missed(what: &dyn std::fmt::Display, certainty: Certainty) -> Missed {
    Missed { what: what.to_string(), certainty }
}
