//! `channel.redeem`: the payee takes what vouchers and receipts prove together.
//!
//! A receipt counts when a voucher of the same lane acknowledges it: then both have signed its total. Its total, capped by
//! the voucher's ceiling and by the deposit, less what the lane was paid before, is paid at once. While the channel closes,
//! the payee may also claim by its last receipt, for the very call that the voucher paid for, without acknowledgement; such
//! a claim is paid at the end, unless the payer shows a lower receipt of the payee's for the same call.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::channel::{Channel, ChannelPhase, Lane, LaneClaim};
use super::channel_shares::{self, check_payment};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use super::transfer::timeout_ns;
use super::verified::Verified;
use crate::amount::Amount;
use crate::channel::{ChannelId, Voucher};
use crate::limits::{CHANNEL_LANES_MAX, CLAIMS_MAX};
use crate::receipt::Receipt;
use crate::statement::Signed;

/// Take what is proven. Signed by the channel's receipt key, the owner of the paid account, or
/// a key of that account for receipts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelRedeem {
    /// The channel.
    #[n(0)]
    pub channel: ChannelId,
    /// The proofs, 1 to [`CLAIMS_MAX`], in the order in which they share the deposit.
    #[n(1)]
    pub claims: Vec<Claim>,
}

/// Proof of what one lane owes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// The exact bytes of a signed [`Voucher`].
    #[n(0)]
    pub voucher: ByteVec,
    /// The exact bytes of a signed [`Receipt`].
    #[n(1)]
    pub receipt: ByteVec,
}

impl Claim {
    /// The claim that `voucher` and `receipt` make.
    pub fn new(voucher: &Signed<Voucher>, receipt: &Signed<Receipt>) -> Claim {
        Claim { voucher: ByteVec::from(voucher.bytes().to_vec()), receipt: ByteVec::from(receipt.bytes().to_vec()) }
    }
}

impl ChannelRedeem {
    pub(super) fn apply(&self, state: &mut State, verified: &Verified) -> Result<Acceptance, Reason> {
        let before = state.channel(self.channel).ok_or(Reason::ChannelNotFound)?;
        let payee = state.account(before.terms.payee).ok_or(Reason::AccountNotFound)?;
        let authority = Authority::Signer(verified.signer());
        if !authority.is(before.terms.payee_key) && !authority.may_take(state, payee) {
            return Err(Reason::NotPermitted);
        }
        if self.claims.is_empty() || self.claims.len() > CLAIMS_MAX {
            return Err(Reason::BadBatch);
        }
        if before.phase == ChannelPhase::Final {
            return Err(Reason::ChannelFinal);
        }
        let mut channel = before.clone();
        for (voucher, receipt) in verified.vouchers().iter().zip(verified.receipts()) {
            take(&mut channel, voucher, receipt, state.now_ns())?;
        }
        let paid = channel.redeemed.saturating_sub(before.redeemed);
        if channel == *before {
            return Err(if before.left() == Amount::ZERO { Reason::DepositExhausted } else { Reason::NothingToRedeem });
        }
        if payee.is_closed() {
            return Err(Reason::AccountClosed);
        }
        check_payment(state, &channel, paid)?;

        // Point of no return.
        let (claimed, redeemed) = (channel.claimed().min(channel.left()), channel.redeemed);
        channel_shares::pay(state, &channel.terms, paid, verified.body().id);
        state.put_channel(channel);
        Ok(Acceptance::Redeemed { paid, claimed, redeemed })
    }
}

