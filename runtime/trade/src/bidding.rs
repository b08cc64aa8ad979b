//! Bidding in tenders: the seller's side. A bid is worked out and sealed before the deadline, opened after it, and then an ordinary quote.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hansa_economy::call::{Refusal, RefusalCode};
use hansa_economy::quote::{BidIn, Quote};
use hansa_economy::tender::{Invitation, OpenedBid, Opening, Outcome, SealedBid, Tender, seal};
use hansa_economy::{Amount, Digest, PublicKey, Signed};
use minicbor::bytes::ByteVec;

use crate::limits::{
    BID_KEPT, BIDS_FOR_STRANGERS_MAX, BIDS_KEPT_MAX, QUOTE_LIFE, QUOTE_TIME_MAX, TENDER_SELLERS_MAX, TENDER_SKEW_MAX,
    TENDER_WAIT_MAX,
};
use crate::port::{Invited, PayReply, Told};
use crate::quoting::{Question, declined};
use crate::seller::{Inner, overloaded};

/// Bids of one agent in tenders that have not ended, by buyer and tender.
#[derive(Default)]
pub(crate) struct Bids(Mutex<HashMap<Key, Bid>>);

type Key = (PublicKey, Digest);

#[derive(Clone)]
struct Bid {
    asked: Digest,
    until_ms: u64,
    function: String,
    price: Amount,
    sealed: ByteVec,
    opened: OpenedBid,
    /// The buyer had a channel to this seller.
    known: bool,
    /// The outcome was heard. The bid stays until the deadline, so that the same tender cannot get a second one.
    told: bool,
}

impl Bid {
    fn is_kept(&self, now_ms: u64) -> bool {
        let kept = if self.told { 0 } else { millis(BID_KEPT) };
        self.until_ms.saturating_add(kept) > now_ms
    }
}

impl Bids {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Bid>> {
        self.0.lock().expect("no panic while bids are locked")
    }

    fn has_room(&self, now_ms: u64, known: bool) -> bool {
        let mut bids = self.lock();
        bids.retain(|_, bid| bid.is_kept(now_ms));
        let for_strangers = bids.values().filter(|bid| !bid.known).count();
        bids.len() < BIDS_KEPT_MAX && (known || for_strangers < BIDS_FOR_STRANGERS_MAX)
    }

    /// The bid that stands in this tender.
    fn of(&self, tender: &Tender) -> Result<Option<Bid>, Refusal> {
        match self.lock().get(&key(tender)) {
            Some(bid) if bid.asked != tender.asked => {
                Err(declined("another call of this buyer has that tender's id; draw another"))
            }
            found => Ok(found.cloned()),
        }
    }

    /// The bid of a tender whose outcome is heard now, for the first time.
    fn end(&self, key: &Key) -> Result<Bid, Refusal> {
        let mut bids = self.lock();
        let bid = bids.get_mut(key).filter(|bid| !bid.told);
        let bid = bid.ok_or_else(|| declined("no bid of this seller waits for that outcome"))?;
        bid.told = true;
        Ok(bid.clone())
    }
}

fn key(tender: &Tender) -> Key {
    (tender.buyer, tender.id)
}

fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// Answer an invitation. Asked again for the same tender, the bid stays what it was.
pub(crate) async fn bid(inner: &Inner, invitation: Invitation) -> PayReply {
    match sealed(inner, invitation).await {
        Ok(sealed) => PayReply::Sealed(sealed),
        Err(refusal) => PayReply::NoQuote(refusal),
    }
}

async fn sealed(inner: &Inner, invitation: Invitation) -> Result<ByteVec, Refusal> {
    let tender = read(inner, &invitation)?;
    let left = time_left(inner, &tender)?;
    if let Some(bid) = inner.bids.of(&tender)? {
        return Ok(bid.sealed);
    }
    let question = Question::new(inner, invitation.asked)?;
    if question.offer.valid_until_ms <= tender.bids_until_ms {
        return Err(Refusal::new(
            RefusalCode::OfferChanged,
            "the offer ends before the bids are opened; look at the present one",
        ));
    }
    let known = inner.ledgers.is_payer(tender.buyer);
    if !inner.bids.has_room(inner.exchange.now_ms(), known) {
        return Err(overloaded());
    }
    let price = price(inner, &question, &tender, left).await?;
    time_left(inner, &tender)?;
    let until_ms = tender.bids_until_ms.saturating_add(millis(QUOTE_LIFE));
    Ok(keep(inner, &tender, known, question.promise(price, until_ms, Some(tender.bid_in()))))
}

fn read(inner: &Inner, invitation: &Invitation) -> Result<Tender, Refusal> {
    let malformed = |what: String| Refusal::new(RefusalCode::Malformed, what);
    let signed = Signed::<Tender>::open(&invitation.tender).map_err(|error| malformed(format!("not a tender: {error}")))?;
    let tender = signed.body;
    match signed.signer == tender.buyer && tender.is_for(&invitation.asked, inner.key.public()) {
        true => Ok(tender),
        false => Err(malformed("the tender is signed by another key than its buyer's, or is for another seller or call".into())),
    }
}

