//! Prices that a seller names on request: asked for, held to, and weighed against fixed ones.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use hansa_economy::call::{CallReply, CallRequest, RefusalCode};
use hansa_economy::offer::{Offer, Price};
use hansa_economy::quote::{Quote, QuoteRequest};
use hansa_economy::{Amount, Signed};
use hansa_host::Fault;

use super::bed::*;
use crate::limits::QUOTE_LIFE;
use crate::port::{PayReply, PayRequest};
use crate::{Buyer, Seller};

const MAX: Amount = Amount(900);

async fn quoting(price: u128) -> Bed {
    let mut bed = bed().await;
    bed.offer.functions.insert("f".into(), Price::quoted(MAX));
    set(&bed.serve, price);
    bed
}

fn set(serve: &TestServe, price: u128) {
    *serve.price.lock().unwrap() = Ok(Amount(price));
}

#[tokio::test]
async fn a_call_costs_what_was_named_for_it() {
    let bed = quoting(400).await;
    let buyer = bed.buyer();
    let bought = bed.buy(&buyer).await.unwrap();
    let receipt = bed.exchange.receipt(bought.receipt.unwrap()).unwrap().unwrap().body;
    assert_eq!((bought.charged, receipt.price_max), (Amount(400), Amount(400)));
    assert!(receipt.metered.unwrap().quote.is_some());
    bed.serve.faults.store(true, SeqCst);
    assert_eq!(bed.buy(&buyer).await.unwrap().charged, Amount::ZERO, "a fault costs nothing");
    bed.serve.faults.store(false, SeqCst);
    set(&bed.serve, 0);
    let gift = bed.buy(&buyer).await.unwrap();
    assert_eq!((gift.charged, gift.receipt), (Amount::ZERO, None));
}

#[tokio::test]
async fn whoever_names_no_good_price_is_not_called() {
    let bed = quoting(901).await;
    let buyer = bed.buyer();
    let cases: [(Result<Amount, String>, &str); 2] =
        [(Ok(Amount(901)), "above the offer's limit of 0.000900"), (Err("on holiday".into()), "on holiday")];
    for (price, why) in cases {
        *bed.serve.price.lock().unwrap() = price;
        let Err(Fault::Refused(what)) = bed.buy(&buyer).await else { panic!("it was called") };
        assert!(what.contains(why), "{what}");
    }
    assert_eq!(bed.serve.begun.load(SeqCst), 0);
}

#[tokio::test]
async fn free_calls_are_free_of_named_prices_too() {
    let mut bed = quoting(400).await;
    bed.offer.free_calls = 1;
    let buyer = bed.buyer();
    assert_eq!(bed.buy(&buyer).await.unwrap().charged, Amount::ZERO);
    assert_eq!(bed.buy(&buyer).await.unwrap().charged, Amount(400));
}

async fn asked(bed: &Bed, request: &CallRequest) -> Signed<Quote> {
    let asked = QuoteRequest {
        offer: request.offer,
        service: request.service.clone(),
        function: request.function.clone(),
        args: request.args.clone(),
        salt: request.salt.clone(),
    };
    let PayReply::Quoted(bytes) = bed.pay(&PayRequest::Quote(asked)).await else { panic!("no quote") };
    Signed::open(&bytes).unwrap()
}

#[tokio::test]
async fn a_quote_serves_its_own_call_and_for_a_while() {
    let bed = quoting(400).await;
    let mut hand = bed.hand(1);
    let (request, _) = hand.request(&bed, 0);
    let refused = |reply| match reply {
        CallReply::Refused(refusal) => (refusal.code, refusal.message),
        reply => panic!("{reply:?}"),
    };
    assert_eq!(refused(bed.seller.call(&request).await).0, RefusalCode::Quote, "without one");
    let quote = asked(&bed, &request).await;
    assert_eq!(quote.body.valid_until_ms, bed.exchange.now_ms() + QUOTE_LIFE.as_millis() as u64);
    let with = |quote: &Signed<Quote>| CallRequest { quote: Some(quote.bytes().to_vec().into()), ..request.clone() };
    let cheaper = Signed::new(Quote { price: Amount(1), ..quote.body.clone() }, &key(BUYER));
    let (code, message) = refused(bed.seller.call(&with(&cheaper)).await);
    assert_eq!(code, RefusalCode::Quote, "{message}");
    let other = CallRequest { args: vec![0x81, 1].into(), ..with(&quote) };
    assert!(refused(bed.seller.call(&other).await).1.contains("for another call"));
    // The voucher was signed for the request without the quote.
    assert_eq!(refused(bed.seller.call(&with(&quote)).await).0, RefusalCode::Signature);
    bed.wait(QUOTE_LIFE.as_secs());
    let late = CallRequest { deadline_ms: bed.exchange.now_ms() + 1_000, ..with(&quote) };
    assert!(refused(bed.seller.call(&late).await).1.contains("past its time"));
    assert_eq!(bed.serve.begun.load(SeqCst), 0);
}

/// A second seller, with a price of its own.
fn rival(bed: &Bed, price: Price) -> (Seller, Arc<TestServe>) {
    let serve = TestServe::new();
    let mut offer = Offer { agent: key(3).public(), account: bed.ledger.account(&key(3), Amount::ZERO), ..bed.offer.clone() };
    offer.functions.insert("f".into(), price);
    let seller = Seller::new(bed.exchange.clone(), key(3), std::slice::from_ref(&offer), serve.clone()).unwrap();
    bed.exchange.index().list(seller.renew(&offer).bytes(), bed.exchange.now_ms()).unwrap();
    (seller, serve)
}

async fn bought(bed: &Bed, buyer: &Buyer) -> (bool, u128) {
    let bought = bed.buy(buyer).await.unwrap();
    (bought.seller == bed.seller.agent(), bought.charged.0)
}

#[tokio::test]
async fn named_prices_compete_with_fixed_ones() {
    let bed = quoting(400).await;
    let (_fixed, _) = rival(&bed, Price::per_call(Amount(500)));
    let buyer = bed.buyer();
    assert_eq!(bought(&bed, &buyer).await, (true, 400));
    set(&bed.serve, 600);
    assert_eq!(bought(&bed, &buyer).await, (false, 500));
    *bed.serve.price.lock().unwrap() = Err("no".into());
    assert_eq!(bought(&bed, &buyer).await, (false, 500));

    set(&bed.serve, 300);
    let (order, terms) = bed.order();
    let found = buyer.quote(&order, &terms).await.unwrap();
    let prices: Vec<_> = found.iter().map(|found| (found.price_min.0, found.price_max.0, found.quote.is_some())).collect();
    assert_eq!(prices, [(300, 300, true), (500, 500, false)]);
}

#[tokio::test]
async fn a_named_price_may_lie_within_terms_that_its_limit_is_beyond() {
    let mut bed = bed().await;
    bed.offer.functions.insert("f".into(), Price::quoted(PRICE.saturating_mul(10)));
    let buyer = bed.buyer();
    set(&bed.serve, PRICE.0);
    assert_eq!(bought(&bed, &buyer).await, (true, PRICE.0));
    set(&bed.serve, PRICE.0 + 1);
    assert!(matches!(bed.buy(&buyer).await, Err(Fault::OverBudget(what)) if what.contains("0.001001")));
}