/// Count one claim in `channel`, a copy that is thrown away if any claim is bad.
fn take(channel: &mut Channel, voucher: &Signed<Voucher>, receipt: &Signed<Receipt>, now_ns: u64) -> Result<(), Reason> {
    if voucher.signer != channel.terms.payer_key {
        return Err(Reason::ClaimKey);
    }
    check_receipt(channel, receipt)?;
    if voucher.body.ledger != channel.terms.ledger || voucher.body.channel != channel.id {
        return Err(Reason::ClaimOtherChannel);
    }
    if voucher.body.lane != receipt.body.lane {
        return Err(Reason::ClaimMismatch);
    }
    let frozen = channel.lanes.get(&receipt.body.lane).and_then(|lane| lane.frozen);
    if frozen.is_some_and(|frozen| voucher.body.seq > frozen) {
        return Err(Reason::LaneFrozen);
    }
    match is_acknowledged(&voucher.body, receipt) {
        true => pay(channel, &voucher.body, &receipt.body),
        false => claim(channel, &voucher.body, &receipt.body, now_ns)?,
    }
    Ok(())
}

/// Is it a receipt of this channel, signed by its payee?
pub(super) fn check_receipt(channel: &Channel, receipt: &Signed<Receipt>) -> Result<(), Reason> {
    if receipt.signer != channel.terms.payee_key {
        return Err(Reason::ClaimKey);
    }
    if receipt.body.channel != channel.id {
        return Err(Reason::ClaimOtherChannel);
    }
    if receipt.body.lane >= CHANNEL_LANES_MAX {
        return Err(Reason::BadNumber);
    }
    Ok(())
}

fn is_acknowledged(voucher: &Voucher, receipt: &Signed<Receipt>) -> bool {
    voucher.prev_receipt == Some(receipt.digest()) && voucher.seq > receipt.body.seq
}

/// Pay a lane up to an acknowledged total, as far as ceiling and deposit reach.
fn pay(channel: &mut Channel, voucher: &Voucher, receipt: &Receipt) {
    let left = channel.left();
    let lane = channel.lanes.entry(receipt.lane).or_default();
    let before = lane.clone();
    lane.ceiling = lane.ceiling.max(voucher.cumulative_max);
    let due = receipt.cumulative.min(voucher.cumulative_max).saturating_sub(lane.redeemed);
    let paid = due.min(left);
    lane.redeemed = lane.redeemed.saturating_add(paid);
    lane.seq = lane.seq.max(receipt.seq);
    lane.claim = lane.claim.filter(|claim| claim.seq > receipt.seq);
    // A claim that brings nothing leaves no trace, so that it can be told from one that does.
    if paid == Amount::ZERO && lane.claim == before.claim {
        *lane = before;
    }
    if *lane == Lane::default() {
        channel.lanes.remove(&receipt.lane);
    }
    channel.redeemed = channel.redeemed.saturating_add(paid);
}

/// Note a claim by the lane's last receipt, which no voucher acknowledges. It must be for the call of this voucher.
fn claim(channel: &mut Channel, voucher: &Voucher, receipt: &Receipt, now_ns: u64) -> Result<(), Reason> {
    let same = voucher.seq == receipt.seq && voucher.call == Some(receipt.call) && voucher.request == Some(receipt.request);
    if !same {
        return Err(if voucher.seq > receipt.seq { Reason::ClaimNotAcknowledged } else { Reason::ClaimMismatch });
    }
    let ChannelPhase::Closing { claims_until_ns, grace_until_ns } = channel.phase else {
        return Err(Reason::ClaimNotAcknowledged);
    };
    if now_ns >= claims_until_ns {
        return Err(Reason::GraceOver);
    }
    let lane = channel.lanes.entry(receipt.lane).or_default();
    let total = receipt.cumulative.min(voucher.cumulative_max);
    let newer = lane.claim.is_none_or(|claim| receipt.seq > claim.seq) && receipt.seq > lane.seq;
    if newer && total > lane.redeemed {
        lane.claim = Some(LaneClaim { seq: receipt.seq, total });
        lane.ceiling = lane.ceiling.max(voucher.cumulative_max);
        // The payer always has a whole grace time to answer.
        let answer_until_ns = now_ns.saturating_add(timeout_ns(channel.terms.grace_s));
        channel.phase = ChannelPhase::Closing { claims_until_ns, grace_until_ns: grace_until_ns.max(answer_until_ns) };
    } else if *lane == Lane::default() {
        channel.lanes.remove(&receipt.lane);
    }
    Ok(())
}
