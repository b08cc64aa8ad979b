//! A channel's life on the ledger: open, redeem, close by either side, claims and answers, and everything that is refused.

use super::*;
use crate::Signed;
use crate::channel::{CallId, ChannelTerms, Voucher};
use crate::digest::Digest;
use crate::receipt::{Ending, Receipt};

pub(super) struct Trade {
    pub(super) world: World,
    pub(super) buyer: Keypair,
    pub(super) voucher_key: Keypair,
    pub(super) seller: Keypair,
    pub(super) agent: Keypair,
    pub(super) terms: ChannelTerms,
}

/// Buyer with 1000, a channel with a deposit of 100 and a grace time of 60 s.
pub(super) fn trade() -> Trade {
    trade_with(|_, _| ())
}

/// The same with other terms.
pub(super) fn trade_with(change: impl FnOnce(&mut World, &mut ChannelTerms)) -> Trade {
    let mut world = World::new();
    let (buyer, voucher_key, seller, agent) = (key(1), key(2), key(3), key(4));
    let (payer, payee) = (world.account(&buyer, "main", 1000), world.account(&seller, "main", 0));
    let mut terms = ChannelTerms {
        ledger: world.state.head().ledger,
        payer,
        payer_key: voucher_key.public(),
        payee,
        payee_key: agent.public(),
        asset: 1,
        grace_s: 60,
        nonce: 1,
        shares: vec![],
    };
    change(&mut world, &mut terms);
    world.done(&buyer, Command::ChannelOpen(ChannelOpen { terms: terms.clone(), deposit: Amount(100) }));
    Trade { world, buyer, voucher_key, seller, agent, terms }
}

pub(super) fn call(n: u64) -> CallId {
    Digest::of(&n.to_le_bytes())
}

impl Trade {
    pub(super) fn receipt(&self, lane: u32, seq: u64, cumulative: u128) -> Receipt {
        Receipt {
            call: call(seq),
            service: "a:b/c@1.0.0".into(),
            function: "f".into(),
            offer: Digest::default(),
            channel: self.terms.id(),
            lane,
            seq,
            prev_receipt: None,
            buyer: self.terms.payer_key,
            seller: self.terms.payee_key,
            node: self.terms.payee_key,
            package: "p/q@1.0.0".into(),
            component: Digest::default(),
            models: vec![],
            request: call(seq),
            ending: Ending::Answered(Digest::default()),
            price_max: Amount(cumulative),
            charged: Amount(cumulative),
            cumulative: Amount(cumulative),
            started_ms: 0,
            finished_ms: 0,
            children: vec![],
            metered: None,
        }
    }

    pub(super) fn voucher(&self, lane: u32, seq: u64, cumulative_max: u128, prev_receipt: Option<Digest>) -> Voucher {
        let (ledger, channel) = (self.terms.ledger, self.terms.id());
        Voucher {
            ledger,
            channel,
            lane,
            seq,
            cumulative_max: Amount(cumulative_max),
            prev_receipt,
            call: Some(call(seq)),
            request: Some(call(seq)),
        }
    }

    /// The claim by a receipt of call `seq` which the voucher after it acknowledges.
    pub(super) fn acknowledged(&self, lane: u32, seq: u64, cumulative: u128, ceiling: u128) -> Claim {
        let receipt = Signed::new(self.receipt(lane, seq, cumulative), &self.agent);
        Claim::new(&Signed::new(self.voucher(lane, seq + 1, ceiling, Some(receipt.digest())), &self.voucher_key), &receipt)
    }

    /// The claim by a lane's last receipt, for the very call of the voucher.
    pub(super) fn last(&self, lane: u32, seq: u64, cumulative: u128, ceiling: u128) -> Claim {
        let receipt = Signed::new(self.receipt(lane, seq, cumulative), &self.agent);
        Claim::new(&Signed::new(self.voucher(lane, seq, ceiling, None), &self.voucher_key), &receipt)
    }

    pub(super) fn redeem(&mut self, claims: Vec<Claim>) -> Result<(u128, u128), Reason> {
        let agent = self.agent.clone();
        self.redeem_by(&agent, claims)
    }

