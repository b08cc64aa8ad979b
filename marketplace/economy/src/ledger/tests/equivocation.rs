//! Two vouchers of one number: what counts as evidence, and what it does to a channel.

use super::channels::{Trade, trade};
use super::*;
use crate::Signed;
use crate::channel::Voucher;
use crate::digest::Digest;

type Change<'a> = (&'a str, &'a dyn Fn(&mut Voucher), Result<(), Reason>);

impl Trade {
    fn signed(&self, lane: u32, seq: u64, ceiling: u128) -> Signed<Voucher> {
        Signed::new(self.voucher(lane, seq, ceiling, None), &self.voucher_key)
    }

    fn show(&mut self, by: &Keypair, first: &Signed<Voucher>, second: &Signed<Voucher>) -> Result<(u32, u64), Reason> {
        let evidence = ChannelEquivocation { channel: self.terms.id(), ..ChannelEquivocation::new(first, second) };
        match self.world.act(by, Command::ChannelEquivocation(evidence))? {
            Acceptance::Frozen { lane, seq, .. } => Ok((lane, seq)),
            other => panic!("{other:?}"),
        }
    }
}

/// Each voucher against the same good one, in a channel of its own.
#[test]
fn evidence_is_two_vouchers_of_one_number_that_differ() {
    let table: &[Change<'_>] = &[
        ("nothing", &|_| (), Err(Reason::VouchersAgree)),
        ("its ceiling", &|voucher| voucher.cumulative_max = Amount(51), Ok(())),
        ("its call", &|voucher| voucher.call = None, Ok(())),
        ("its acknowledgement", &|voucher| voucher.prev_receipt = Some(Digest::of(b"r")), Ok(())),
        ("its number", &|voucher| voucher.seq = 8, Err(Reason::ClaimMismatch)),
        ("its lane", &|voucher| voucher.lane = 4, Err(Reason::ClaimMismatch)),
        ("its channel", &|voucher| voucher.channel = Digest::of(b"c"), Err(Reason::ClaimOtherChannel)),
        ("its ledger", &|voucher| voucher.ledger = Digest::of(b"l"), Err(Reason::ClaimOtherChannel)),
    ];
    for (what, change, expected) in table {
        let mut trade = trade();
        let first = trade.signed(3, 7, 50);
        let mut other = first.body.clone();
        change(&mut other);
        let second = Signed::new(other, &trade.voucher_key);
        let agent = trade.agent.clone();
        assert_eq!(trade.show(&agent, &first, &second).map(|_| ()), *expected, "{what}");
    }
}

#[test]
fn only_the_payee_shows_what_only_the_payer_signed() {
    let mut trade = trade();
    let (first, second) = (trade.signed(3, 7, 50), trade.signed(3, 7, 51));
    let by_buyer = Signed::new(second.body.clone(), &trade.buyer);
    let (agent, seller, buyer) = (trade.agent.clone(), trade.seller.clone(), trade.buyer.clone());
    assert_eq!(trade.show(&buyer, &first, &second), Err(Reason::NotPermitted));
    assert_eq!(trade.show(&agent, &first, &by_buyer), Err(Reason::ClaimKey));
    let far = (trade.signed(1024, 7, 50), trade.signed(1024, 7, 51));
    assert_eq!(trade.show(&agent, &far.0, &far.1), Err(Reason::BadNumber));
    // The same words under a shared signature are other bytes, and no other promise.
    let draft = crate::statement::Draft::new(first.body.clone(), trade.voucher_key.public());
    let share = crate::statement::sign_all(&[draft.leaf()], &trade.voucher_key).remove(0);
    let again = draft.shared(share);
    assert_ne!(again.bytes(), first.bytes());
    assert_eq!(trade.show(&agent, &first, &again), Err(Reason::VouchersAgree));
    assert_eq!(trade.show(&seller, &first, &second), Ok((3, 7)));
}

#[test]
fn a_frozen_lane_pays_what_stood_and_nothing_beyond() {
    let mut trade = trade();
    let agent = trade.agent.clone();
    assert_eq!(trade.redeem(vec![trade.acknowledged(3, 4, 10, 50)]), Ok((10, 0)));
    assert_eq!(trade.show(&agent, &trade.signed(3, 7, 50), &trade.signed(3, 7, 60)), Ok((3, 7)));
    assert!(matches!(trade.world.state.channel(trade.terms.id()).unwrap().phase, ChannelPhase::Closing { .. }));
    // Frozen once: no second punishment, neither for these nor for others.
    assert_eq!(trade.show(&agent, &trade.signed(3, 7, 50), &trade.signed(3, 7, 60)), Err(Reason::LaneFrozen));
    assert_eq!(trade.show(&agent, &trade.signed(3, 5, 50), &trade.signed(3, 5, 60)), Err(Reason::LaneFrozen));
    // Voucher 7 acknowledges receipt 6; voucher 8 came after the freeze, for a receipt and for a call.
    assert_eq!(trade.redeem(vec![trade.acknowledged(3, 7, 30, 50)]), Err(Reason::LaneFrozen));
    assert_eq!(trade.redeem(vec![trade.last(3, 8, 40, 50)]), Err(Reason::LaneFrozen));
    assert_eq!(trade.redeem(vec![trade.acknowledged(3, 6, 20, 50)]), Ok((10, 0)));
    assert_eq!(trade.redeem(vec![trade.last(3, 7, 60, 60)]), Ok((0, 40)));
    // Other lanes go on as in any closing; the payer answers as in any closing.
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 9, 5, 50)]), Ok((5, 40)));
    assert_eq!(trade.answer(3, 7, 55), Ok(Acceptance::Answered));
    trade.world.wait(61);
    assert_eq!(trade.finalize(), Ok((35, 40)));
    assert_eq!(trade.balances(), (940, 60));
    assert_eq!(trade.show(&agent, &trade.signed(0, 7, 50), &trade.signed(0, 7, 60)), Err(Reason::ChannelFinal));
}

/// Evidence while the channel closes freezes the lane and leaves the times as they are.
#[test]
fn a_closing_channel_is_not_closed_anew() {
    let mut trade = trade();
    let (agent, voucher_key) = (trade.agent.clone(), trade.voucher_key.clone());
    trade.close(&voucher_key, false).unwrap();
    let phase = trade.world.state.channel(trade.terms.id()).unwrap().phase;
    trade.world.wait(30);
    assert_eq!(trade.show(&agent, &trade.signed(3, 7, 50), &trade.signed(3, 7, 60)), Ok((3, 7)));
    assert_eq!(trade.world.state.channel(trade.terms.id()).unwrap().phase, phase);
    trade.world.wait(31);
    assert_eq!(trade.finalize(), Ok((0, 100)));
}

/// A payee that was paid by higher numbers keeps that.
#[test]
fn what_was_paid_beyond_the_number_stays_paid() {
    let mut trade = trade();
    let agent = trade.agent.clone();
    assert_eq!(trade.redeem(vec![trade.acknowledged(3, 9, 40, 50)]), Ok((40, 0)));
    assert_eq!(trade.show(&agent, &trade.signed(3, 7, 50), &trade.signed(3, 7, 60)), Ok((3, 7)));
    assert_eq!(trade.redeem(vec![trade.acknowledged(3, 9, 40, 50)]), Err(Reason::LaneFrozen));
    assert_eq!(trade.close(&agent, true), Ok(Acceptance::Final { paid: Amount(0), returned: Amount(60) }));
}
