//! Claims on their way to the ledger: long ones, bad ones, and what cannot be brought at all.

use std::sync::atomic::Ordering::SeqCst;

use hansa_economy::Digest;
use hansa_economy::limits::{RECEIPT_CHILDREN_MAX, RECEIPT_MODELS_MAX, STATEMENT_BYTES_MAX};
use hansa_economy::receipt::ModelRun;

use super::bed::*;

/// Eight claims went into one command of 140 KiB, which no ledger reads, and were tried again for ever.
#[tokio::test]
async fn long_receipts_are_redeemed_in_several_commands() {
    let bed = bed().await;
    bed.serve.children.store(RECEIPT_CHILDREN_MAX, SeqCst);
    let mut hand = bed.hand(1);
    for lane in 0..8 {
        hand.buy(&bed, lane).await;
    }
    bed.seller.redeem().await;
    assert_eq!(bed.earned(), PRICE.saturating_mul(8));
}

/// One claim that the ledger refused stood in the way of all that were in its command.
#[tokio::test]
async fn a_bad_claim_does_not_stand_in_the_others_way() {
    let bed = bed().await;
    *bed.ledger.bad_lane.lock().unwrap() = Some(3);
    let mut hand = bed.hand(1);
    for lane in 0..6 {
        hand.buy(&bed, lane).await;
    }
    bed.seller.redeem().await;
    assert_eq!(bed.earned(), PRICE.saturating_mul(5));
    let commands = bed.ledger.commands.load(SeqCst);
    bed.seller.redeem().await;
    assert_eq!(bed.ledger.commands.load(SeqCst), commands, "it is not tried again");
    // A later claim of that lane is another one.
    *bed.ledger.bad_lane.lock().unwrap() = None;
    hand.buy(&bed, 3).await;
    bed.seller.redeem().await;
    assert_eq!(bed.earned(), PRICE.saturating_mul(7));
}

/// It was sent to the ledger, which cannot read it, four times a second.
#[tokio::test]
async fn a_claim_that_is_too_long_for_any_command_is_given_up() {
    let bed = bed().await;
    let mut hand = bed.hand(1);
    hand.buy(&bed, 0).await;
    bed.serve.children.store(RECEIPT_CHILDREN_MAX, SeqCst);
    let model = ModelRun {
        model: "m".repeat(2_880),
        manifest: Digest::of(b"model"),
        input_units: 1,
        output_units: 0,
        provider: None,
        provider_share_permille: None,
    };
    *bed.serve.models.lock().unwrap() = vec![model; RECEIPT_MODELS_MAX];
    let receipt = hand.call(&bed, 1).await;
    assert!((STATEMENT_BYTES_MAX - 1000..=STATEMENT_BYTES_MAX).contains(&receipt.bytes().len()), "{}", receipt.bytes().len());
    hand.acknowledge(&bed, 1).await;
    bed.seller.redeem().await;
    assert_eq!(bed.earned(), PRICE);
    let commands = bed.ledger.commands.load(SeqCst);
    bed.seller.redeem().await;
    assert_eq!(bed.ledger.commands.load(SeqCst), commands, "it is not tried again");
}