    pub(super) fn redeem_by(&mut self, key: &Keypair, claims: Vec<Claim>) -> Result<(u128, u128), Reason> {
        let channel = self.terms.id();
        match self.world.act(key, Command::ChannelRedeem(ChannelRedeem { channel, claims }))? {
            Acceptance::Redeemed { paid, claimed, .. } => Ok((paid.0, claimed.0)),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn close(&mut self, key: &Keypair, at_once: bool) -> Result<Acceptance, Reason> {
        self.world.act(key, Command::ChannelClose(ChannelClose { channel: self.terms.id(), at_once }))
    }

    pub(super) fn answer(&mut self, lane: u32, seq: u64, cumulative: u128) -> Result<Acceptance, Reason> {
        let receipt = Signed::new(self.receipt(lane, seq, cumulative), &self.agent);
        let receipts = vec![receipt.bytes().to_vec().into()];
        let key = self.voucher_key.clone();
        self.world.act(&key, Command::ChannelAnswer(ChannelAnswer { channel: self.terms.id(), receipts }))
    }

    pub(super) fn finalize(&mut self) -> Result<(u128, u128), Reason> {
        match self.world.act(&key(99), Command::ChannelFinalize(ChannelFinalize { channel: self.terms.id() }))? {
            Acceptance::Final { paid, returned } => Ok((paid.0, returned.0)),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn balances(&self) -> (u128, u128) {
        (self.world.available(self.terms.payer), self.world.available(self.terms.payee))
    }
}

#[test]
fn acknowledged_receipts_are_paid_and_the_payee_closes() {
    let mut trade = trade();
    assert_eq!(trade.balances(), (900, 0));
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 1, 10, 50), trade.acknowledged(7, 1, 5, 5)]), Ok((15, 0)));
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 2, 25, 50)]), Ok((15, 0)));
    let agent = trade.agent.clone();
    assert_eq!(trade.close(&agent, true), Ok(Acceptance::Final { paid: Amount(0), returned: Amount(70) }));
    assert_eq!(trade.balances(), (970, 30));
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 3, 30, 50)]), Err(Reason::ChannelFinal));
    let topup = Command::ChannelTopup(ChannelTopup { channel: trade.terms.id(), amount: Amount(5) });
    assert_eq!(trade.world.act(&trade.buyer.clone(), topup), Err(Reason::ChannelFinal));
    assert_eq!(trade.finalize(), Err(Reason::ChannelFinal));
    assert_eq!(trade.close(&agent, true), Err(Reason::ChannelFinal));
}

#[test]
fn a_claim_pays_once_and_never_above_ceiling_or_deposit() {
    let mut trade = trade();
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 1, 60, 40)]), Ok((40, 0)));
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 1, 60, 40)]), Err(Reason::NothingToRedeem));
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 1, 30, 40)]), Err(Reason::NothingToRedeem));
    assert_eq!(trade.redeem(vec![trade.acknowledged(1, 1, 90, 90)]), Ok((60, 0)));
    assert_eq!(trade.redeem(vec![trade.acknowledged(1, 1, 90, 90)]), Err(Reason::DepositExhausted));
    let topup = Command::ChannelTopup(ChannelTopup { channel: trade.terms.id(), amount: Amount(50) });
    assert_eq!(trade.world.act(&trade.seller.clone(), topup.clone()), Err(Reason::NotPermitted));
    trade.world.done(&trade.buyer.clone(), topup);
    assert_eq!(trade.redeem(vec![trade.acknowledged(1, 1, 90, 90)]), Ok((30, 0)));
    assert_eq!(trade.balances(), (850, 130));
}

