//! What calls cost: units that the seller counts, free calls and lower prices for customers, and what a buyer makes of false figures.

use std::sync::atomic::Ordering::SeqCst;

use hansa_economy::limits::RECEIPT_MODELS_MAX;
use hansa_economy::offer::{Price, Rates, Step};
use hansa_economy::receipt::{Metered, ModelRun, Receipt};
use hansa_economy::{Amount, Digest, Signed};
use hansa_host::Fault;

use super::bed::*;
use crate::tariff::Answered;
use crate::{Bought, Buyer};

const METERED: Rates = Rates {
    base: Amount(100),
    per_request_kib: Amount::ZERO,
    per_response_kib: Amount::ZERO,
    max: PRICE,
    per_second: Amount(2_000),
    per_inference_unit: Amount(1),
    per_item: Amount(10),
};

fn model(input_units: u64, output_units: u64) -> ModelRun {
    let (model, manifest) = ("m@1.0.0".to_owned(), Digest::of(b"m"));
    ModelRun { model, manifest, input_units, output_units, provider: None, provider_share_permille: None }
}

async fn priced(price: Price) -> Bed {
    let mut bed = bed().await;
    bed.offer.functions.insert("f".into(), price);
    bed
}

fn receipt(bed: &Bed, bought: &Bought) -> Receipt {
    bed.exchange.receipt(bought.receipt.unwrap()).unwrap().unwrap().body
}

async fn charged(bed: &Bed, buyer: &Buyer) -> u128 {
    bed.buy(buyer).await.unwrap().charged.0
}

#[tokio::test]
async fn what_is_counted_is_charged_and_stated() {
    let bed = priced(Price::of(METERED)).await;
    let buyer = bed.buyer();
    bed.serve.run_ms.store(20, SeqCst);
    bed.serve.run_ms_said.store(20, SeqCst);
    bed.serve.items.store(3, SeqCst);
    *bed.serve.models.lock().unwrap() = vec![model(5, 0), model(0, 2)];
    let bought = bed.buy(&buyer).await.unwrap();
    assert_eq!(bought.charged, Amount(100 + 40 + 7 + 30));
    let stated = Metered { run_ms: 20, inference_units: 7, items: 3, ..Metered::default() };
    let paid = receipt(&bed, &bought);
    assert_eq!((paid.metered, paid.price_max), (Some(stated), PRICE));

    bed.serve.items.store(u64::MAX, SeqCst);
    assert_eq!(bed.buy(&buyer).await.unwrap().charged, PRICE, "never above the ceiling");
    bed.serve.faults.store(true, SeqCst);
    let failed = bed.buy(&buyer).await.unwrap();
    assert_eq!((failed.charged, receipt(&bed, &failed).metered), (Amount::ZERO, None));
}

#[tokio::test]
async fn a_plain_price_states_nothing() {
    let bed = bed().await;
    let bought = bed.buy(&bed.buyer()).await.unwrap();
    assert_eq!((bought.charged, receipt(&bed, &bought).metered), (PRICE, None));
}

#[tokio::test]
async fn a_seller_that_states_more_time_than_passed_is_not_paid() {
    let bed = priced(Price::of(METERED)).await;
    let buyer = bed.buyer();
    bed.serve.run_ms_said.store(60_000, SeqCst);
    let Err(Fault::SellerFailed(what)) = bed.buy(&buyer).await else { panic!("it was paid") };
    assert!(what.contains("states a run of 60000 ms"), "{what}");
    bed.serve.run_ms_said.store(0, SeqCst);
    assert!(matches!(bed.buy(&buyer).await, Err(Fault::NoOffer(_))), "it is left aside");
}

#[tokio::test]
async fn a_customers_first_answered_calls_are_free_over_restarts() {
    let mut bed = bed().await;
    bed.offer.free_calls = 2;
    let buyer = bed.buyer();
    let first = bed.buy(&buyer).await.unwrap();
    assert_eq!(first.charged, Amount::ZERO);
    let paid = receipt(&bed, &first);
    assert_eq!((paid.price_max, paid.metered), (PRICE, Some(Metered { free: true, ..Metered::default() })));

    bed.serve.faults.store(true, SeqCst);
    bed.buy(&buyer).await.unwrap();
    bed.serve.faults.store(false, SeqCst);
    bed.restart_seller().await;
    assert_eq!(charged(&bed, &buyer).await, 0, "a fault does not use a free call up");
    let third = bed.buy(&buyer).await.unwrap();
    assert_eq!(third.charged, PRICE);
    assert_eq!(receipt(&bed, &third).metered, Some(Metered { calls_before: 2, ..Metered::default() }));
    bed.restart_seller().await;
    assert_eq!(charged(&bed, &buyer).await, PRICE.0, "a restart brings none back");
}

