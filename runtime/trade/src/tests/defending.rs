//! What a seller does by itself against buyers who sign twice, or vanish.

use std::sync::atomic::Ordering::SeqCst;

use hansa_economy::call::{CallReply, CallRequest, RefusalCode};
use hansa_economy::channel::Voucher;
use hansa_economy::ledger::ChannelPhase;
use hansa_economy::{Amount, Signed};
use minicbor::bytes::ByteVec;

use super::bed::*;
use crate::limits::SILENCE_MAX;
use crate::port::{PayReply, PayRequest};

fn signed(voucher: &Voucher) -> ByteVec {
    Signed::new(voucher.clone(), &key(BUYER)).bytes().to_vec().into()
}

async fn is_closing(bed: &Bed, hand: &Hand) -> bool {
    bed.seller.redeem().await;
    matches!(bed.ledger.channel_now(hand.id()).phase, ChannelPhase::Closing { .. })
}

/// The lane was frozen until the next restart, and the ledger never heard of it.
#[tokio::test]
async fn two_vouchers_of_one_number_are_shown_to_the_ledger() {
    for (restarts, acknowledges) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut bed = bed().await;
        let mut hand = bed.hand(1);
        hand.buy(&bed, 1).await;
        let (request, voucher) = hand.request(&bed, 0);
        assert!(matches!(bed.seller.call(&request).await, CallReply::Answered(..)));
        bed.ledger.away.store(true, SeqCst);
        let second = Voucher { cumulative_max: Amount(voucher.cumulative_max.0 + 1), ..voucher.clone() };
        match acknowledges {
            true => {
                let second = Voucher { call: None, request: None, prev_receipt: Some(request.digest()), ..second };
                assert!(matches!(bed.pay(&PayRequest::Acknowledge(vec![signed(&second)])).await, PayReply::Taken(0)));
            }
            false => {
                let again = CallRequest { voucher: Some(signed(&second)), ..request };
                assert!(
                    matches!(bed.seller.call(&again).await, CallReply::Refused(refusal) if refusal.code == RefusalCode::Lane)
                );
            }
        }
        bed.seller.redeem().await;
        if restarts {
            bed.restart_seller().await;
        }
        bed.ledger.away.store(false, SeqCst);
        assert!(is_closing(&bed, &hand).await);
        let channel = bed.ledger.channel_now(hand.id());
        assert_eq!(channel.lanes[&0].frozen, Some(voucher.seq));
        assert_eq!((channel.redeemed, channel.claimed()), (PRICE, PRICE), "both lanes have what they are owed");
        let commands = bed.ledger.commands.load(SeqCst);
        bed.seller.redeem().await;
        assert_eq!(bed.ledger.commands.load(SeqCst), commands, "once");
    }
}

/// The ledger pays a receipt that was never acknowledged, but only while the channel closes; nobody closed it.
#[tokio::test]
async fn a_vanished_buyer_pays_its_last_call() {
    let bed = bed().await;
    let (mut gone, mut idle) = (bed.hand(1), bed.hand(2));
    gone.call(&bed, 0).await;
    idle.buy(&bed, 0).await;
    bed.wait(SILENCE_MAX.as_secs() - 1);
    assert!(!is_closing(&bed, &gone).await);
    bed.wait(1);
    assert!(is_closing(&bed, &gone).await);
    assert!(!is_closing(&bed, &idle).await, "nothing is owed in this one");
    assert_eq!(bed.ledger.channel_now(gone.id()).claimed(), PRICE);
    gone.finalize(&bed);
    assert_eq!(bed.earned(), PRICE.saturating_mul(2));
}

/// While the seller was away nobody could acknowledge anything to it.
#[tokio::test]
async fn a_buyer_is_not_silent_for_the_time_in_which_the_seller_was_away() {
    let mut bed = bed().await;
    let mut hand = bed.hand(1);
    hand.call(&bed, 0).await;
    bed.wait(SILENCE_MAX.as_secs() - 1);
    bed.restart_seller().await;
    bed.wait(SILENCE_MAX.as_secs() - 1);
    bed.seller.redeem().await;
    bed.wait(1);
    assert!(!is_closing(&bed, &hand).await, "it is there again since a moment");
    hand.acknowledge(&bed, 0).await;
    bed.wait(SILENCE_MAX.as_secs());
    assert!(!is_closing(&bed, &hand).await);
    assert_eq!(bed.earned(), PRICE);
}
