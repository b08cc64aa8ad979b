//! `refund`: a payee gives back what it was paid, in part or whole, and the ledger keeps count of how much of it went back.
//!
//! What was paid stays as it is; a refund is a movement of its own, from the account that was paid to the one that paid. It names a
//! transfer, a channel, or a receipt given in a channel. A refund of a receipt counts against the receipt and against its
//! channel: a receipt says what was charged, the channel what was paid. A payee that shared its income refunds from its own.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;

use super::authority::Authority;
use super::channel::Channel;
use super::channel_redeem::check_receipt;
use super::id::TransferId;
use super::movement::{MovementKind, check_move, post};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use super::transfer::{TransferFlags, TransferRecord};
use super::verified::Verified;
use crate::amount::Amount;
use crate::channel::{AccountId, ChannelId};
use crate::digest::Digest;

/// Give money back. Signed by the owner of the account that was paid, or a key of it that may spend.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refund {
    /// For what.
    #[n(0)]
    pub of: RefundOf,
    /// How much, in the smallest unit; not zero. All refunds of one thing together: at most what was paid for it.
    #[n(1)]
    pub amount: Amount,
}

/// What is refunded. Numbers are stable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RefundOf {
    /// A transfer that moved money, or the post of a hold.
    #[n(0)]
    Transfer(#[n(0)] TransferId),
    /// What a channel paid, open or final.
    #[n(1)]
    Channel(#[n(0)] ChannelId),
    /// One call: the exact bytes of its signed [`crate::receipt::Receipt`].
    #[n(2)]
    Receipt(#[n(0)] ByteVec),
}

/// Names a thing whose refunds are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefundTarget {
    /// A transfer.
    #[n(0)]
    Transfer(#[n(0)] TransferId),
    /// A channel.
    #[n(1)]
    Channel(#[n(0)] ChannelId),
    /// A receipt, by the digest of its exact bytes.
    #[n(2)]
    Receipt(#[n(0)] Digest),
}

/// How much of a thing was refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Refunded {
    /// The thing.
    #[n(0)]
    pub target: RefundTarget,
    /// What was paid for it; of a channel: when it was refunded last.
    #[n(1)]
    pub charged: Amount,
    /// What of that went back; never falls, never above `charged`.
    #[n(2)]
    pub refunded: Amount,
}

/// Who was paid by whom, and what counts how much of it may go back.
struct Paid {
    payer: AccountId,
    payee: AccountId,
    charged: Vec<(RefundTarget, Amount)>,
}

impl Refund {
    pub(super) fn apply(&self, state: &mut State, verified: &Verified) -> Result<Acceptance, Reason> {
        let Paid { payer: payer_id, payee: payee_id, charged } = self.paid(state, verified)?;
        let payer = state.account(payer_id).ok_or(Reason::AccountNotFound)?;
        let payee = state.account(payee_id).ok_or(Reason::AccountNotFound)?;
        let authority = Authority::Signer(verified.signer());
        authority.may_debit(state, payee, payer_id, self.amount)?;
        if self.amount == Amount::ZERO {
            return Err(Reason::AmountMustNotBeZero);
        }
        if payer.is_closed() || payee.is_closed() {
            return Err(Reason::AccountClosed);
        }
        let rows = charged.into_iter().map(|(target, charged)| self.count(state, target, charged));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        check_move(payee, payer, self.amount)?;

        // Point of no return.
        authority.spend(state, payee_id, self.amount);
        post(state, MovementKind::Refund, payee_id, payer_id, self.amount, verified.body().id);
        let refunded = rows.first().map_or(Amount::ZERO, |row| row.refunded);
        rows.into_iter().for_each(|row| state.put_refunded(row));
        Ok(Acceptance::Refunded(refunded))
    }

    fn paid(&self, state: &State, verified: &Verified) -> Result<Paid, Reason> {
        match &self.of {
            RefundOf::Transfer(id) => paid_by_transfer(state, *id),
            RefundOf::Channel(id) => Ok(paid_by_channel(state.channel(*id).ok_or(Reason::ChannelNotFound)?)),
            RefundOf::Receipt(_) => {
                let [receipt] = verified.receipts() else { return Err(Reason::ClaimMismatch) };
                let channel = state.channel(receipt.body.channel).ok_or(Reason::ChannelNotFound)?;
                check_receipt(channel, receipt)?;
                let mut paid = paid_by_channel(channel);
                paid.charged.insert(0, (RefundTarget::Receipt(receipt.digest()), receipt.body.charged));
                Ok(paid)
            }
        }
    }

    fn count(&self, state: &State, target: RefundTarget, charged: Amount) -> Result<Refunded, Reason> {
        let before = state.refunded(target).map_or(Amount::ZERO, |row| row.refunded);
        let refunded = before.checked_add(self.amount).filter(|sum| *sum <= charged).ok_or(Reason::ExceedsCharged)?;
        Ok(Refunded { target, charged, refunded })
    }
}

fn paid_by_transfer(state: &State, id: TransferId) -> Result<Paid, Reason> {
    let record = state.transfer(id).ok_or(Reason::TransferNotFound)?;
    // A hold moved nothing; what posted it did.
    let TransferRecord::Created(transfer, None) = record else { return Err(Reason::NothingWasPaid) };
    if transfer.flags.has(TransferFlags::VOID_PENDING) {
        return Err(Reason::NothingWasPaid);
    }
    let charged = vec![(RefundTarget::Transfer(id), transfer.amount)];
    Ok(Paid { payer: transfer.debit, payee: transfer.credit, charged })
}

fn paid_by_channel(channel: &Channel) -> Paid {
    let charged = vec![(RefundTarget::Channel(channel.id), channel.redeemed)];
    Paid { payer: channel.terms.payer, payee: channel.terms.payee, charged }
}
