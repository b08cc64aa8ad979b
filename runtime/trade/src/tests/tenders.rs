//! Tenders: bids stay sealed until the deadline, the best is bought by, and whoever breaks a rule is out.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use hansa_economy::call::{CallReply, CallRequest, RefusalCode};
use hansa_economy::offer::{Offer, Price, Rates};
use hansa_economy::quote::QuoteRequest;
use hansa_economy::tender::{Invitation, Opening, Outcome, SealedBid, Tender, lot};
use hansa_economy::{Amount, Digest, PublicKey, Signed, Statement};
use hansa_host::Fault;
use minicbor::bytes::ByteVec;

use super::bed::*;
use super::rogue::{Trick, rogue};
use crate::limits::*;
use crate::port::{PayReply, PayRequest};
use crate::*;

const WAIT: Duration = TENDER_WAIT_MIN;

/// A further seller, with a price of its own.
fn rival(bed: &Bed, n: u8, price: Price) -> (Seller, Arc<TestServe>, Offer) {
    let serve = TestServe::new();
    let mut offer = Offer { agent: key(n).public(), account: bed.ledger.account(&key(n), Amount::ZERO), ..bed.offer.clone() };
    offer.functions.insert("f".into(), price);
    let seller = Seller::new(bed.exchange.clone(), key(n), std::slice::from_ref(&offer), serve.clone()).unwrap();
    list(bed, &seller, &offer);
    (seller, serve, offer)
}

fn list(bed: &Bed, seller: &Seller, offer: &Offer) {
    bed.exchange.index().list(seller.renew(offer).bytes(), bed.exchange.now_ms()).unwrap();
}

fn bids(serve: &TestServe, bid: u128) {
    *serve.bid.lock().unwrap() = Some(Ok(Some(Amount(bid))));
}

/// A tender while time passes.
async fn tendered(bed: &Bed, buyer: &Buyer, limit: Amount) -> Tendered {
    tendered_in(bed, buyer, limit, WAIT).await
}

async fn tendered_in(bed: &Bed, buyer: &Buyer, limit: Amount, wait: Duration) -> Tendered {
    let (order, terms) = bed.order();
    let terms = Terms { max_price: limit, ..terms };
    let passes = async {
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            bed.now_ms.fetch_add(2, SeqCst);
        }
    };
    tokio::select! {
        tendered = buyer.tender(&order, &terms, wait) => tendered.unwrap(),
        () = passes => unreachable!("time never ends"),
    }
}

async fn bought(bed: &Bed, buyer: &Buyer, tendered: &Tendered) -> Result<Bought, Fault> {
    let (order, terms) = bed.order();
    buyer.buy_by(&order, &terms, tendered, None).await
}

fn seller_of(bid: &Bid) -> PublicKey {
    bid.candidate.listed.offer.agent
}

#[tokio::test]
async fn the_best_bid_is_bought_by_and_everybody_hears_it() {
    let bed = bed().await;
    list(&bed, &bed.seller, &bed.offer);
    let (rival, serve, _) = rival(&bed, 3, Price::per_call(PRICE));
    bids(&serve, 700);
    let buyer = bed.buyer();
    let tendered = tendered(&bed, &buyer, PRICE).await;
    let prices: Vec<_> = tendered.bids.iter().map(|bid| (bid.candidate.price_max, bid.out.clone())).collect();
    assert_eq!(prices, [(Amount(700), None), (PRICE, None)]);
    assert!(serve.told.lock().unwrap().is_empty(), "nobody was bought from yet");
    // Twice, as it holds for half a minute: a call costs the bid to the unit, and a fault nothing.
    for (fails, charged) in [(false, 700), (false, 700), (true, 0)] {
        serve.faults.store(fails, SeqCst);
        let bought = bought(&bed, &buyer, &tendered).await.unwrap();
        assert_eq!((bought.seller, bought.charged), (rival.agent(), Amount(charged)));
        let receipt = bed.exchange.receipt(bought.receipt.unwrap()).unwrap().unwrap().body;
        let quote = &tendered.winner().unwrap().candidate.quote.as_ref().unwrap().quote;
        assert_eq!((receipt.price_max, quote.body.bid.map(|bid| bid.tender)), (Amount(700), Some(tendered.id)));
        assert!(fails || receipt.metered.unwrap().quote == Some(quote.digest()));
    }
    assert_eq!(bed.serve.begun.load(SeqCst), 0);
    // Twice too: it is heard once.
    buyer.conclude(&tendered, Some(rival.agent())).await;
    buyer.conclude(&tendered, None).await;
    let told = vec![(Some((rival.agent(), Amount(700))), 2, true)];
    assert_eq!((&*bed.serve.told.lock().unwrap(), &*serve.told.lock().unwrap()), (&told, &told));

    // By itself a call costs what the offer says.
    list(&bed, &bed.seller, &bed.offer);
    assert_eq!(bed.buy_listed(&buyer).await.unwrap().charged, PRICE);
    bed.wait(QUOTE_LIFE.as_secs() + 1);
    let Err(Fault::Unavailable(what)) = bought(&bed, &buyer, &tendered).await else { panic!("the bid had ended") };
    assert!(what.contains("past its time"), "{what}");
}