#[test]
fn wrong_keys_and_other_channels_are_refused() {
    let mut trade = trade();
    let good = trade.acknowledged(0, 1, 10, 50);
    assert_eq!(trade.redeem_by(&key(9), vec![good.clone()]), Err(Reason::NotPermitted));
    assert_eq!(trade.redeem_by(&trade.buyer.clone(), vec![good.clone()]), Err(Reason::NotPermitted));
    assert_eq!(trade.redeem(vec![]), Err(Reason::BadBatch));
    let receipt = Signed::new(trade.receipt(0, 1, 10), &trade.agent);
    let voucher = trade.voucher(0, 2, 50, Some(receipt.digest()));
    let by_buyer = Signed::new(voucher.clone(), &trade.buyer);
    assert_eq!(trade.redeem(vec![Claim::new(&by_buyer, &receipt)]), Err(Reason::ClaimKey));
    let by_seller = Signed::new(trade.receipt(0, 1, 10), &trade.seller);
    let for_it = Signed::new(trade.voucher(0, 2, 50, Some(by_seller.digest())), &trade.voucher_key);
    assert_eq!(trade.redeem(vec![Claim::new(&for_it, &by_seller)]), Err(Reason::ClaimKey));
    let elsewhere = Signed::new(Voucher { channel: call(5), ..voucher.clone() }, &trade.voucher_key);
    assert_eq!(trade.redeem(vec![Claim::new(&elsewhere, &receipt)]), Err(Reason::ClaimOtherChannel));
    let foreign = Signed::new(Voucher { ledger: call(5), ..voucher.clone() }, &trade.voucher_key);
    assert_eq!(trade.redeem(vec![Claim::new(&foreign, &receipt)]), Err(Reason::ClaimOtherChannel));
    let other_lane = Signed::new(Voucher { lane: 1, ..voucher }, &trade.voucher_key);
    assert_eq!(trade.redeem(vec![Claim::new(&other_lane, &receipt)]), Err(Reason::ClaimMismatch));
    // One bad claim spoils the command: nothing was paid.
    assert_eq!(trade.redeem(vec![good.clone(), Claim::new(&other_lane, &receipt)]), Err(Reason::ClaimMismatch));
    assert_eq!(trade.redeem_by(&trade.seller.clone(), vec![good]), Ok((10, 0)));
}

#[test]
fn what_is_not_acknowledged_waits_for_the_end() {
    let mut trade = trade();
    assert_eq!(trade.redeem(vec![trade.last(0, 1, 10, 50)]), Err(Reason::ClaimNotAcknowledged));
    assert_eq!(trade.finalize(), Err(Reason::ChannelNotClosing));
    let (buyer, voucher_key) = (trade.buyer.clone(), trade.voucher_key.clone());
    assert_eq!(trade.close(&buyer, true), Err(Reason::NotPermitted));
    assert_eq!(trade.close(&key(9), false), Err(Reason::NotPermitted));
    assert!(matches!(trade.close(&voucher_key, false), Ok(Acceptance::Closing(_))));
    assert_eq!(trade.close(&buyer, false), Err(Reason::ChannelClosing));
    assert_eq!(trade.redeem(vec![trade.last(0, 1, 10, 50)]), Ok((0, 10)));
    assert_eq!(trade.redeem(vec![trade.acknowledged(1, 4, 20, 50)]), Ok((20, 10)));
    let topup = Command::ChannelTopup(ChannelTopup { channel: trade.terms.id(), amount: Amount(5) });
    assert_eq!(trade.world.act(&buyer, topup), Err(Reason::ChannelClosing));
    trade.world.wait(59);
    assert_eq!(trade.finalize(), Err(Reason::GraceNotOver));
    trade.world.wait(2);
    assert_eq!(trade.redeem(vec![trade.last(2, 1, 10, 50)]), Err(Reason::GraceOver));
    assert_eq!(trade.finalize(), Ok((10, 70)));
    assert_eq!(trade.balances(), (970, 30));
}

#[test]
fn the_lower_of_two_receipts_of_one_call_counts() {
    let mut trade = trade();
    let voucher_key = trade.voucher_key.clone();
    assert_eq!(trade.answer(0, 3, 10), Err(Reason::ChannelNotClosing));
    trade.close(&voucher_key, false).unwrap();
    assert_eq!(trade.redeem(vec![trade.last(0, 3, 40, 50), trade.last(1, 1, 7, 50)]), Ok((0, 47)));
    assert_eq!(trade.answer(0, 3, 40), Err(Reason::AnswerNotLower));
    assert_eq!(trade.answer(0, 2, 10), Err(Reason::AnswerNotLower));
    assert_eq!(trade.answer(0, 3, 30), Ok(Acceptance::Answered));
    assert_eq!(trade.answer(0, 3, 12), Ok(Acceptance::Answered));
    trade.world.wait(61);
    assert_eq!(trade.finalize(), Ok((19, 81)));
}

