//! `channel.equivocation`: the payee shows two different vouchers of one lane and number that the payer's voucher key signed.
//!
//! Whoever signs two such vouchers promises one sum twice. The evidence stays in the log for everybody to see. From then on nothing
//! that the key signs in this lane beyond that number counts, and the channel closes with its grace time: the payee redeems what
//! is acknowledged and claims its last receipt, by either of the two vouchers, as in any closing. There is no further penalty, and
//! a lane is frozen once: two vouchers may also come of a payer's lost state. Vouchers of lower numbers stay good, and what was paid by higher
//! ones stays paid; a payee that holds such redeems first.
//! The same words signed twice are not this: they promise nothing more, whatever the bytes of their signatures are.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::channel::{Channel, ChannelPhase};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use super::transfer::timeout_ns;
use super::verified::Verified;
use crate::channel::{ChannelId, Voucher};
use crate::limits::CHANNEL_LANES_MAX;
use crate::statement::Signed;

/// Show two vouchers of one number. Signed by the channel's receipt key, the owner of the paid account, or a key of that account
/// for receipts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelEquivocation {
    /// The channel, which must not be final.
    #[n(0)]
    pub channel: ChannelId,
    /// The exact bytes of a signed [`Voucher`].
    #[n(1)]
    pub first: ByteVec,
    /// The exact bytes of another one, of the same lane and number.
    #[n(2)]
    pub second: ByteVec,
}

impl ChannelEquivocation {
    /// The evidence that these two make.
    pub fn new(first: &Signed<Voucher>, second: &Signed<Voucher>) -> ChannelEquivocation {
        let bytes = |voucher: &Signed<Voucher>| ByteVec::from(voucher.bytes().to_vec());
        ChannelEquivocation { channel: first.body.channel, first: bytes(first), second: bytes(second) }
    }

    pub(super) fn apply(&self, state: &mut State, verified: &Verified) -> Result<Acceptance, Reason> {
        let channel = state.channel(self.channel).ok_or(Reason::ChannelNotFound)?;
        let payee = state.account(channel.terms.payee).ok_or(Reason::AccountNotFound)?;
        let authority = Authority::Signer(verified.signer());
        if !authority.is(channel.terms.payee_key) && !authority.may_take(state, payee) {
            return Err(Reason::NotPermitted);
        }
        if channel.phase == ChannelPhase::Final {
            return Err(Reason::ChannelFinal);
        }
        let (lane, seq) = contradiction(channel, verified)?;
        if channel.lanes.get(&lane).is_some_and(|lane| lane.frozen.is_some()) {
            return Err(Reason::LaneFrozen);
        }
        let end_ns = state.now_ns().checked_add(timeout_ns(channel.terms.grace_s)).ok_or(Reason::Overflow)?;

        // Point of no return.
        let mut channel = channel.clone();
        channel.lanes.entry(lane).or_default().frozen = Some(seq);
        let until_ns = match channel.phase {
            ChannelPhase::Closing { grace_until_ns, .. } => grace_until_ns,
            _ => {
                channel.phase = ChannelPhase::Closing { claims_until_ns: end_ns, grace_until_ns: end_ns };
                end_ns
            }
        };
        state.put_channel(channel);
        Ok(Acceptance::Frozen { lane, seq, until_ns })
    }
}

/// The lane and number for which the two vouchers contradict each other.
fn contradiction(channel: &Channel, verified: &Verified) -> Result<(u32, u64), Reason> {
    let [first, second] = verified.vouchers() else { return Err(Reason::ClaimMismatch) };
    for voucher in [first, second] {
        if voucher.signer != channel.terms.payer_key {
            return Err(Reason::ClaimKey);
        }
        if voucher.body.ledger != channel.terms.ledger || voucher.body.channel != channel.id {
            return Err(Reason::ClaimOtherChannel);
        }
    }
    let (first, second) = (&first.body, &second.body);
    if first.lane >= CHANNEL_LANES_MAX {
        return Err(Reason::BadNumber);
    }
    if (first.lane, first.seq) != (second.lane, second.seq) {
        return Err(Reason::ClaimMismatch);
    }
    match first == second {
        true => Err(Reason::VouchersAgree),
        false => Ok((first.lane, first.seq)),
    }
}