#[tokio::test]
async fn a_bid_makes_no_call_dearer_than_it_is_without() {
    let mut bed = bed().await;
    let rates = Rates { base: Amount(100), per_response_kib: Amount(200), max: PRICE, ..Rates::default() };
    bed.offer.functions.insert("f".into(), Price::of(rates));
    list(&bed, &bed.seller, &bed.offer);
    let buyer = bed.buyer();
    let plain = tendered(&bed, &buyer, PRICE).await;
    // The most that its offer allows is what is bid, and what the offer says is what is due.
    assert_eq!(plain.winner().unwrap().candidate.price_max, PRICE);
    assert_eq!(bought(&bed, &buyer, &plain).await.unwrap().charged, Amount(300));
    bids(&bed.serve, 250);
    let lower = tendered(&bed, &buyer, PRICE).await;
    assert_eq!(bought(&bed, &buyer, &lower).await.unwrap().charged, Amount(250));
}

#[tokio::test]
async fn prices_on_request_are_bids_and_free_calls_are_free() {
    let mut bed = bed().await;
    bed.offer.functions.insert("f".into(), Price::quoted(PRICE));
    bed.offer.free_calls = 1;
    *bed.serve.price.lock().unwrap() = Ok(Amount(400));
    list(&bed, &bed.seller, &bed.offer);
    let buyer = bed.buyer();
    let tendered = tendered(&bed, &buyer, PRICE).await;
    for charged in [0, 400] {
        assert_eq!(bought(&bed, &buyer, &tendered).await.unwrap().charged, Amount(charged));
    }
}

#[tokio::test]
async fn whoever_bids_nothing_or_too_much_is_out_with_a_reason() {
    let bed = bed().await;
    list(&bed, &bed.seller, &bed.offer);
    let buyer = bed.buyer();
    let cases: [(Result<Option<Amount>, String>, &str); 3] = [
        (Ok(None), "it does not bid for this call"),
        (Err("on holiday".into()), "on holiday"),
        (Ok(Some(Amount(PRICE.0 + 1))), "above the offer's limit of 0.001000"),
    ];
    for (bid, why) in cases {
        *bed.serve.bid.lock().unwrap() = Some(bid);
        let tendered = tendered(&bed, &buyer, PRICE).await;
        assert!(tendered.winner().is_none());
        let Some(NoBid::Declined(reason)) = &tendered.bids[0].out else { panic!("{:?}", tendered.bids[0].out) };
        assert!(reason.contains(why), "{reason}");
        let Err(Fault::NoOffer(what)) = bought(&bed, &buyer, &tendered).await else { panic!("it was bought") };
        assert!(what.contains("p/q@1.0.0 on node node") && what.contains(why), "{what}");
    }
    assert_eq!(bed.serve.begun.load(SeqCst), 0);
    assert!(bed.serve.told.lock().unwrap().is_empty(), "whoever does not bid is told nothing");
}

#[tokio::test]
async fn the_limit_is_kept_from_bidders_and_a_lower_bid_gets_below_it() {
    let bed = bed().await;
    let (_dear, dear, _) = rival(&bed, 3, Price::per_call(Amount(5_000)));
    let (_dearer, _, _) = rival(&bed, 4, Price::per_call(Amount(6_000)));
    bids(&dear, 900);
    let buyer = bed.buyer();
    let tendered = tendered(&bed, &buyer, PRICE).await;
    let outs: Vec<_> = tendered.bids.iter().map(|bid| bid.out.clone()).collect();
    assert_eq!(outs, [None, Some(NoBid::AboveLimit { bid: Amount(6_000), limit: PRICE })]);
    assert_eq!(bought(&bed, &buyer, &tendered).await.unwrap().charged, Amount(900));
    let (order, terms) = bed.order();
    let tight = Terms { max_price: Amount(899), ..terms };
    assert!(matches!(buyer.buy_by(&order, &tight, &tendered, None).await, Err(Fault::OverBudget(_))));
    assert!(!bed.exchange.is_distrusted(&key(4).public()), "it could not know the limit");
}

