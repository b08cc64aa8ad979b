//! The offers this node knows of, by service, and the choice among them. Derived: rebuilt from the bus at any time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use hansa_economy::offer::{Offer, OfferError};
use hansa_economy::{Amount, Digest, PublicKey, Signed, StatementError, Verifier};

use crate::asking::HeldQuote;
use crate::exchange::call_subject;
use crate::limits::{LATENCY_MS_MAX, OFFERS_MAX};
use crate::terms::{Prefer, Terms};

/// An offer that was verified, with what a call under it needs.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The offer.
    pub offer: Offer,
    /// Digest of its signed bytes.
    pub digest: Digest,
    /// The agent's key, ready to verify with.
    pub verifier: Verifier,
    /// Where the agent takes calls.
    pub call_subject: String,
}

/// An offer with what it would cost a given call.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The offer.
    pub listed: Arc<Listed>,
    /// The least that an answer can cost; free calls aside.
    pub price_min: Amount,
    /// The most that the call can cost.
    pub price_max: Amount,
    /// The price that the seller named for it; none before it was asked, and where its offer tells the price.
    pub quote: Option<Arc<HeldQuote>>,
    /// Its price is named on request.
    pub quoted: bool,
    /// Median-like average of this node's own calls, milliseconds.
    pub latency_ms: Option<u32>,
}

impl Candidate {
    /// Is its price still to be asked for?
    pub fn is_open(&self) -> bool {
        self.quoted && self.quote.is_none()
    }

    /// The same for the price that its seller named.
    pub(crate) fn at(self, held: HeldQuote) -> Candidate {
        let price = held.quote.body.price;
        let price_min = if self.quoted { price } else { self.price_min.min(price) };
        Candidate { price_min, price_max: price, quote: Some(Arc::new(held)), ..self }
    }

    /// What the terms have to allow for it to be of use.
    fn needs(&self) -> Amount {
        if self.is_open() { self.price_min } else { self.price_max }
    }
}

/// Why an offer does not come into the index.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Not a signed offer.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Not a good one.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Older than the one known.
    #[error("a newer revision of this offer is known")]
    Older,
    /// Too many offers.
    #[error("the index is full ({OFFERS_MAX} offers)")]
    Full,
}

/// Why there is nothing to choose from; each says the next step.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoOffer {
    /// Nobody sells it.
    #[error("nobody sells `{0}`; see `hansa service search`")]
    Service(String),
    /// It is sold, but not this function of it.
    #[error("sellers of `{service}` do not offer `{function}`")]
    Function {
        /// The service.
        service: String,
        /// The function.
        function: String,
    },
    /// Too dear.
    #[error("the cheapest offer costs up to {cheapest}, above the limit of {limit}; raise max-price")]
    Price {
        /// The lowest price found.
        cheapest: Amount,
        /// The buyer's limit.
        limit: Amount,
    },
    /// The other terms exclude all.
    #[error(
        "{0} offers exist, but none has the labels and sellers that the terms ask for and is trusted; a seller that broke its word is left aside for five minutes"
    )]
    Terms(usize),
}

type Key = (PublicKey, String);

/// The index. Cheap to share.
#[derive(Clone, Default)]
pub struct OfferIndex {
    offers: Arc<RwLock<Shelves>>,
    latency: Arc<Mutex<HashMap<Key, u32>>>,
}

/// Offers by interface name without version, so that a search sees only those that may satisfy it.
#[derive(Default)]
struct Shelves {
    shelves: HashMap<String, HashMap<Key, Arc<Listed>>>,
    count: usize,
}

impl Shelves {
    fn of(&self, service: &str) -> impl Iterator<Item = &Arc<Listed>> {
        self.shelves.get(interface(service)).into_iter().flat_map(HashMap::values)
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Listed>> {
        self.shelves.values().flat_map(HashMap::values)
    }

    fn put(&mut self, key: Key, listed: Arc<Listed>) -> Result<(), ListError> {
        let known = self.shelves.get(interface(&key.1)).and_then(|shelf| shelf.get(&key));
        match known {
            Some(known) if known.offer.revision > listed.offer.revision => return Err(ListError::Older),
            None if self.count >= OFFERS_MAX => return Err(ListError::Full),
            Some(_) => {}
            None => self.count += 1,
        }
        self.shelves.entry(interface(&key.1).to_owned()).or_default().insert(key, listed);
        Ok(())
    }

    fn remove(&mut self, key: &Key) {
        let Some(shelf) = self.shelves.get_mut(interface(&key.1)) else {
            return;
        };
        self.count -= usize::from(shelf.remove(key).is_some());
        if shelf.is_empty() {
            self.shelves.remove(interface(&key.1));
        }
    }
}

/// The name of a service without its version.
fn interface(service: &str) -> &str {
    service.split('@').next().unwrap_or(service)
}

impl OfferIndex {
    /// Verify `bytes` as a signed offer and list it; it replaces an older one of the same agent and service.
    pub fn list(&self, bytes: &[u8], now_ms: u64) -> Result<Arc<Listed>, ListError> {
        let signed = Signed::<Offer>::open(bytes)?;
        signed.body.check(signed.signer, now_ms)?;
        let verifier = signed.signer.verifier().map_err(StatementError::from)?;
        let key = (signed.body.agent, signed.body.service.clone());
        let call_subject = call_subject(&signed.body.agent);
        let listed = Arc::new(Listed { digest: signed.digest(), offer: signed.body, verifier, call_subject });
        self.offers.write().expect("no panic while the index is locked").put(key, listed.clone())?;
        Ok(listed)
    }

