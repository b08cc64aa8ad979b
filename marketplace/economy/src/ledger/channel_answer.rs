//! `channel.answer`: while a channel closes, the payer shows receipts of the payee's that are lower than what the payee
//! claims for the same call. The payee signed both; the lower one counts.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::channel::{Channel, ChannelPhase, LaneClaim};
use super::channel_redeem::check_receipt;
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use super::verified::Verified;
use crate::channel::ChannelId;
use crate::limits::CLAIMS_MAX;
use crate::receipt::Receipt;

/// Show lower receipts, before or after they are needed. Signed by the voucher key or the owner of the paying account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelAnswer {
    /// The channel, which must be closing.
    #[n(0)]
    pub channel: ChannelId,
    /// The exact bytes of signed [`Receipt`]s, 1 to [`CLAIMS_MAX`].
    #[n(1)]
    pub receipts: Vec<ByteVec>,
}

impl ChannelAnswer {
    pub(super) fn apply(&self, state: &mut State, verified: &Verified) -> Result<Acceptance, Reason> {
        let before = state.channel(self.channel).ok_or(Reason::ChannelNotFound)?;
        let payer = state.account(before.terms.payer).ok_or(Reason::AccountNotFound)?;
        let authority = Authority::Signer(verified.signer());
        if !authority.is(before.terms.payer_key) && !authority.owns(payer) {
            return Err(Reason::NotPermitted);
        }
        if self.receipts.is_empty() || self.receipts.len() > CLAIMS_MAX {
            return Err(Reason::BadBatch);
        }
        match before.phase {
            ChannelPhase::Open => return Err(Reason::ChannelNotClosing),
            ChannelPhase::Final => return Err(Reason::ChannelFinal),
            ChannelPhase::Closing { grace_until_ns, .. } if state.now_ns() >= grace_until_ns => return Err(Reason::GraceOver),
            ChannelPhase::Closing { .. } => {}
        }
        let mut channel = before.clone();
        for receipt in verified.receipts() {
            check_receipt(&channel, receipt)?;
            answer(&mut channel, &receipt.body)?;
        }

        // Point of no return.
        state.put_channel(channel);
        Ok(Acceptance::Answered)
    }
}

fn answer(channel: &mut Channel, receipt: &Receipt) -> Result<(), Reason> {
    let lane = channel.lanes.entry(receipt.lane).or_default();
    let shown = LaneClaim { seq: receipt.seq, total: receipt.cumulative };
    let lower_than = |other: LaneClaim| other.seq == shown.seq && shown.total < other.total;
    let useful = match (lane.claim, lane.answer) {
        (Some(claim), None) => lower_than(claim),
        (Some(claim), Some(answer)) => lower_than(claim) && (answer.seq != claim.seq || lower_than(answer)),
        (None, Some(answer)) => shown.seq > answer.seq || lower_than(answer),
        (None, None) => true,
    };
    if !useful {
        return Err(Reason::AnswerNotLower);
    }
    lane.answer = Some(shown);
    Ok(())
}