#[tokio::test]
async fn alike_bids_are_drawn_by_lot_and_a_fast_seller_comes_first() {
    let bed = bed().await;
    list(&bed, &bed.seller, &bed.offer);
    let (other, _, _) = rival(&bed, 3, Price::per_call(PRICE));
    let buyer = bed.buyer();
    let mut won = [0, 0];
    for _ in 0..12 {
        let tendered = tendered(&bed, &buyer, PRICE).await;
        let winner = seller_of(tendered.winner().unwrap());
        let drawn = |seller: &Seller| lot(tendered.id, seller.agent());
        let first = if drawn(&other) < drawn(&bed.seller) { other.agent() } else { bed.seller.agent() };
        assert_eq!(winner, first);
        won[usize::from(winner == other.agent())] += 1;
        buyer.conclude(&tendered, None).await;
        assert_eq!(bed.serve.told.lock().unwrap().pop(), Some((None, 2, true)), "nobody was taken");
    }
    assert!(won[0] > 0 && won[1] > 0, "{won:?}");
    for (agent, took_ms) in [(bed.seller.agent(), 90), (other.agent(), 10)] {
        bed.exchange.index().note_latency(agent, &bed.offer.service, took_ms);
    }
    for _ in 0..4 {
        assert_eq!(tendered(&bed, &buyer, PRICE).await.winner().map(seller_of), Some(other.agent()));
    }
}

