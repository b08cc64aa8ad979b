//! `channel.finalize`: after the grace time, claims are paid and the rest goes back to the payer. Nothing comes after.

use minicbor::{Decode, Encode};

use super::channel::{Channel, ChannelPhase};
use super::channel_shares::{self, check_payment};
use super::id::CommandId;
use super::movement::{MovementKind, check_move, post};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::channel::ChannelId;

/// End a closing channel whose grace time is over. Signed by anyone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelFinalize {
    /// The channel.
    #[n(0)]
    pub channel: ChannelId,
}

impl ChannelFinalize {
    pub(super) fn apply(&self, state: &mut State, id: CommandId) -> Result<Acceptance, Reason> {
        let channel = state.channel(self.channel).ok_or(Reason::ChannelNotFound)?;
        match channel.phase {
            ChannelPhase::Open => return Err(Reason::ChannelNotClosing),
            ChannelPhase::Final => return Err(Reason::ChannelFinal),
            ChannelPhase::Closing { grace_until_ns, .. } if state.now_ns() < grace_until_ns => return Err(Reason::GraceNotOver),
            ChannelPhase::Closing { .. } => {}
        }
        let channel = channel.clone();
        finalize(state, channel, id)
    }
}

/// Pay the claims that stand, return the rest. A closed account gets its due nevertheless: money must not stay locked.
pub(super) fn finalize(state: &mut State, mut channel: Channel, id: CommandId) -> Result<Acceptance, Reason> {
    let (payer, escrow) = (channel.terms.payer, channel.terms.escrow());
    let paid = settle_claims(&mut channel);
    let returned = channel.left();
    let account = |id| state.account(id).ok_or(Reason::AccountNotFound);
    check_payment(state, &channel, paid)?;
    check_move(account(escrow)?, account(payer)?, returned)?;

    // Point of no return.
    channel.returned = channel.returned.saturating_add(returned);
    channel.phase = ChannelPhase::Final;
    channel_shares::pay(state, &channel.terms, paid, id);
    if returned > Amount::ZERO {
        post(state, MovementKind::ChannelReturn, escrow, payer, returned, id);
    }
    state.put_channel(channel);
    Ok(Acceptance::Final { paid, returned })
}

/// Turn claims into payments, as far as the deposit reaches, lowest lane first.
fn settle_claims(channel: &mut Channel) -> Amount {
    let mut left = channel.left();
    let mut paid = Amount::ZERO;
    for lane in channel.lanes.values_mut() {
        let due = lane.claimed().min(left);
        lane.redeemed = lane.redeemed.saturating_add(due);
        lane.claim = None;
        left = left.saturating_sub(due);
        paid = paid.saturating_add(due);
    }
    channel.redeemed = channel.redeemed.saturating_add(paid);
    paid
}