#[tokio::test]
async fn of_calls_at_once_exactly_the_free_ones_are_free() {
    let mut bed = bed().await;
    bed.offer.free_calls = 3;
    let buyer = bed.buyer();
    bed.exchange.index().list(bed.seller.renew(&bed.offer).bytes(), bed.exchange.now_ms()).unwrap();
    let bought = futures::future::join_all((0..12).map(|_| bed.buy_listed(&buyer))).await;
    let free = bought.iter().filter(|bought| bought.as_ref().unwrap().charged.is_zero()).count();
    assert_eq!(free, 3);
    let mut before: Vec<u64> =
        bought.iter().map(|bought| receipt(&bed, bought.as_ref().unwrap()).metered.unwrap().calls_before).collect();
    before.sort_unstable();
    assert_eq!(before, (0..12).collect::<Vec<_>>());
}

/// A buyer on the same node that gives up drops its call half-way.
#[tokio::test]
async fn a_call_that_was_dropped_uses_no_free_call_up() {
    let mut bed = bed().await;
    bed.offer.free_calls = 1;
    let mut hand = bed.hand(1);
    let gate = bed.serve.gate.lock().await;
    let (request, _) = hand.request(&bed, 0);
    {
        let mut call = std::pin::pin!(bed.seller.call(&request));
        assert!(futures::poll!(&mut call).is_pending());
    }
    drop(gate);
    assert_eq!(hand.call(&bed, 1).await.body.metered, Some(Metered { free: true, ..Metered::default() }));
}

#[tokio::test]
async fn many_calls_cost_less() {
    let (second, third) = (Rates { base: Amount(80), ..METERED }, Rates { base: Amount(60), per_item: Amount(1), ..METERED });
    let steps = vec![Step { from: 3, rates: second }, Step { from: 5, rates: third }];
    let mut bed = priced(Price { steps, ..Price::of(METERED) }).await;
    bed.serve.items.store(1, SeqCst);
    let buyer = bed.buyer();
    let mut charges = vec![];
    for _ in 0..6 {
        charges.push(charged(&bed, &buyer).await);
    }
    assert_eq!(charges, [110, 110, 90, 90, 61, 61]);
    bed.offer.free_calls = 7;
    assert_eq!(charged(&bed, &buyer).await, 0, "free calls and steps go by one count");
    assert_eq!(charged(&bed, &buyer).await, 61);
}

/// What a buyer accepts of a receipt's figures.
#[tokio::test]
async fn false_figures_are_found() {
    let lower = Step { from: 3, rates: Rates { base: Amount(80), ..METERED } };
    let mut bed = priced(Price { steps: vec![lower], ..Price::of(METERED) }).await;
    bed.offer.free_calls = 1;
    let mut hand = bed.hand(1);
    let honest: Signed<Receipt> = hand.call(&bed, 0).await;
    let answered = Answered { offer: &bed.offer, function: "f", quote: None, request_bytes: 1, response_bytes: 1 };
    let with = |metered: Metered, models: usize, charged: u128| Receipt {
        metered: Some(metered),
        models: vec![model(1, 1); models],
        charged: Amount(charged),
        ..honest.body.clone()
    };
    let (none, later) = (Metered::default(), Metered { calls_before: 1, ..Metered::default() });
    let full = RECEIPT_MODELS_MAX;
    let cases = [
        (with(none.clone(), 0, 0), Ok(0)),
        (with(later.clone(), 0, 100), Ok(100)),
        (with(Metered { calls_before: 2, ..none.clone() }, 0, 80), Ok(80)),
        (with(Metered { run_ms: 50, ..later.clone() }, 0, 200), Ok(200)),
        (with(Metered { run_ms: 60, ..later.clone() }, 0, 220), Err("a run of 60 ms")),
        (with(Metered { inference_units: 4, ..later.clone() }, 2, 104), Ok(104)),
        (with(Metered { inference_units: 5, ..later.clone() }, 2, 105), Err("charges 5 inference units")),
        (with(Metered { inference_units: 99, ..later.clone() }, full, 199), Ok(199)),
        (with(Metered { items: u64::MAX, ..later.clone() }, 0, 1), Ok(1_000)),
        (with(Metered { free: true, ..later.clone() }, 0, 100), Err("for a free call")),
        (with(Metered { quote: Some(Digest::of(b"quote")), ..later.clone() }, 0, 1), Err("another quote")),
        (Receipt { metered: None, ..with(none, 0, 100) }, Ok(0)),
    ];
    for (receipt, expected) in cases {
        match (answered.agreed(&receipt, 50), expected) {
            (Ok(agreed), Ok(wanted)) => assert_eq!(agreed, Amount(wanted), "{:?}", receipt.metered),
            (Err(what), Err(wanted)) => assert!(what.contains(wanted), "{what}"),
            (found, wanted) => panic!("{found:?}, expected {wanted:?}"),
        }
    }
}
