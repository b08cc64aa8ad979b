//! What a seller knows of its channels: it looks at the ledger beside the calls, and forgets a channel only at its end.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use hansa_economy::call::{CallReply, RefusalCode};

use super::bed::*;
use crate::limits::LOOK_AGAIN;

/// What comes of it within half a second; nothing, where it waits for something.
async fn soon<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(500), future).await.ok()
}

/// A call that came five seconds after the last look at the ledger waited for it.
#[tokio::test]
async fn a_call_does_not_wait_for_the_ledger() {
    let bed = bed().await;
    let mut hand = bed.hand(1);
    hand.call(&bed, 0).await;
    bed.ledger.silent.store(true, SeqCst);
    bed.wait(LOOK_AGAIN.as_secs() + 1);
    let (request, _) = hand.request(&bed, 1);
    let answered = soon(&mut std::pin::pin!(bed.seller.call(&request))).await;
    assert!(matches!(answered, Some(CallReply::Answered(..))), "{answered:?}");

    // Only where nobody has looked for half of the grace time.
    bed.wait(31);
    let (request, _) = hand.request(&bed, 2);
    let mut waits = std::pin::pin!(bed.seller.call(&request));
    assert_eq!(soon(&mut waits).await, None);
    bed.ledger.silent.store(false, SeqCst);
    assert!(matches!(waits.await, CallReply::Answered(..)));
}

#[tokio::test]
async fn a_channel_that_is_used_is_looked_at_again() {
    let bed = bed().await;
    let mut hand = bed.hand(1);
    hand.buy(&bed, 0).await;
    hand.close_alone(&bed);
    hand.buy(&bed, 0).await;
    bed.seller.redeem().await;
    let questions = bed.ledger.questions.load(SeqCst);
    assert_eq!(questions, 1, "when it was first seen");
    bed.wait(LOOK_AGAIN.as_secs());
    bed.seller.redeem().await;
    let (request, _) = hand.request(&bed, 0);
    let CallReply::Refused(refusal) = bed.seller.call(&request).await else { panic!("it was served") };
    assert_eq!(refusal.code, RefusalCode::Channel, "{}", refusal.message);
    assert_eq!(bed.ledger.questions.load(SeqCst), questions + 1);
    assert_eq!(bed.earned(), PRICE.saturating_mul(2), "what is acknowledged is paid while it closes");
}

#[tokio::test]
async fn a_channel_that_rests_is_left_alone() {
    let bed = bed().await;
    let mut hand = bed.hand(1);
    hand.buy(&bed, 0).await;
    bed.wait(LOOK_AGAIN.as_secs());
    bed.seller.redeem().await;
    let questions = bed.ledger.questions.load(SeqCst);
    for _ in 0..9 {
        bed.wait(LOOK_AGAIN.as_secs());
        bed.seller.redeem().await;
    }
    assert_eq!(bed.ledger.questions.load(SeqCst), questions);
}

/// A seller that started while a channel was closing forgot what it could still claim in it.
#[tokio::test]
async fn a_restarted_seller_redeems_in_a_channel_that_is_closing() {
    let mut bed = bed().await;
    // Not redeemed before the restart.
    *bed.ledger.bad_lane.lock().unwrap() = Some(0);
    let mut hand = bed.hand(1);
    hand.buy(&bed, 0).await;
    hand.close_alone(&bed);
    bed.restart_seller().await;
    *bed.ledger.bad_lane.lock().unwrap() = None;
    bed.seller.redeem().await;
    assert_eq!(bed.earned(), PRICE);
    let (request, _) = hand.request(&bed, 0);
    assert!(matches!(bed.seller.call(&request).await, CallReply::Refused(refusal) if refusal.code == RefusalCode::Channel));

    // When it is final it is forgotten.
    hand.finalize(&bed);
    bed.seller.redeem().await;
    let questions = bed.ledger.questions.load(SeqCst);
    bed.wait(61);
    bed.seller.redeem().await;
    assert_eq!(bed.ledger.questions.load(SeqCst), questions);
}