fn time_left(inner: &Inner, tender: &Tender) -> Result<Duration, Refusal> {
    let now = inner.exchange.now_ms();
    let left = tender.bids_until_ms.saturating_sub(now);
    if left == 0 {
        let late = "bids were due before this; is a clock wrong?";
        return Err(Refusal::new(RefusalCode::Deadline, late));
    }
    let most = millis(TENDER_WAIT_MAX + TENDER_SKEW_MAX);
    match left <= most {
        true => Ok(Duration::from_millis(left)),
        false => Err(declined(format!("bids are due in {left} ms, and a tender waits at most {} ms", millis(TENDER_WAIT_MAX)))),
    }
}

/// What the agent bids.
async fn price(inner: &Inner, question: &Question<'_>, tender: &Tender, left: Duration) -> Result<Amount, Refusal> {
    let time = left.min(QUOTE_TIME_MAX);
    let list = (!question.price.quoted).then(|| question.price.ceiling(question.request.args.len()));
    let invited = Invited { asked: question.asked(time), tender: tender.id, buyer: tender.buyer, list };
    let bid = question.said(inner.serve.bid(invited), time).await?.ok_or_else(|| declined("it does not bid for this call"))?;
    question.check(bid)?;
    match list {
        Some(list) if bid > list => Err(declined(format!("its bid of {bid} is above the {list} that its offer asks"))),
        _ => Ok(bid),
    }
}

/// Where the same invitation came twice, the first bid stands.
fn keep(inner: &Inner, tender: &Tender, known: bool, quote: Signed<Quote>) -> ByteVec {
    let salt = inner.exchange.ambient().bytes::<16>();
    let seal = seal(&salt, quote.bytes());
    let sealed = Signed::new(SealedBid { tender: tender.id, seller: inner.key.public(), seal }, &inner.key);
    let bid = Bid {
        asked: tender.asked,
        until_ms: tender.bids_until_ms,
        function: quote.body.function.clone(),
        price: quote.body.price,
        sealed: sealed.bytes().to_vec().into(),
        opened: OpenedBid { salt: salt.to_vec().into(), quote: quote.bytes().to_vec().into() },
        known,
        told: false,
    };
    inner.bids.lock().entry(key(tender)).or_insert(bid).sealed.clone()
}

/// Open the bid to its buyer, once bids are due by this node's own clock: not before, or the buyer could tell others what it is.
pub(crate) async fn open(inner: &Inner, opening: &[u8]) -> PayReply {
    let bid = match wanted(inner, opening) {
        Ok(bid) => bid,
        Err(refusal) => return PayReply::NoQuote(refusal),
    };
    loop {
        let early = bid.until_ms.saturating_sub(inner.exchange.now_ms());
        if early == 0 {
            return PayReply::Opened(bid.opened);
        }
        if early > millis(TENDER_SKEW_MAX) {
            let message = format!("bids are due in {early} ms, and are not opened before; is a clock wrong?");
            return PayReply::NoQuote(Refusal::new(RefusalCode::Deadline, message));
        }
        tokio::time::sleep(Duration::from_millis(early)).await;
    }
}

fn wanted(inner: &Inner, opening: &[u8]) -> Result<Bid, Refusal> {
    let malformed = |what: String| Refusal::new(RefusalCode::Malformed, what);
    let opening = Signed::<Opening>::open(opening).map_err(|error| malformed(format!("not a wish to open a bid: {error}")))?;
    if opening.body.seller != inner.key.public() {
        return Err(malformed("the wish to open a bid is for another seller".into()));
    }
    let bid = inner.bids.lock().get(&(opening.signer, opening.body.tender)).cloned();
    bid.ok_or_else(|| declined("there is no bid for this buyer in that tender here, or no longer"))
}

/// Hear how a tender ended.
pub(crate) fn told(inner: &Inner, outcome: &[u8]) -> PayReply {
    match heard(inner, outcome) {
        Ok(()) => PayReply::Taken(1),
        Err(refusal) => PayReply::Refused(refusal.message),
    }
}

fn heard(inner: &Inner, outcome: &[u8]) -> Result<(), Refusal> {
    let outcome = Signed::<Outcome>::open(outcome).map_err(|error| declined(format!("not an outcome: {error}")))?;
    let (buyer, outcome) = (outcome.signer, outcome.body);
    let bid = inner.bids.end(&(buyer, outcome.tender))?;
    let bid_in = BidIn { tender: outcome.tender, buyer };
    let bids: Vec<Signed<Quote>> =
        outcome.bids.iter().take(TENDER_SELLERS_MAX).filter_map(|bytes| in_tender(bid_in, bytes)).collect();
    let of = |seller: PublicKey| bids.iter().find(|quote| quote.signer == seller).map(|quote| (seller, quote.body.price));
    inner.serve.told(&Told {
        tender: outcome.tender,
        function: &bid.function,
        bid: bid.price,
        winner: outcome.winner.and_then(of),
        bids: bids.len(),
        counted: of(inner.key.public()).is_some(),
    });
    Ok(())
}

/// A bid of an outcome, if its bidder signed it for this tender.
fn in_tender(bid_in: BidIn, bytes: &[u8]) -> Option<Signed<Quote>> {
    let quote = Signed::<Quote>::open(bytes).ok()?;
    (quote.body.bid == Some(bid_in) && quote.body.seller == quote.signer).then_some(quote)
}
