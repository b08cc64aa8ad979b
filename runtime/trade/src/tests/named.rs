//! Calls with a name: repeated on another node, with other books, by a seller that was restarted, they run once and are paid once.

use std::sync::atomic::Ordering::SeqCst;

use hansa_economy::{Amount, Digest};
use hansa_host::Fault;
use tempfile::TempDir;

use super::bed::*;
use crate::{Bought, Buyer, Named, Setback};

fn name(n: u8, is_repeat: bool) -> Named {
    Named { call: Digest::of(&[n]), salt: [n; 16], keep_s: 3600, is_repeat }
}

async fn buy(bed: &Bed, buyer: &Buyer, named: &Named) -> Result<Bought, Setback> {
    bed.exchange.index().list(bed.seller.renew(&bed.offer).bytes(), bed.exchange.now_ms()).unwrap();
    let (order, terms) = bed.order();
    let candidates = buyer.quote(&order, &terms).await.unwrap();
    buyer.buy_named(&order, &candidates[0], named, bed.exchange.now_ms() + 10_000).await
}

fn elsewhere(bed: &Bed) -> (Buyer, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (bed.buyer_elsewhere(&folder), folder)
}

#[tokio::test]
async fn a_repeat_gets_the_answer_and_the_receipt_of_the_first_time() {
    let mut bed = bed().await;
    let here = bed.buyer();
    let first = buy(&bed, &here, &name(1, false)).await.unwrap();
    assert_eq!(first.charged, PRICE);
    let (there, _folder) = elsewhere(&bed);
    for (who, buyer) in [("here", &here), ("elsewhere", &there)] {
        let again = buy(&bed, buyer, &name(1, true)).await.unwrap();
        assert_eq!((&again.answer, again.receipt, again.charged), (&first.answer, first.receipt, PRICE), "{who}");
    }
    bed.restart_seller().await;
    let (anew, _folder) = elsewhere(&bed);
    let again = buy(&bed, &anew, &name(1, true)).await.unwrap();
    assert_eq!(again.receipt, first.receipt, "after the seller was restarted");
    assert_eq!(bed.serve.begun.load(SeqCst), 1);
    // The lanes go on after it, each in its channel.
    for (n, buyer) in [(2, &here), (3, &anew)] {
        let next = buy(&bed, buyer, &name(n, false)).await.unwrap();
        assert!(next.receipt != first.receipt && next.charged == PRICE);
    }
    here.acknowledge().await;
    anew.acknowledge().await;
    bed.seller.redeem().await;
    assert_eq!(bed.earned(), PRICE.saturating_mul(3), "three names, three payments");
}

#[tokio::test]
async fn a_repeat_of_a_call_that_runs_waits_for_its_end() {
    let bed = bed().await;
    let (here, (there, _folder)) = (bed.buyer(), elsewhere(&bed));
    let running = bed.serve.gate.lock().await;
    let (first, again) = (name(1, false), name(1, true));
    let both = async { tokio::join!(buy(&bed, &here, &first), buy(&bed, &there, &again)) };
    let open = async {
        while bed.serve.begun.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        drop(running);
    };
    let ((first, again), ()) = tokio::join!(both, open);
    assert_eq!(first.unwrap().receipt, again.unwrap().receipt);
    assert_eq!(bed.serve.begun.load(SeqCst), 1);
}

#[tokio::test]
async fn another_payer_does_not_get_it() {
    let bed = bed().await;
    buy(&bed, &bed.buyer(), &name(1, false)).await.unwrap();
    let mut stranger = bed.hand_of(7, 1);
    let request = stranger.request_as(&bed, 0, |request| hansa_economy::call::CallRequest {
        call: name(1, true).call,
        keep_s: Some(60),
        ..request
    });
    let reply = bed.seller.call(&request).await;
    assert!(
        matches!(reply, hansa_economy::call::CallReply::Answered(..)),
        "it runs anew, and is charged to the stranger: {reply:?}"
    );
    assert_eq!(bed.serve.begun.load(SeqCst), 2);
}

#[tokio::test]
async fn only_a_seller_that_never_ran_it_says_that_a_repeat_had_no_effect() {
    let mut bed = bed().await;
    let buyer = bed.buyer();
    let (order, terms) = bed.order();
    bed.exchange.index().list(bed.seller.renew(&bed.offer).bytes(), bed.exchange.now_ms()).unwrap();
    let candidate = buyer.quote(&order, &terms).await.unwrap().remove(0);
    let until = bed.exchange.now_ms() + 1_000;
    bed.restart_seller().await; // Its offers of before are not honoured any more.
    let refused = buyer.buy_named(&order, &candidate, &name(1, true), until).await.unwrap_err();
    assert!(refused.no_effect() && matches!(refused.fault, Fault::Unavailable(_)), "{refused:?}");
    bed.ledger.away.store(true, SeqCst);
    bed.exchange.remove_seller(&bed.seller.agent());
    let silent = buyer.buy_named(&order, &candidate, &name(1, true), until).await.unwrap_err();
    assert!(matches!(silent.fault, Fault::Unavailable(_)), "{silent:?}");
}

#[tokio::test]
async fn a_fault_is_kept_too_and_costs_nothing() {
    let bed = bed().await;
    let buyer = bed.buyer();
    bed.serve.faults.store(true, SeqCst);
    let first = buy(&bed, &buyer, &name(1, false)).await.unwrap();
    bed.serve.faults.store(false, SeqCst);
    let again = buy(&bed, &buyer, &name(1, true)).await.unwrap();
    assert_eq!((again.answer, again.charged), (first.answer, Amount::ZERO));
    let other = buy(&bed, &buyer, &name(2, false)).await.unwrap();
    assert_eq!(other.charged, PRICE, "another name is another call");
}

#[tokio::test]
async fn what_is_kept_ends_with_its_time() {
    let bed = bed().await;
    let buyer = bed.buyer();
    buy(&bed, &buyer, &name(1, false)).await.unwrap();
    bed.wait(3601);
    bed.exchange.books().expire_kept(bed.exchange.now_ms()).await;
    bed.exchange.books().flush().await;
    buy(&bed, &buyer, &name(1, true)).await.unwrap();
    assert_eq!(bed.serve.begun.load(SeqCst), 2, "so nobody may repeat after it");
}
