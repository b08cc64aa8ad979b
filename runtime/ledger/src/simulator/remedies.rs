//! What comes after a trade: refunds, receipts that are witnessed, and evidence against payers who sign two vouchers of one
//! number; true and false.

use std::sync::Arc;

use hansa_economy::channel::Voucher;
use hansa_economy::ledger::*;
use hansa_economy::receipt::Receipt;
use hansa_economy::{Amount, Digest, Keypair, Signed};
use minicbor::bytes::ByteVec;

use super::cast::Cast;
use super::parties::{LANES, Parties, Trade, Wish};
use super::random::Random;

impl Cast {
    /// A refund of a transfer, or of what was refunded before; some are wrong.
    pub(super) fn refund(&self, random: &mut Random, state: &State) -> Wish {
        let transfers: Vec<(TransferId, &TransferRecord)> = state.transfers().collect();
        let again: Vec<TransferId> = state.all_refunded().filter_map(|row| transfer_of(row.target)).collect();
        let paid: Vec<TransferId> = transfers.iter().filter(|(_, record)| has_paid(record)).map(|(id, _)| *id).collect();
        let id = match random.below(100) {
            0..40 if !again.is_empty() => random.pick(&again),
            0..88 if !paid.is_empty() => random.pick(&paid),
            0..97 if !transfers.is_empty() => random.pick(&transfers).0,
            _ => Id128(5),
        };
        let Some(TransferRecord::Created(transfer, _)) = state.transfer(id) else {
            let refund = Refund { of: RefundOf::Transfer(id), amount: Amount(1) };
            return (random.pick(&self.users), Command::Refund(refund));
        };
        let signer = match random.below(100) {
            0..10 => self.owner(transfer.debit, state),
            _ => self.speaker(transfer.credit, KeyRole::Spend, random, state),
        };
        let amount = some_of(transfer.amount, RefundTarget::Transfer(id), random, state);
        (signer, Command::Refund(Refund { of: RefundOf::Transfer(id), amount }))
    }
}

