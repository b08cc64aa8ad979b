//! The end of a channel: by the payer's signed wish at once, where nothing is open between the two; else after a grace time.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use hansa_economy::call::{CallReply, RefusalCode};
use hansa_economy::channel::CloseWish;
use hansa_economy::ledger::{ChannelClose, ChannelPhase, Command};
use hansa_economy::{Digest, Keypair, Signed};

use super::bed::*;
use crate::limits::LOOK_AGAIN;
use crate::port::{PayReply, PayRequest};

fn wish(hand: &Hand, key: &Keypair, ledger: Digest) -> PayRequest {
    PayRequest::Close(Signed::new(CloseWish { ledger, channel: hand.id() }, key).bytes().to_vec().into())
}

async fn ask(bed: &Bed, hand: &Hand) -> PayReply {
    bed.pay(&wish(hand, &key(BUYER), hand.terms.ledger)).await
}

/// Whoever knew a channel's number had it closed, and the buyer lost its channel and the seller its last calls.
#[tokio::test]
async fn nobody_but_the_payer_has_a_channel_closed() {
    let bed = bed().await;
    let mut hand = bed.hand(1);
    hand.buy(&bed, 0).await;
    let ledger = hand.terms.ledger;
    let wishes = [
        PayRequest::Close(hand.id().0.to_vec().into()),
        wish(&hand, &key(99), ledger),
        wish(&hand, &key(AGENT), ledger),
        wish(&hand, &key(BUYER), Digest::of(b"another ledger")),
        wish(&bed.hand(2), &key(99), ledger),
    ];
    for wish in wishes {
        assert!(matches!(bed.pay(&wish).await, PayReply::Refused(_)), "{wish:?}");
        assert_eq!(bed.ledger.channel_now(hand.id()).phase, ChannelPhase::Open);
    }
    hand.buy(&bed, 0).await;
    assert!(matches!(ask(&bed, &hand).await, PayReply::Closed));
    assert_eq!(bed.ledger.channel_now(hand.id()).phase, ChannelPhase::Final);
    assert_eq!((bed.earned(), bed.ledger.holds(bed.payer)), (PRICE.saturating_mul(2), left(&bed, 2)));
}

/// What the payer has when it has paid for so many calls, and the second channel of the bed is still open.
fn left(bed: &Bed, calls: u128) -> hansa_economy::Amount {
    let open = bed.ledger.channels_open().into_iter().map(|channel| channel.left());
    let locked = open.fold(hansa_economy::Amount::ZERO, |sum, left| sum.saturating_add(left));
    FUNDS.saturating_sub(PRICE.saturating_mul(calls)).saturating_sub(locked)
}

/// The deposit went back to the buyer at once, and the last call of each lane was lost for the seller.
#[tokio::test]
async fn a_channel_is_not_closed_before_its_last_calls_are_acknowledged() {
    let bed = bed().await;
    let mut hand = bed.hand(1);
    hand.buy(&bed, 0).await;
    hand.call(&bed, 0).await;
    hand.call(&bed, 1).await;
    let reply = ask(&bed, &hand).await;
    assert!(matches!(&reply, PayReply::NotYet(why) if why.contains("2 lanes")), "{reply:?}");
    assert_eq!(bed.ledger.channel_now(hand.id()).phase, ChannelPhase::Open);
    let (request, _) = hand.request(&bed, 2);
    assert!(matches!(bed.seller.call(&request).await, CallReply::Refused(refusal) if refusal.code == RefusalCode::Channel));
    hand.acknowledge(&bed, 0).await;
    hand.acknowledge(&bed, 1).await;
    assert!(matches!(ask(&bed, &hand).await, PayReply::Closed));
    assert_eq!((bed.earned(), bed.ledger.holds(bed.payer)), (PRICE.saturating_mul(3), left(&bed, 3)));
}

#[tokio::test]
async fn a_channel_is_not_closed_while_a_call_is_under_way() {
    let bed = Arc::new(bed().await);
    let mut hand = bed.hand(1);
    let gate = bed.serve.gate.lock().await;
    let (request, _) = hand.request(&bed, 0);
    let seller = bed.seller.clone();
    let running = tokio::spawn(async move { seller.call(&request).await });
    while bed.serve.begun.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let reply = ask(&bed, &hand).await;
    assert!(matches!(&reply, PayReply::NotYet(why) if why.contains("under way")), "{reply:?}");
    drop(gate);
    assert!(matches!(running.await.unwrap(), CallReply::Answered(..)));
    assert!(matches!(ask(&bed, &hand).await, PayReply::NotYet(_)), "nor before that one is acknowledged");
}

/// The ledger pays such a claim after the grace time; sellers did not make it.
#[tokio::test]
async fn the_last_receipts_are_claimed_while_the_channel_closes() {
    for restarts in [false, true] {
        let mut bed = bed().await;
        let mut hand = bed.hand(1);
        hand.buy(&bed, 0).await;
        hand.call(&bed, 0).await;
        hand.call(&bed, 1).await;
        hand.close_alone(&bed);
        if restarts {
            bed.restart_seller().await;
        }
        bed.wait(LOOK_AGAIN.as_secs());
        bed.seller.redeem().await;
        assert_eq!(bed.earned(), PRICE, "restarts: {restarts}");
        assert_eq!(bed.ledger.channel_now(hand.id()).claimed(), PRICE.saturating_mul(2), "restarts: {restarts}");
        let commands = bed.ledger.commands.load(SeqCst);
        bed.seller.redeem().await;
        assert_eq!(bed.ledger.commands.load(SeqCst), commands, "once");
        hand.finalize(&bed);
        assert_eq!(bed.earned(), PRICE.saturating_mul(3), "restarts: {restarts}");
    }
}

#[tokio::test]
async fn a_buyer_closes_at_once_with_an_honest_seller() {
    let bed = bed().await;
    let buyer = bed.buyer();
    let bought = futures::future::join_all((0..3).map(|_| bed.buy(&buyer))).await;
    assert!(bought.iter().all(Result::is_ok), "{bought:?}");
    assert_eq!(buyer.close_channels().await, 1);
    assert_eq!((bed.earned(), bed.ledger.holds(bed.payer)), (PRICE.saturating_mul(3), left(&bed, 3)));
    assert!(bed.ledger.channels_open().is_empty());
    // The next call opens another.
    bed.buy(&buyer).await.unwrap();
}

/// A channel that its seller had closed meanwhile cost its buyer a call that failed.
#[tokio::test]
async fn a_buyer_goes_on_in_another_channel_when_the_seller_has_closed_one() {
    let bed = bed().await;
    let buyer = bed.buyer();
    bed.buy(&buyer).await.unwrap();
    buyer.acknowledge().await;
    let first = bed.ledger.channels_open()[0].id;
    bed.ledger.done(Command::ChannelClose(ChannelClose { channel: first, at_once: false }), &key(AGENT));
    bed.wait(31);
    bed.buy(&buyer).await.unwrap();
    let open = bed.ledger.channels_open().into_iter().filter(|channel| channel.phase == ChannelPhase::Open);
    assert_eq!(open.filter(|channel| channel.id != first).count(), 1);
}
