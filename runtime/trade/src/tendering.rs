//! Tenders: the buyer's side. All sellers are asked at once, their bids stay sealed until the deadline, and the best one is bought by like any
//! quote.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hansa_economy::call::RefusalCode;
use hansa_economy::quote::QuoteRequest;
use hansa_economy::tender::{Invitation, OpenedBid, Opening, Outcome, SealedBid, Tender, lot};
use hansa_economy::{Amount, Digest, PublicKey, Signed};
use hansa_host::Fault;

use crate::asking::{HeldQuote, OTHER_ANSWER, Unsaid};
use crate::buyer::{Inner, Order};
use crate::index::{Candidate, Listed, NoOffer, fits, rank};
use crate::limits::{OPENING_WAIT, OUTCOME_WAIT, QUOTE_LIFE, TENDER_SELLERS_MAX, TENDER_WAIT_MAX, TENDER_WAIT_MIN};
use crate::port::{PayReply, PayRequest};
use crate::proof;
use crate::terms::{Prefer, Terms};

/// How often the clock is looked at while bids come in: it may be set meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// What came of a tender.
#[derive(Clone, Debug)]
pub struct Tendered {
    /// Names it.
    pub id: Digest,
    /// Of everybody who was asked: those that count first, best first, then the others.
    pub bids: Vec<Bid>,
    /// Whoever sealed a bid, and hears how it ends.
    bidders: Vec<Arc<Listed>>,
    /// Unix milliseconds: no bid holds longer, whatever its seller wrote.
    ends_ms: u64,
}

/// One seller in a tender.
#[derive(Clone, Debug)]
pub struct Bid {
    /// The seller; its price is what it bid where that counts, else what its offer says.
    pub candidate: Candidate,
    /// Why it does not count.
    pub out: Option<NoBid>,
}

/// Why a seller is out of a tender.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoBid {
    /// It says why.
    #[error("no bid: {0}")]
    Declined(String),
    /// Nothing came.
    #[error("no bid before the deadline")]
    Silent,
    /// Something came, later.
    #[error("its bid came after the deadline")]
    Late,
    /// It sealed a bid, and nothing came of it in time, or its clock is far behind.
    #[error("its bid was not opened in time: {0}")]
    Unopened(String),
    /// It sealed a bid, and does not want to open it.
    #[error("it does not open the bid that it had sealed: {0}")]
    Hidden(String),
    /// What it opened is another bid.
    #[error("it opened another bid than the one that it had sealed")]
    Changed,
    /// The bid is not its own, or is for something else.
    #[error("its bid is false: {0}")]
    False(String),
    /// Beyond its own offer.
    #[error("its bid of {bid} is above the {most} of its own offer")]
    AboveOffer {
        /// What it bid.
        bid: Amount,
        /// What its offer allows.
        most: Amount,
    },
    /// Beyond the buyer's limit, which it was not told.
    #[error("its bid of {bid} is above the limit of {limit}")]
    AboveLimit {
        /// What it bid.
        bid: Amount,
        /// The most that the buyer pays.
        limit: Amount,
    },
}

impl NoBid {
    /// Did the seller break its word? Then it is left aside for a while.
    fn breaks_word(&self) -> bool {
        matches!(self, NoBid::Hidden(_) | NoBid::Changed | NoBid::False(_) | NoBid::AboveOffer { .. })
    }
}

impl Tendered {
    /// The best bid.
    pub fn winner(&self) -> Option<&Bid> {
        self.bids.first().filter(|bid| bid.out.is_none())
    }

    /// Can anything still be bought by it at `now_ms` (Unix)?
    pub fn holds(&self, now_ms: u64) -> bool {
        let quotes = self.bids.iter().filter_map(|bid| bid.candidate.quote.as_ref());
        quotes.map(|held| held.quote.body.valid_until_ms.min(self.ends_ms)).max().is_some_and(|until_ms| until_ms > now_ms)
    }

    /// The bids that count and are within `terms`, best first. Fault: there is none, and why.
    pub(crate) fn within(&self, terms: &Terms) -> Result<Vec<Candidate>, Fault> {
        let counting = self.bids.iter().filter(|bid| bid.out.is_none());
        let counting: Vec<&Candidate> =
            counting.map(|bid| &bid.candidate).filter(|candidate| fits(&candidate.listed.offer, terms)).collect();
        let Some(cheapest) = counting.iter().map(|candidate| candidate.price_max).min() else {
            return Err(Fault::NoOffer(self.nobody()));
        };
        if cheapest > terms.max_price {
            return Err(Fault::OverBudget(NoOffer::Price { cheapest, limit: terms.max_price }.to_string()));
        }
        Ok(counting.into_iter().filter(|candidate| candidate.price_max <= terms.max_price).cloned().collect())
    }

