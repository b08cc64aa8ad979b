//! `channel.topup`: add to a channel's deposit.

use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::channel::ChannelPhase;
use super::channel_shares::may_deposit;
use super::id::CommandId;
use super::movement::{MovementKind, check_move, post};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::channel::ChannelId;
use crate::key::PublicKey;

/// Add to a deposit. Signed by the owner of the paying account or a key of it that may spend and pay all who have a part in the channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelTopup {
    /// The channel, which must be open.
    #[n(0)]
    pub channel: ChannelId,
    /// How much more, in the smallest unit; not zero.
    #[n(1)]
    pub amount: Amount,
}

impl ChannelTopup {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey, id: CommandId) -> Result<Acceptance, Reason> {
        let channel = state.channel(self.channel).ok_or(Reason::ChannelNotFound)?;
        let (payer_id, escrow_id) = (channel.terms.payer, channel.terms.escrow());
        let payer = state.account(payer_id).ok_or(Reason::AccountNotFound)?;
        let escrow = state.account(escrow_id).ok_or(Reason::AccountNotFound)?;
        let authority = Authority::Signer(signer);
        may_deposit(state, authority, payer, &channel.terms, self.amount)?;
        match channel.phase {
            ChannelPhase::Open => {}
            ChannelPhase::Closing { .. } => return Err(Reason::ChannelClosing),
            ChannelPhase::Final => return Err(Reason::ChannelFinal),
        }
        if payer.is_closed() {
            return Err(Reason::AccountClosed);
        }
        if self.amount == Amount::ZERO {
            return Err(Reason::AmountMustNotBeZero);
        }
        check_move(payer, escrow, self.amount)?;
        let deposit = channel.deposit.checked_add(self.amount).ok_or(Reason::Overflow)?;

        // Point of no return.
        let mut channel = channel.clone();
        channel.deposit = deposit;
        authority.spend(state, payer_id, self.amount);
        post(state, MovementKind::ChannelDeposit, payer_id, escrow_id, self.amount, id);
        state.put_channel(channel);
        Ok(Acceptance::Deposit { channel: self.channel, deposit })
    }
}