    /// Forget the offer of `agent` for `service`.
    pub fn remove(&self, agent: PublicKey, service: &str) {
        self.offers.write().expect("no panic while the index is locked").remove(&(agent, service.to_owned()));
    }

    /// Forget everything, before the bus delivers all of it again.
    pub fn clear(&self) {
        *self.offers.write().expect("no panic while the index is locked") = Shelves::default();
    }

    /// Note how long a call took.
    pub fn note_latency(&self, agent: PublicKey, service: &str, took_ms: u32) {
        let mut latency = self.latency.lock().expect("no panic while latencies are locked");
        let known = latency.entry((agent, service.to_owned())).or_insert(took_ms);
        *known = (*known / 8 * 7).saturating_add(took_ms.min(LATENCY_MS_MAX) / 8).max(took_ms.min(1));
    }

    /// Every offer that is good at `now_ms`, ordered by service and price.
    pub fn all(&self, now_ms: u64) -> Vec<Arc<Listed>> {
        let offers = self.offers.read().expect("no panic while the index is locked");
        let mut all: Vec<_> = offers.all().filter(|listed| listed.offer.valid_until_ms > now_ms).cloned().collect();
        all.sort_by(|a, b| (&a.offer.service, a.offer.agent).cmp(&(&b.offer.service, b.offer.agent)));
        all
    }

    /// Offers for a call of `service`.`function` with `request_bytes` of arguments that satisfy `terms`, best first.
    pub fn candidates(
        &self,
        service: &str,
        function: &str,
        request_bytes: usize,
        terms: &Terms,
        now_ms: u64,
    ) -> Result<Vec<Candidate>, NoOffer> {
        let sellers = self.sellers_of(service, now_ms);
        if sellers.is_empty() {
            return Err(NoOffer::Service(service.to_owned()));
        }
        let priced: Vec<Candidate> =
            sellers.into_iter().filter_map(|listed| self.candidate(listed, function, request_bytes)).collect();
        if priced.is_empty() {
            return Err(NoOffer::Function { service: service.to_owned(), function: function.to_owned() });
        }
        let known = priced.len();
        let mut fitting: Vec<Candidate> = priced.into_iter().filter(|candidate| fits(&candidate.listed.offer, terms)).collect();
        let Some(cheapest) = fitting.iter().map(Candidate::needs).min() else {
            return Err(NoOffer::Terms(known));
        };
        if cheapest > terms.max_price {
            return Err(NoOffer::Price { cheapest, limit: terms.max_price });
        }
        fitting.retain(|candidate| candidate.needs() <= terms.max_price);
        sort(&mut fitting, terms.prefer);
        Ok(fitting)
    }

    fn sellers_of(&self, service: &str, now_ms: u64) -> Vec<Arc<Listed>> {
        let offers = self.offers.read().expect("no panic while the index is locked");
        let good = |listed: &&Arc<Listed>| listed.offer.valid_until_ms > now_ms && listed.offer.satisfies(service);
        offers.of(service).filter(good).cloned().collect()
    }

    fn candidate(&self, listed: Arc<Listed>, function: &str, request_bytes: usize) -> Option<Candidate> {
        let price = listed.offer.functions.get(function)?;
        let (price_min, price_max, quoted) = (price.floor(request_bytes), price.ceiling(request_bytes), price.quoted);
        let latency = self.latency.lock().expect("no panic while latencies are locked");
        let latency_ms = latency.get(&(listed.offer.agent, listed.offer.service.clone())).copied();
        Some(Candidate { listed, price_min, price_max, quoted, quote: None, latency_ms })
    }
}

pub(crate) fn fits(offer: &Offer, terms: &Terms) -> bool {
    let labelled = |(name, value): (&String, &String)| offer.labels.get(name).is_some_and(|values| values.contains(value));
    terms.labels.iter().all(labelled)
        && terms.sellers.as_ref().is_none_or(|sellers| sellers.contains(&offer.agent))
        && terms.nodes.as_ref().is_none_or(|nodes| nodes.contains(&offer.node))
}

/// Best first. Ties are broken by key, so that two nodes choose alike.
pub(crate) fn sort(candidates: &mut [Candidate], prefer: Prefer) {
    candidates.sort_by_key(|candidate| (rank(candidate, prefer), candidate.listed.offer.agent));
}

/// The lower, the better.
pub(crate) fn rank(candidate: &Candidate, prefer: Prefer) -> (u128, u128) {
    let latency = u128::from(candidate.latency_ms.unwrap_or(0));
    let price = candidate.price_max.0;
    match prefer {
        Prefer::Cheapest => (price, latency),
        Prefer::Fastest => (latency, price),
    }
}

#[cfg(test)]
mod tests;