    /// Why there is no winner, seller by seller.
    fn nobody(&self) -> String {
        let why = |bid: &Bid| {
            let offer = &bid.candidate.listed.offer;
            let out = bid.out.as_ref().map_or("not within the terms".to_owned(), NoBid::to_string);
            format!("{} on node {}: {out}", offer.package, offer.node_name)
        };
        let reasons: Vec<String> = self.bids.iter().map(why).collect();
        format!("no bid counts; {}", reasons.join("; "))
    }
}

/// Is it a time that a tender can wait?
pub(crate) fn check_wait(wait: Duration) -> Result<(), String> {
    if (TENDER_WAIT_MIN..=TENDER_WAIT_MAX).contains(&wait) {
        return Ok(());
    }
    let (least, most) = (TENDER_WAIT_MIN.as_millis(), TENDER_WAIT_MAX.as_millis());
    Err(format!("a tender that waits `{}` ms; wait {least} to {most} ms", wait.as_millis()))
}

/// What the tenders of all sellers have in common.
struct PutOut {
    id: Digest,
    bids_until_ms: u64,
    /// A clock that is set back meanwhile makes nobody wait longer.
    latest: Instant,
}

/// A seller that was asked, and its sealed bid.
struct Sealed {
    candidate: Candidate,
    asked: QuoteRequest,
    tender: Tender,
    bid: Result<SealedBid, NoBid>,
}

impl Inner {
    /// Ask `all` for bids on `order`, or some of them where they are too many, and judge the bids by `terms`.
    pub(crate) async fn tender(&self, order: &Order, terms: &Terms, all: Vec<Candidate>, wait: Duration) -> Tendered {
        let put_out = self.drawn_up(wait);
        let invited = invited(put_out.id, all);
        let sealed = join_all(invited.into_iter().map(|candidate| self.invite(order, &put_out, candidate))).await;
        self.wait_until(put_out.bids_until_ms, put_out.latest).await;
        let mut bids = join_all(sealed.iter().map(|sealed| self.opened(sealed, terms.max_price))).await;
        best_first(&mut bids, put_out.id, terms.prefer);
        let bidders = sealed.into_iter().filter(|sealed| sealed.bid.is_ok()).map(|sealed| sealed.candidate.listed);
        let ends_ms = put_out.bids_until_ms.saturating_add(QUOTE_LIFE.as_millis() as u64);
        Tendered { id: put_out.id, bids, bidders: bidders.collect(), ends_ms }
    }

    fn drawn_up(&self, wait: Duration) -> PutOut {
        PutOut {
            id: Digest(self.exchange.ambient().bytes()),
            bids_until_ms: self.exchange.now_ms().saturating_add(wait.as_millis() as u64),
            latest: Instant::now() + wait + OPENING_WAIT,
        }
    }

    fn left(&self, until_ms: u64) -> Duration {
        Duration::from_millis(until_ms.saturating_sub(self.exchange.now_ms()))
    }

    async fn wait_until(&self, until_ms: u64, latest: Instant) {
        while !self.left(until_ms).is_zero() && Instant::now() < latest {
            tokio::time::sleep(self.left(until_ms).min(LOOK)).await;
        }
    }

    async fn invite(&self, order: &Order, put_out: &PutOut, candidate: Candidate) -> Sealed {
        let asked = self.question(order, &candidate.listed);
        let until_ms = put_out.bids_until_ms;
        let tender = Tender {
            id: put_out.id,
            buyer: self.payer.key.public(),
            seller: candidate.listed.offer.agent,
            asked: asked.digest(),
            bids_until_ms: until_ms,
        };
        let signed = Signed::new(tender.clone(), &self.payer.key);
        let invitation = Invitation { tender: signed.bytes().to_vec().into(), asked: asked.clone() };
        let reply = self.say(&candidate.listed, PayRequest::Tender(invitation), self.left(until_ms)).await;
        let bid = match reply {
            Ok(PayReply::Sealed(bytes)) if !self.left(until_ms).is_zero() => self.sealed(tender.id, &candidate, &bytes),
            Ok(PayReply::Sealed(_)) => Err(NoBid::Late),
            Ok(PayReply::NoQuote(refusal)) => Err(NoBid::Declined(refusal.message)),
            Ok(_) => Err(NoBid::Declined(OTHER_ANSWER.into())),
            Err(Unsaid::Silent) => Err(NoBid::Silent),
            Err(Unsaid::Lost(what)) => Err(NoBid::Declined(what)),
        };
        Sealed { candidate, asked, tender, bid }
    }

    fn sealed(&self, tender: Digest, candidate: &Candidate, bytes: &[u8]) -> Result<SealedBid, NoBid> {
        let listed = &candidate.listed;
        let bid = proof::check_sealed_bid(bytes, &listed.verifier, self.exchange.heads());
        let bid = bid.map_err(|error| NoBid::False(error.to_string()))?.body;
        match bid.tender == tender && bid.seller == listed.offer.agent {
            true => Ok(bid),
            false => Err(NoBid::False("it is for another tender".into())),
        }
    }