/// A payee that claims in the last second must not leave the payer without time to answer.
#[test]
fn a_late_claim_leaves_a_whole_grace_time_to_answer() {
    let mut trade = trade();
    let voucher_key = trade.voucher_key.clone();
    trade.close(&voucher_key, false).unwrap();
    trade.world.wait(59);
    assert_eq!(trade.redeem(vec![trade.last(0, 3, 40, 50)]), Ok((0, 40)));
    trade.world.wait(2);
    assert_eq!(trade.finalize(), Err(Reason::GraceNotOver));
    assert_eq!(trade.answer(0, 3, 12), Ok(Acceptance::Answered));
    trade.world.wait(60);
    assert_eq!(trade.answer(0, 3, 11), Err(Reason::GraceOver));
    assert_eq!(trade.finalize(), Ok((12, 88)));
}

/// A payee whose payer never acknowledged the last call, and never closes, gets its due nevertheless.
#[test]
fn a_payee_may_close_with_grace_and_claim_its_last_receipt() {
    let mut trade = trade();
    let agent = trade.agent.clone();
    assert!(matches!(trade.close(&agent, false), Ok(Acceptance::Closing(_))));
    assert_eq!(trade.redeem(vec![trade.last(0, 1, 10, 50)]), Ok((0, 10)));
    trade.world.wait(61);
    assert_eq!(trade.finalize(), Ok((10, 90)));
}

#[test]
fn terms_are_checked() {
    let mut trade = trade();
    let buyer = trade.buyer.clone();
    let mut open = |key: &Keypair, deposit: u128, change: &dyn Fn(&mut ChannelTerms)| {
        let mut terms = trade.terms.clone();
        change(&mut terms);
        trade.world.act(key, Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(deposit) }))
    };
    assert_eq!(open(&buyer, 5, &|_| ()), Err(Reason::ChannelExists));
    assert_eq!(open(&key(9), 5, &|terms| terms.nonce = 2), Err(Reason::NotPermitted));
    assert_eq!(open(&buyer, 5, &|terms| terms.ledger = call(1)), Err(Reason::WrongLedger));
    assert_eq!(open(&buyer, 5, &|terms| terms.payee = terms.payer), Err(Reason::AccountsMustBeDifferent));
    assert_eq!(open(&buyer, 5, &|terms| terms.payee = AccountId(4)), Err(Reason::AccountNotFound));
    assert_eq!(open(&buyer, 5, &|terms| terms.payee = issuance_account_id(1)), Err(Reason::AccountIsReserved));
    assert_eq!(open(&buyer, 5, &|terms| terms.grace_s = 0), Err(Reason::BadNumber));
    assert_eq!(open(&buyer, 5, &|terms| terms.asset = 2), Err(Reason::AssetDiffers));
    assert_eq!(open(&buyer, 0, &|terms| terms.nonce = 2), Err(Reason::AmountMustNotBeZero));
    assert_eq!(open(&buyer, 901, &|terms| terms.nonce = 2), Err(Reason::ExceedsCredits));
    assert!(open(&buyer, 900, &|terms| terms.nonce = 2).is_ok());
}

/// Escrow moves by the channel's commands only, whoever signs.
#[test]
fn escrow_is_out_of_reach_of_transfers() {
    let mut trade = trade();
    let (buyer, escrow, payer) = (trade.buyer.clone(), trade.terms.escrow(), trade.terms.payer);
    let steal =
        Transfer { id: Id128(7), debit: escrow, credit: payer, amount: Amount(1), asset: 1, code: 1, ..Transfer::default() };
    assert_eq!(trade.world.transfer(&buyer, steal.clone()), TransferStatus::AccountIsReserved);
    assert_eq!(
        trade.world.transfer(&buyer, Transfer { debit: payer, credit: escrow, ..steal }),
        TransferStatus::AccountIsReserved
    );
}