impl Parties {
    /// A refund of a channel, or of one of its receipts; some are wrong.
    pub(super) fn refund(&mut self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Wish {
        let trade = &self.trades[at];
        let terms = &trade.terms;
        let signer = match random.below(10) {
            0 => cast.owner(terms.payer, state),
            1 => cast.pair(terms.payee_key),
            _ => cast.speaker(terms.payee, KeyRole::Spend, random, state),
        };
        let redeemed = state.channel(terms.id()).map_or(Amount(1), |channel| channel.redeemed);
        let lane = &trade.lanes[random.index(LANES as usize)];
        let of_channel = (RefundOf::Channel(terms.id()), RefundTarget::Channel(terms.id()), redeemed);
        let (of, target, charged) = match lane.receipts.is_empty() || random.percent(40) {
            true => of_channel,
            false => {
                let shown = trade.receipt(&random.pick(&lane.receipts), cast, random);
                let of = RefundOf::Receipt(shown.bytes().to_vec().into());
                (of, RefundTarget::Receipt(shown.digest()), shown.body.charged)
            }
        };
        (signer, Command::Refund(Refund { of, amount: some_of(charged, target, random, state) }))
    }

    /// Receipts are to be witnessed: by the seller, by the buyer, or by anybody who made them up; once or again.
    pub(super) fn anchor(&mut self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Wish {
        let receipts = self.trades[at].lanes.iter().flat_map(|lane| &lane.receipts);
        let mut digests: Vec<Digest> = receipts.map(Signed::digest).collect();
        if digests.is_empty() || random.percent(10) {
            digests.push(Digest::of(b"of somebody else"));
        }
        let none = ReceiptAnchor { root: Digest::default(), count: 0, first_ms: 0, last_ms: 0 };
        let anchor = ReceiptAnchor::of(&digests, 5, 9).unwrap_or_else(|| none.clone());
        let anchor = match random.below(10) {
            0 => none,
            1 => ReceiptAnchor { count: (1 << 24) + 1, ..anchor },
            2 => ReceiptAnchor { first_ms: 10, ..anchor },
            _ => anchor,
        };
        let signers = [self.payee(at, cast, random, state), random.pick(&cast.users)];
        (random.pick(&signers), Command::ReceiptAnchor(anchor))
    }

    /// Two vouchers of one number, or what is to pass for them.
    pub(super) fn expose(&mut self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Wish {
        let signer = match random.below(10) {
            0 => cast.pair(self.trades[at].terms.payer_key),
            _ => self.payee(at, cast, random, state),
        };
        let channel = self.trades[at].terms.id();
        let from = if random.percent(95) { at } else { random.index(self.trades.len()) };
        let trade = &mut self.trades[from];
        let number = random.below(LANES.into()) as u32;
        if trade.lanes[number as usize].vouchers.is_empty() {
            trade.call(number, cast, random);
        }
        let shown = trade.evidence(number, cast, random).map(|voucher| ByteVec::from(voucher.bytes().to_vec()));
        let [first, second] = shown;
        (signer, Command::ChannelEquivocation(ChannelEquivocation { channel, first, second }))
    }
}

impl Trade {
    /// A receipt as it is, or made up.
    fn receipt(&self, receipt: &Signed<Receipt>, cast: &Cast, random: &mut Random) -> Signed<Receipt> {
        let more = Receipt { charged: Amount(receipt.body.charged.0 + 500), ..receipt.body.clone() };
        match random.below(20) {
            0 => Signed::new(more, &cast.stranger),
            1..3 => Signed::new(more, &cast.pair(self.terms.payee_key)),
            3 => Signed::new(Receipt { channel: Digest::of(b"another"), ..more }, &cast.pair(self.terms.payee_key)),
            _ => receipt.clone(),
        }
    }

    fn evidence(&mut self, number: u32, cast: &Cast, random: &mut Random) -> [Signed<Voucher>; 2] {
        let payer: Arc<Keypair> = self.payer_key(cast);
        let vouchers = &self.lanes[number as usize].vouchers;
        let one = match vouchers.last() {
            Some(newest) if random.percent(60) => newest.clone(),
            _ => random.pick(vouchers),
        };
        let other = Voucher { cumulative_max: Amount(one.body.cumulative_max.0 + 1), ..one.body.clone() };
        let twin = |lane, channel| Voucher { lane, channel, ..other.clone() };
        let other = match random.below(100) {
            // The payer does sign two.
            0..50 => other,
            // It lost its memory and signed another one, perhaps.
            50..62 => return [one, random.pick(vouchers)],
            // The same words once more.
            62..68 => return [one.clone(), one],
            68..74 => return [one, Signed::new(other, &cast.pair(self.terms.payee_key))],
            74..80 => return [Signed::new(other, &cast.stranger), one],
            80..85 => twin(number + 1, other.channel),
            85..90 => twin(number, Digest::of(b"another")),
            90..95 => Voucher { seq: other.seq + 1, ..other },
            _ => {
                let (here, there) = (twin(5000, other.channel), Voucher { lane: 5000, ..one.body });
                return [Signed::new(here, &payer), Signed::new(there, &payer)];
            }
        };
        [one, Signed::new(other, &payer)]
    }
}

/// A part of what may go back, all of it, or more.
fn some_of(charged: Amount, target: RefundTarget, random: &mut Random, state: &State) -> Amount {
    let back = state.refunded(target).map_or(0, |row| row.refunded.0);
    let left = charged.0.saturating_sub(back);
    Amount(random.pick(&[left / 2, left / 2, left, left, left.saturating_add(1), charged.0, 1, 0]))
}

fn has_paid(record: &TransferRecord) -> bool {
    let void = |transfer: &Transfer| transfer.flags.has(TransferFlags::VOID_PENDING);
    matches!(record, TransferRecord::Created(transfer, None) if !void(transfer) && transfer.amount > Amount::ZERO)
}

fn transfer_of(target: RefundTarget) -> Option<TransferId> {
    match target {
        RefundTarget::Transfer(id) => Some(id),
        _ => None,
    }
}