    async fn opened(&self, sealed: &Sealed, limit: Amount) -> Bid {
        let held = match &sealed.bid {
            Ok(bid) => self.open(sealed, bid, limit).await,
            Err(out) => Err(out.clone()),
        };
        let candidate = sealed.candidate.clone();
        let offer = &candidate.listed.offer;
        match held {
            Ok(held) => Bid { candidate: candidate.at(held), out: None },
            Err(out) => {
                if out.breaks_word() {
                    tracing::warn!(seller = %offer.agent, package = %offer.package, %out, "a seller broke its word in a tender");
                    self.exchange.distrust(offer.agent);
                }
                Bid { candidate, out: Some(out) }
            }
        }
    }

    async fn open(&self, sealed: &Sealed, bid: &SealedBid, limit: Amount) -> Result<HeldQuote, NoBid> {
        let opening = Signed::new(Opening { tender: bid.tender, seller: bid.seller }, &self.payer.key);
        let opening = PayRequest::Open(opening.bytes().to_vec().into());
        match self.say(&sealed.candidate.listed, opening, OPENING_WAIT).await {
            Ok(PayReply::Opened(opened)) if bid.holds(&opened) => self.judged(sealed, &opened, limit),
            Ok(PayReply::Opened(_)) => Err(NoBid::Changed),
            Ok(PayReply::NoQuote(refusal)) if refusal.code == RefusalCode::Deadline => Err(NoBid::Unopened(refusal.message)),
            Ok(PayReply::NoQuote(refusal)) => Err(NoBid::Hidden(refusal.message)),
            Ok(_) => Err(NoBid::Hidden(OTHER_ANSWER.into())),
            Err(unsaid) => Err(NoBid::Unopened(unsaid.to_string())),
        }
    }

    fn judged(&self, sealed: &Sealed, opened: &OpenedBid, limit: Amount) -> Result<HeldQuote, NoBid> {
        let listed = &sealed.candidate.listed;
        let quote = proof::check_quote(&opened.quote, &listed.verifier, self.exchange.heads());
        let quote = quote.map_err(|error| NoBid::False(error.to_string()))?;
        if quote.body.bid != Some(sealed.tender.bid_in()) || !quote.body.answers(&sealed.asked, listed.offer.agent) {
            return Err(NoBid::False("it is for another tender or call".into()));
        }
        let (bid, most) = (quote.body.price, sealed.candidate.price_max);
        match (bid > most, bid > limit) {
            (true, _) => Err(NoBid::AboveOffer { bid, most }),
            (_, true) => Err(NoBid::AboveLimit { bid, limit }),
            _ => Ok(HeldQuote { quote, salt: sealed.asked.salt.clone() }),
        }
    }

    /// Tell all who bid how it ended. Whoever does not hear it in time has lost nothing but that.
    pub(crate) async fn conclude(&self, tendered: &Tendered, winner: Option<PublicKey>) {
        let quotes = tendered.bids.iter().filter_map(|bid| bid.candidate.quote.as_ref());
        let bids = quotes.map(|held| held.quote.bytes().to_vec().into()).collect();
        let signed = Signed::new(Outcome { tender: tendered.id, bids, winner }, &self.payer.key);
        let outcome = || PayRequest::Outcome(signed.bytes().to_vec().into());
        join_all(tendered.bidders.iter().map(|bidder| self.say(bidder, outcome(), OUTCOME_WAIT))).await;
    }
}

/// Who is asked. Of too many, half are sellers that this node has bought from, where there are so many; all are drawn by lot, so that many keys
/// with cheap offers can crowd others out of one tender, and not of all.
fn invited(tender: Digest, mut all: Vec<Candidate>) -> Vec<Candidate> {
    if all.len() <= TENDER_SELLERS_MAX {
        return all;
    }
    all.sort_by_cached_key(|candidate| lot(tender, candidate.listed.offer.agent));
    let (known, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|candidate| candidate.latency_ms.is_some());
    let for_known = TENDER_SELLERS_MAX.saturating_sub(others.len()).max(TENDER_SELLERS_MAX / 2);
    known.into_iter().take(for_known).chain(others).take(TENDER_SELLERS_MAX).collect()
}

/// Those that count, by the buyer's preference; alike ones by lot, not by who was first. Then those that do not, by lot too.
fn best_first(bids: &mut [Bid], tender: Digest, prefer: Prefer) {
    bids.sort_by_cached_key(|bid| {
        let out = bid.out.is_some();
        (out, if out { (0, 0) } else { rank(&bid.candidate, prefer) }, lot(tender, bid.candidate.listed.offer.agent))
    });
}
