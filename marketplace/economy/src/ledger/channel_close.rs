//! `channel.close`: the payee ends a channel at once, or either side starts its end and a grace time runs.

use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::channel::ChannelPhase;
use super::channel_finalize::finalize;
use super::id::CommandId;
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use super::transfer::timeout_ns;
use crate::channel::ChannelId;
use crate::key::PublicKey;

/// Close. Signed by a party's channel key or by the owner of a party's account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelClose {
    /// The channel.
    #[n(0)]
    pub channel: ChannelId,
    /// Without a grace time: for the payee only, who redeems first and gives up what it has not redeemed. A payee with a
    /// last receipt that was never acknowledged closes with a grace time and claims by it.
    #[n(1)]
    pub at_once: bool,
}

impl ChannelClose {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey, id: CommandId) -> Result<Acceptance, Reason> {
        let channel = state.channel(self.channel).ok_or(Reason::ChannelNotFound)?;
        let terms = &channel.terms;
        let payer = state.account(terms.payer).ok_or(Reason::AccountNotFound)?;
        let payee = state.account(terms.payee).ok_or(Reason::AccountNotFound)?;
        let authority = Authority::Signer(signer);
        let by_payer = authority.is(terms.payer_key) || authority.owns(payer);
        let by_payee = authority.is(terms.payee_key) || authority.owns(payee);
        if !(by_payee || by_payer && !self.at_once) {
            return Err(Reason::NotPermitted);
        }
        match channel.phase {
            ChannelPhase::Final => return Err(Reason::ChannelFinal),
            ChannelPhase::Closing { .. } if !self.at_once => return Err(Reason::ChannelClosing),
            _ => {}
        }
        let mut channel = channel.clone();
        if self.at_once {
            for lane in channel.lanes.values_mut() {
                lane.claim = None;
            }
            return finalize(state, channel, id);
        }
        let until_ns = state.now_ns().checked_add(timeout_ns(channel.terms.grace_s)).ok_or(Reason::Overflow)?;

        // Point of no return.
        channel.phase = ChannelPhase::Closing { claims_until_ns: until_ns, grace_until_ns: until_ns };
        state.put_channel(channel);
        Ok(Acceptance::Closing(until_ns))
    }
}
