//! Bidding in tenders: the seller's side. A bid is worked out and sealed before the deadline, opened after it, and then an ordinary quote.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hansa_economy::call::{Refusal, RefusalCode};
use hansa_economy::quote::Quote;
use hansa_economy::tender::{Invitation, OpenedBid, Outcome, SealedBid, Tender, seal};
use hansa_economy::{Amount, Digest, PublicKey, Signed};
use minicbor::bytes::ByteVec;

use crate::limits::{BID_KEPT, BIDS_OPEN_MAX, QUOTE_LIFE, QUOTE_TIME_MAX, TENDER_SELLERS_MAX, TENDER_SKEW_MAX, TENDER_WAIT_MAX};
use crate::port::{Invited, PayReply, Told};
use crate::quoting::{Question, declined};
use crate::seller::{Inner, overloaded};

/// Bids of one agent in tenders that have not ended.
#[derive(Default)]
pub(crate) struct Bids(Mutex<HashMap<Digest, Bid>>);

#[derive(Clone)]
struct Bid {
    buyer: PublicKey,
    until_ms: u64,
    function: String,
    price: Amount,
    sealed: ByteVec,
    opened: OpenedBid,
    /// The outcome was heard. The bid stays until its time is over, so that the same tender cannot get a second one.
    told: bool,
}

impl Bids {
    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Bid>> {
        self.0.lock().expect("no panic while bids are locked")
    }

    fn has_room(&self, now_ms: u64) -> bool {
        let mut bids = self.lock();
        bids.retain(|_, bid| bid.until_ms.saturating_add(millis(BID_KEPT)) > now_ms);
        bids.len() < BIDS_OPEN_MAX
    }

    /// The bid that stands in this tender; none from this buyer.
    fn of(&self, tender: Digest, buyer: PublicKey) -> Result<Option<Bid>, Refusal> {
        match self.lock().get(&tender) {
            Some(bid) if bid.buyer != buyer => Err(declined("another buyer has a tender of this id; draw another")),
            found => Ok(found.cloned()),
        }
    }

    /// The bid of a tender whose outcome is heard now, for the first time.
    fn end(&self, tender: Digest, buyer: PublicKey) -> Result<Bid, Refusal> {
        let mut bids = self.lock();
        let bid = bids.get_mut(&tender).filter(|bid| bid.buyer == buyer && !bid.told);
        let bid = bid.ok_or_else(|| declined("no bid of this seller waits for that outcome"))?;
        bid.told = true;
        Ok(bid.clone())
    }
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
    let tender = read(&invitation)?;
    let left = time_left(inner, &tender)?;
    if let Some(bid) = inner.bids.of(tender.id, tender.buyer)? {
        return Ok(bid.sealed);
    }
    let question = Question::new(inner, invitation.asked)?;
    if question.offer.valid_until_ms <= tender.bids_until_ms {
        return Err(Refusal::new(
            RefusalCode::OfferChanged,
            "the offer ends before the bids are opened; look at the present one",
        ));
    }
    if !inner.bids.has_room(inner.exchange.now_ms()) {
        return Err(overloaded());
    }
    let price = price(inner, &question, &tender, left).await?;
    time_left(inner, &tender)?;
    let until_ms = tender.bids_until_ms.saturating_add(millis(QUOTE_LIFE));
    Ok(keep(inner, &tender, question.promise(price, until_ms, Some(tender.id))))
}

fn read(invitation: &Invitation) -> Result<Tender, Refusal> {
    let malformed = |what: String| Refusal::new(RefusalCode::Malformed, what);
    let signed = Signed::<Tender>::open(&invitation.tender).map_err(|error| malformed(format!("not a tender: {error}")))?;
    let tender = signed.body;
    match signed.signer == tender.buyer && tender.is_for(&invitation.asked) {
        true => Ok(tender),
        false => Err(malformed("the tender is signed by another key than its buyer's, or is for another call".into())),
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
fn keep(inner: &Inner, tender: &Tender, quote: Signed<Quote>) -> ByteVec {
    let salt = inner.exchange.ambient().bytes::<16>();
    let seal = seal(&salt, quote.bytes());
    let sealed = Signed::new(SealedBid { tender: tender.id, seller: inner.key.public(), seal }, &inner.key);
    let bid = Bid {
        buyer: tender.buyer,
        until_ms: tender.bids_until_ms,
        function: tender.function.clone(),
        price: quote.body.price,
        sealed: sealed.bytes().to_vec().into(),
        opened: OpenedBid { salt: salt.to_vec().into(), quote: quote.bytes().to_vec().into() },
        told: false,
    };
    inner.bids.lock().entry(tender.id).or_insert(bid).sealed.clone()
}

/// Open the bid, once bids are due by this node's own clock: not before, or the buyer could tell others what it is.
pub(crate) async fn open(inner: &Inner, tender: Digest) -> PayReply {
    let Some(bid) = inner.bids.lock().get(&tender).cloned() else {
        return PayReply::NoQuote(declined("there is no bid in that tender here, or no longer"));
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
    let bid = inner.bids.end(outcome.tender, buyer)?;
    let bids: Vec<Signed<Quote>> =
        outcome.bids.iter().take(TENDER_SELLERS_MAX).filter_map(|bytes| in_tender(outcome.tender, bytes)).collect();
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
fn in_tender(tender: Digest, bytes: &[u8]) -> Option<Signed<Quote>> {
    let quote = Signed::<Quote>::open(bytes).ok()?;
    (quote.body.tender == Some(tender) && quote.body.seller == quote.signer).then_some(quote)
}