#[tokio::test]
async fn whoever_cheats_is_out_and_left_aside() {
    use Trick::*;
    let changed = |out: &NoBid| *out == NoBid::Changed;
    let says = |part: &'static str| move |out: &NoBid| matches!(out, NoBid::False(what) if what.contains(part));
    let above = |out: &NoBid| *out == NoBid::AboveOffer { bid: Amount(1_001), most: PRICE };
    let late = |out: &NoBid| *out == NoBid::Late;
    let hidden = |out: &NoBid| matches!(out, NoBid::Hidden(_));
    type Wanted<'a> = &'a dyn Fn(&NoBid) -> bool;
    let cases: [(Trick, Wanted<'_>, bool); 8] = [
        (ComesLate, &late, false),
        (Hides, &hidden, true),
        (Changes, &changed, true),
        (HasAnotherSign, &says("sign"), true),
        (HasAnotherSeal, &says("sign"), true),
        (Overcharges, &above, true),
        (BidsForAnotherCall, &says("another tender or call"), true),
        (ShowsAnOldBid, &says("another tender or call"), true),
    ];
    for (trick, wanted, breaks_word) in cases {
        let bed = bed().await;
        list(&bed, &bed.seller, &bed.offer);
        let (offer, _selling) = rogue(&bed, trick).await;
        let buyer = bed.buyer();
        let tendered = tendered_in(&bed, &buyer, PRICE, 8 * WAIT).await;
        assert_eq!(tendered.bids.len(), 2, "{trick:?}");
        let bid = tendered.bids.iter().find(|bid| seller_of(bid) == offer.agent).unwrap();
        assert!(bid.out.as_ref().is_some_and(wanted), "{trick:?}: {:?}", bid.out);
        assert_eq!(bed.exchange.is_distrusted(&offer.agent), breaks_word, "{trick:?}");
        // A late one took the time of the honest one with it, whose clock is the same.
        if trick != ComesLate {
            assert_eq!(bought(&bed, &buyer, &tendered).await.unwrap().seller, bed.seller.agent());
        }
    }
}

#[tokio::test]
async fn whoever_is_silent_holds_nobody_up() {
    let bed = bed().await;
    list(&bed, &bed.seller, &bed.offer);
    let (_silent, serve, _) = rival(&bed, 3, Price::per_call(PRICE));
    let _closed = serve.gate.lock().await;
    let buyer = bed.buyer();
    let tendered = tendered(&bed, &buyer, PRICE).await;
    let outs: Vec<_> = tendered.bids.iter().map(|bid| bid.out.clone()).collect();
    // Its agent has no more time than the buyer waits: whose clock is first, says so.
    assert!(matches!(&outs[..], [None, Some(NoBid::Silent | NoBid::Declined(_))]), "{outs:?}");
}

#[tokio::test]
async fn a_tender_that_nobody_could_answer_is_not_put_out() {
    let bed = bed().await;
    let (order, terms) = bed.order();
    let buyer = bed.buyer();
    for wait in [Duration::ZERO, WAIT - Duration::from_millis(1), TENDER_WAIT_MAX + Duration::from_millis(1)] {
        let Err(Fault::InvalidInput(what)) = buyer.tender(&order, &terms, wait).await else { panic!("{wait:?}") };
        assert!(what.contains("wait 50 to 10000 ms"), "{what}");
    }
    assert!(matches!(buyer.tender(&order, &terms, WAIT).await, Err(Fault::NoOffer(_))));
}

/// An invitation by hand.
fn invitation(bed: &Bed, n: u8, wait_ms: u64) -> (Invitation, Tender) {
    let asked = QuoteRequest {
        offer: bed.seller.renew(&bed.offer).digest(),
        service: bed.offer.service.clone(),
        function: "f".into(),
        args: vec![0x80].into(),
        salt: vec![1; 16].into(),
    };
    let tender = Tender {
        id: Digest::of(&[n]),
        buyer: key(BUYER).public(),
        seller: bed.seller.agent(),
        asked: asked.digest(),
        bids_until_ms: bed.exchange.now_ms() + wait_ms,
    };
    (Invitation { tender: signed(&tender, BUYER), asked }, tender)
}

fn signed<T: Statement + Clone>(body: &T, n: u8) -> ByteVec {
    Signed::new(body.clone(), &key(n)).bytes().to_vec().into()
}

fn opening(tender: &Tender, n: u8) -> PayRequest {
    PayRequest::Open(signed(&Opening { tender: tender.id, seller: tender.seller }, n))
}

async fn refused(bed: &Bed, request: PayRequest) -> (RefusalCode, String) {
    match bed.pay(&request).await {
        PayReply::NoQuote(refusal) => (refusal.code, refusal.message),
        reply => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn a_bid_is_sealed_once_and_opened_at_the_deadline() {
    let bed = bed().await;
    let (invited, tender) = invitation(&bed, 1, 1_000);
    let sealed = |reply| match reply {
        PayReply::Sealed(bytes) => bytes,
        reply => panic!("{reply:?}"),
    };
    let first = sealed(bed.pay(&PayRequest::Tender(invited.clone())).await);
    bids(&bed.serve, 1);
    assert_eq!(sealed(bed.pay(&PayRequest::Tender(invited.clone())).await), first, "asking again changes nothing");
    let (code, why) = refused(&bed, opening(&tender, BUYER)).await;
    assert!(code == RefusalCode::Deadline && why.contains("due in 1000 ms"), "{why}");
    bed.now_ms.fetch_add(1_000, SeqCst);
    let PayReply::Opened(opened) = bed.pay(&opening(&tender, BUYER)).await else { panic!("it stays sealed") };
    assert!(Signed::<SealedBid>::open(&first).unwrap().body.holds(&opened));
    assert_eq!(refused(&bed, PayRequest::Tender(invited)).await.0, RefusalCode::Deadline, "bids were due");
    // It is for its buyer's eyes.
    assert!(refused(&bed, opening(&tender, 7)).await.1.contains("no bid for this buyer"));
    let elsewhere = Tender { seller: key(7).public(), ..tender.clone() };
    assert_eq!(refused(&bed, opening(&elsewhere, BUYER)).await.0, RefusalCode::Malformed);

    // The outcome counts once, and from the buyer alone.
    let outcome = |n: u8| {
        let outcome = Outcome { tender: tender.id, bids: vec![opened.quote.clone()], winner: None };
        PayRequest::Outcome(signed(&outcome, n))
    };
    assert!(matches!(bed.pay(&outcome(7)).await, PayReply::Refused(_)));
    assert!(matches!(bed.pay(&outcome(BUYER)).await, PayReply::Taken(1)));
    assert!(matches!(bed.pay(&outcome(BUYER)).await, PayReply::Refused(_)));
    assert_eq!(*bed.serve.told.lock().unwrap(), [(None, 1, true)]);
}

#[tokio::test]
async fn a_seller_waits_for_a_buyer_whose_clock_is_a_little_ahead() {
    let bed = bed().await;
    let (invited, tender) = invitation(&bed, 1, TENDER_SKEW_MAX.as_millis() as u64);
    assert!(matches!(bed.pay(&PayRequest::Tender(invited)).await, PayReply::Sealed(_)));
    let clock = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        bed.now_ms.fetch_add(TENDER_SKEW_MAX.as_millis() as u64, SeqCst);
    };
    let request = opening(&tender, BUYER);
    let (reply, ()) = tokio::join!(bed.pay(&request), clock);
    assert!(matches!(reply, PayReply::Opened(_)), "{reply:?}");
}

#[tokio::test]
async fn what_is_no_fair_tender_gets_no_bid() {
    let bed = bed().await;
    let (invited, tender) = invitation(&bed, 1, 1_000);
    let with = |tender: Tender, n: u8| Invitation { tender: signed(&tender, n), ..invited.clone() };
    let asked = QuoteRequest { args: vec![0x81, 1].into(), ..invited.asked.clone() };
    let far = bed.exchange.now_ms() + 20_000;
    for (wrong, code) in [
        (with(tender.clone(), 7), RefusalCode::Malformed),
        (with(Tender { seller: key(7).public(), ..tender.clone() }, BUYER), RefusalCode::Malformed),
        (Invitation { asked: asked.clone(), ..invited.clone() }, RefusalCode::Malformed),
        (Invitation { tender: vec![1].into(), ..invited.clone() }, RefusalCode::Malformed),
        (with(Tender { bids_until_ms: far, ..tender.clone() }, BUYER), RefusalCode::Quote),
        (with(Tender { bids_until_ms: 1, ..tender.clone() }, BUYER), RefusalCode::Deadline),
    ] {
        assert_eq!(refused(&bed, PayRequest::Tender(wrong)).await.0, code);
    }
    // Somebody who has heard of the id takes nothing away from the buyer whose it is.
    let stolen = with(Tender { buyer: key(7).public(), ..tender.clone() }, 7);
    assert!(matches!(bed.pay(&PayRequest::Tender(stolen)).await, PayReply::Sealed(_)));
    assert!(matches!(bed.pay(&PayRequest::Tender(invited.clone())).await, PayReply::Sealed(_)));
    let another = Invitation { tender: signed(&Tender { asked: asked.digest(), ..tender }, BUYER), asked };
    assert!(refused(&bed, PayRequest::Tender(another)).await.1.contains("draw another"));

    // Offers end; a bid under one that ends before the deadline would be worth nothing.
    let (late, _) = invitation(&bed, 2, 10_000);
    bed.wait(55);
    let (_, tender) = invitation(&bed, 2, 10_000);
    let ending = Invitation { tender: signed(&Tender { asked: late.asked.digest(), ..tender }, BUYER), asked: late.asked };
    assert_eq!(refused(&bed, PayRequest::Tender(ending)).await.0, RefusalCode::OfferChanged);
}

#[tokio::test]
async fn a_flood_of_tenders_fills_no_memory_and_no_processor() {
    let bed = bed().await;
    {
        let _closed = bed.serve.gate.lock().await;
        let asked = (0..QUOTES_AT_ONCE as u8).map(|n| bed.pay_of(PayRequest::Tender(invitation(&bed, n, 5_000).0)));
        let waiting: Vec<_> = asked.map(tokio::spawn).collect();
        while bed.seller.places_for_prices() > 0 {
            tokio::task::yield_now().await;
        }
        let one_more = PayRequest::Tender(invitation(&bed, 200, 5_000).0);
        assert_eq!(refused(&bed, one_more).await.0, RefusalCode::Overloaded);
        for asked in waiting {
            asked.abort();
            assert!(asked.await.is_err(), "nobody is answered while the gate is closed");
        }
    }
    let strangers = flood(&bed, 7).await;
    assert_eq!(strangers, BIDS_FOR_STRANGERS_MAX);
    // Whoever has a channel still finds places.
    bed.buy(&bed.buyer()).await.unwrap();
    assert_eq!(strangers + flood(&bed, BUYER).await, BIDS_KEPT_MAX);
    bed.wait(5 + BID_KEPT.as_secs());
    let next = PayRequest::Tender(invitation(&bed, 201, 5_000).0);
    assert!(matches!(bed.pay(&next).await, PayReply::Sealed(_)), "old bids make room");
}

/// Tenders of one buyer until one is refused. Returns how many were not.
async fn flood(bed: &Bed, buyer: u8) -> usize {
    let (invited, tender) = invitation(bed, 0, 5_000);
    for n in 0..=BIDS_KEPT_MAX {
        let tender = Tender { id: Digest::of(&n.to_le_bytes()), buyer: key(buyer).public(), ..tender.clone() };
        let invited = Invitation { tender: signed(&tender, buyer), ..invited.clone() };
        match bed.pay(&PayRequest::Tender(invited)).await {
            PayReply::Sealed(_) => {}
            PayReply::NoQuote(refusal) => {
                assert_eq!(refusal.code, RefusalCode::Overloaded);
                return n;
            }
            reply => panic!("{reply:?}"),
        }
    }
    panic!("no end of places")
}

#[tokio::test]
async fn a_bid_is_for_the_buyer_that_it_was_made_to() {
    let bed = bed().await;
    bids(&bed.serve, 1);
    let (invited, tender) = invitation(&bed, 1, 1_000);
    assert!(matches!(bed.pay(&PayRequest::Tender(invited.clone())).await, PayReply::Sealed(_)));
    bed.now_ms.fetch_add(1_000, SeqCst);
    let PayReply::Opened(opened) = bed.pay(&opening(&tender, BUYER)).await else { panic!("it stays sealed") };
    let by_it = |mut request: CallRequest| {
        (request.offer, request.salt, request.args) =
            (invited.asked.offer, invited.asked.salt.clone(), invited.asked.args.clone());
        request.quote = Some(opened.quote.clone());
        request
    };
    let refusal = |reply: CallReply| match reply {
        CallReply::Refused(refusal) => refusal.message,
        _ => panic!("served"),
    };
    let mut other = bed.hand_of(7, 1);
    let request = other.request_as(&bed, 0, by_it);
    let why = refusal(bed.seller.call(&request).await);
    assert!(why.contains("made to another buyer"), "{why}");
    let mut own = bed.hand_of(BUYER, 2);
    let request = own.request_as(&bed, 0, by_it);
    assert!(matches!(bed.seller.call(&request).await, CallReply::Answered(..)));
}

#[tokio::test]
async fn a_seller_set_aside_is_not_bought_from_by_an_old_bid() {
    let bed = bed().await;
    list(&bed, &bed.seller, &bed.offer);
    let (rival, serve, _) = rival(&bed, 3, Price::per_call(PRICE));
    bids(&serve, 1);
    let buyer = bed.buyer();
    let tendered = tendered(&bed, &buyer, PRICE).await;
    assert_eq!(bought(&bed, &buyer, &tendered).await.unwrap().seller, rival.agent());
    bed.exchange.distrust(rival.agent());
    assert_eq!(bought(&bed, &buyer, &tendered).await.unwrap().seller, bed.seller.agent());
    bed.exchange.distrust(bed.seller.agent());
    let Err(Fault::NoOffer(what)) = bought(&bed, &buyer, &tendered).await else { panic!("it was bought") };
    assert!(what.contains("put the call out again"), "{what}");
}

#[tokio::test]
async fn a_crowd_leaves_places_to_sellers_that_are_known() {
    let bed = bed().await;
    let crowd: Vec<_> = (0..2 * TENDER_SELLERS_MAX as u8).map(|n| rival(&bed, 10 + n, Price::per_call(Amount(2)))).collect();
    list(&bed, &bed.seller, &bed.offer);
    bed.exchange.index().note_latency(bed.seller.agent(), &bed.offer.service, 5);
    let buyer = bed.buyer();
    let mut asked = std::collections::HashSet::new();
    for _ in 0..2 {
        let tendered = tendered_in(&bed, &buyer, PRICE, 8 * WAIT).await;
        assert_eq!(tendered.bids.len(), TENDER_SELLERS_MAX);
        assert!(tendered.bids.iter().any(|bid| seller_of(bid) == bed.seller.agent()));
        asked.extend(tendered.bids.iter().map(seller_of));
    }
    assert!(asked.len() > TENDER_SELLERS_MAX, "another lot, other sellers");
    drop(crowd);
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_no_tender_up() {
    let bed = bed().await;
    list(&bed, &bed.seller, &bed.offer);
    let (order, terms) = bed.order();
    let buyer = bed.buyer();
    let set_back = async {
        tokio::time::sleep(WAIT / 2).await;
        bed.now_ms.fetch_sub(3_600_000, SeqCst);
    };
    let (tendered, ()) = tokio::join!(buyer.tender(&order, &terms, WAIT), set_back);
    assert!(matches!(tendered.unwrap().bids[0].out, Some(NoBid::Unopened(_))), "its seller has the same clock");
    assert!(!bed.exchange.is_distrusted(&bed.seller.agent()));
}
