//! A lane's life seen from both sides.

use super::*;
use crate::key::Keypair;
use crate::receipt::Ending;

struct Pair {
    payer: Keypair,
    terms: ChannelTerms,
    debit: LaneDebit,
    credit: LaneCredit,
}

fn pair() -> Pair {
    let (payer, payee) = (Keypair::from_seed(&[1; 32]), Keypair::from_seed(&[2; 32]));
    let terms = ChannelTerms {
        ledger: Digest::of(b"ledger"),
        payer: AccountId(1),
        payer_key: payer.public(),
        payee: AccountId(2),
        payee_key: payee.public(),
        asset: 1,
        grace_s: 60,
        nonce: 1,
        shares: vec![],
    };
    Pair { payer, terms, debit: LaneDebit::default(), credit: LaneCredit::default() }
}

impl Pair {
    fn voucher(&mut self, n: u8, price_max: u128) -> Signed<Voucher> {
        let call = Some((Digest([n; 32]), Digest([n; 32])));
        let voucher = self.debit.next(&self.terms, self.terms.id(), 0, Amount(price_max), call);
        self.debit.signed(&voucher);
        Signed::new(voucher, &self.payer)
    }

    fn receipt(&self, voucher: &Voucher, charged: u128) -> Receipt {
        Receipt {
            call: voucher.call.unwrap(),
            service: "a:b/c@1.0.0".into(),
            function: "f".into(),
            offer: Digest::default(),
            channel: voucher.channel,
            lane: voucher.lane,
            seq: voucher.seq,
            prev_receipt: voucher.prev_receipt,
            buyer: self.terms.payer_key,
            seller: self.terms.payee_key,
            node: self.terms.payee_key,
            package: "p/q@1.0.0".into(),
            component: Digest::default(),
            models: vec![],
            request: voucher.request.unwrap(),
            ending: Ending::Answered(Digest::default()),
            price_max: Amount(charged),
            charged: Amount(charged),
            cumulative: self.credit.charged.saturating_add(Amount(charged)),
            started_ms: 0,
            finished_ms: 0,
            children: vec![],
            metered: None,
        }
    }

    fn call(&mut self, n: u8, price_max: u128, charged: u128) -> Receipt {
        let voucher = self.voucher(n, price_max);
        assert_eq!(self.credit.admit(&voucher, Amount(price_max)), Ok(Admission::New));
        self.credit.take(&voucher, Amount(price_max));
        let receipt = self.receipt(&voucher.body, charged);
        let digest = Digest::of(&minicbor::to_vec(&receipt).unwrap());
        self.credit.settle(digest, Amount(charged));
        self.debit.check(&voucher.body, &receipt, Amount(price_max)).unwrap();
        self.debit.settle(&receipt, digest);
        receipt
    }
}

#[test]
fn the_next_voucher_builds_on_what_was_charged() {
    let mut pair = pair();
    pair.call(1, 100, 30);
    let receipt = pair.call(2, 100, 50);
    assert_eq!(receipt.cumulative, Amount(80));
    assert_eq!(pair.debit.cumulative_max, Amount(130));
    assert_eq!(pair.credit.exposure(), Amount(80));
}

#[test]
fn the_ceiling_never_falls() {
    let mut pair = pair();
    pair.call(1, 100, 10);
    pair.call(2, 5, 5);
    assert_eq!(pair.debit.cumulative_max, Amount(100));
}

#[test]
fn a_repeat_is_known_and_a_second_voucher_of_one_number_is_evidence() {
    let mut pair = pair();
    let first = pair.voucher(1, 10);
    pair.credit.take(&first, Amount(10));
    assert_eq!(pair.credit.admit(&first, Amount(10)), Ok(Admission::Repeat));
    let other = Signed::new(Voucher { cumulative_max: Amount(99), ..first.body }, &pair.payer);
    assert_eq!(pair.credit.admit(&other, Amount(10)), Err(LaneRefusal::Equivocation(1)));
}

#[test]
fn refusals_come_in_their_order() {
    let mut pair = pair();
    let old = pair.voucher(1, 10);
    pair.credit.take(&old, Amount(10));
    let next = pair.voucher(2, 10);
    assert_eq!(pair.credit.admit(&next, Amount(10)), Err(LaneRefusal::Busy));
    pair.credit.settle(Digest::default(), Amount(10));
    assert_eq!(pair.credit.admit(&next, Amount(10)), Err(LaneRefusal::PrevReceipt));
    pair.credit.last_receipt = None;
    let short = LaneRefusal::Short { left: Amount::ZERO, price_max: Amount(10) };
    assert_eq!(pair.credit.admit(&next, Amount(10)), Err(short));
    pair.credit.cumulative_max = Amount(11);
    assert_eq!(pair.credit.admit(&next, Amount(10)), Err(LaneRefusal::Fell { before: Amount(11), found: Amount(10) }));
    pair.credit.seq = 7;
    assert_eq!(pair.credit.admit(&next, Amount(10)), Err(LaneRefusal::Behind { newest: 7, found: 2 }));
    pair.credit.frozen = true;
    assert_eq!(pair.credit.admit(&next, Amount(10)), Err(LaneRefusal::Frozen));
}

#[test]
fn a_buyer_refuses_what_it_did_not_agree_to() {
    let mut pair = pair();
    let voucher = pair.voucher(1, 10).body;
    let receipt = pair.receipt(&voucher, 10);
    assert_eq!(pair.debit.check(&voucher, &receipt, Amount(10)), Ok(()));
    let over = ReceiptRefusal::Overcharge { charged: Amount(10), agreed: Amount(9) };
    assert_eq!(pair.debit.check(&voucher, &receipt, Amount(9)), Err(over));
    let other_call = Receipt { call: Digest([9; 32]), ..receipt.clone() };
    assert_eq!(pair.debit.check(&voucher, &other_call, Amount(10)), Err(ReceiptRefusal::Mismatch("call")));
    let padded = Receipt { cumulative: Amount(11), ..receipt };
    let total = ReceiptRefusal::Total { expected: Amount(10), found: Amount(11) };
    assert_eq!(pair.debit.check(&voucher, &padded, Amount(10)), Err(total));
}

#[test]
fn a_payer_that_lost_its_state_goes_on_from_its_own_voucher() {
    let mut pair = pair();
    let receipt = pair.call(1, 100, 30);
    let newest: Voucher = Signed::open(&pair.credit.voucher).unwrap().body;
    let digest = pair.credit.last_receipt.unwrap();
    pair.debit = LaneDebit::default();
    pair.debit.recover(&newest, Some((&receipt, digest)));
    pair.call(2, 100, 1);
    assert_eq!(pair.credit.charged, Amount(31));
}

#[test]
fn a_channel_id_depends_on_every_term() {
    let terms = pair().terms;
    assert_ne!(terms.id(), ChannelTerms { nonce: 2, ..terms.clone() }.id());
    assert_ne!(terms.id(), ChannelTerms { grace_s: 61, ..terms.clone() }.id());
}
