//! The rows of the books: what is stored of channels and lanes. Map-encoded with fixed numbers, so that fields can be added.

use hansa_economy::Amount;
use hansa_economy::call::CallReply;
use hansa_economy::channel::{CallId, ChannelTerms, LaneCredit, LaneDebit};
use minicbor::bytes::{ByteSlice, ByteVec};
use minicbor::{Decode, Encode};

use crate::recovery::Unanswered;

/// A channel that this node pays from. Key: channel id.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ChannelOut {
    #[n(0)]
    pub(crate) terms: ChannelTerms,
    #[n(1)]
    pub(crate) deposit: Amount,
    /// Closed, or closing by our own wish.
    #[n(2)]
    pub(crate) closed: bool,
}

/// A lane that this node pays from. Key: channel id, lane number.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct LaneOut {
    #[n(0)]
    pub(crate) debit: LaneDebit,
    /// Calls since the last receipt whose end is not known.
    #[cbor(n(1), default)]
    pub(crate) unanswered: Vec<Unanswered>,
    /// The highest number of such a call that was forgotten, as there were too many.
    #[cbor(n(2), default)]
    pub(crate) forgotten: u64,
}

/// What a seller may take to the ledger: a receipt and the voucher that acknowledges it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ClaimRow {
    #[n(0)]
    pub(crate) voucher: ByteVec,
    #[n(1)]
    pub(crate) receipt: ByteVec,
    /// The receipt's total.
    #[n(2)]
    pub(crate) cumulative: Amount,
}

/// [`ClaimRow`] as it is written.
#[derive(Encode)]
#[cbor(map)]
pub(crate) struct ClaimWritten<'a> {
    #[n(0)]
    pub(crate) voucher: &'a ByteSlice,
    #[n(1)]
    pub(crate) receipt: &'a ByteSlice,
    #[n(2)]
    pub(crate) cumulative: Amount,
}

/// [`LaneIn`] as it is written, without copies of what may be large.
#[derive(Encode)]
#[cbor(map)]
pub(crate) struct LaneInWritten<'a> {
    #[n(0)]
    pub(crate) credit: &'a LaneCredit,
    #[n(1)]
    pub(crate) receipt: Option<&'a ByteSlice>,
    #[n(2)]
    pub(crate) call: Option<CallId>,
    #[n(3)]
    pub(crate) reply: Option<&'a ByteSlice>,
    #[n(4)]
    pub(crate) claim: Option<ClaimWritten<'a>>,
    #[n(5)]
    pub(crate) redeemed: Amount,
    #[n(6)]
    pub(crate) evidence: Option<&'a ByteSlice>,
}

/// A lane that this node is paid through. Key: channel id, lane number.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct LaneIn {
    #[n(0)]
    pub(crate) credit: LaneCredit,
    /// The last receipt's exact bytes; none where `reply` holds it.
    #[n(1)]
    pub(crate) receipt: Option<ByteVec>,
    /// The last call and its encoded reply, for a retry.
    #[n(2)]
    pub(crate) call: Option<CallId>,
    #[n(3)]
    pub(crate) reply: Option<ByteVec>,
    /// Its voucher is empty where it is the newest, which `credit` holds.
    #[n(4)]
    pub(crate) claim: Option<ClaimRow>,
    /// What the ledger has paid for this lane.
    #[n(5)]
    pub(crate) redeemed: Amount,
    /// Another voucher of the newest one's number, which the ledger has not seen yet.
    #[n(6)]
    pub(crate) evidence: Option<ByteVec>,
}

impl LaneIn {
    /// The last receipt, wherever it stands.
    pub(crate) fn last_receipt(&self) -> Option<Vec<u8>> {
        let in_reply = || match minicbor::decode::<CallReply>(self.reply.as_ref()?).ok()? {
            CallReply::Answered(_, receipt) | CallReply::Broke(_, receipt) => receipt,
            CallReply::Refused(_) | CallReply::Repeated(_) => None,
        };
        self.receipt.clone().or_else(in_reply).map(Vec::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_reads_back_as_it_was_written() {
        let claim = ClaimRow { voucher: vec![1].into(), receipt: vec![2; 300].into(), cumulative: Amount(3) };
        let lane = LaneIn {
            credit: LaneCredit { seq: 7, voucher: vec![4; 9], ..LaneCredit::default() },
            receipt: Some(vec![5; 20].into()),
            call: Some(CallId::of(b"call")),
            reply: Some(vec![6; 1000].into()),
            claim: Some(claim),
            redeemed: Amount(8),
            evidence: Some(vec![9; 5].into()),
        };
        let written = LaneInWritten {
            credit: &lane.credit,
            receipt: lane.receipt.as_deref().map(|bytes| bytes[..].into()),
            call: lane.call,
            reply: lane.reply.as_deref().map(|bytes| bytes[..].into()),
            claim: lane.claim.as_ref().map(|claim| ClaimWritten {
                voucher: claim.voucher[..].into(),
                receipt: claim.receipt[..].into(),
                cumulative: claim.cumulative,
            }),
            redeemed: lane.redeemed,
            evidence: lane.evidence.as_deref().map(|bytes| bytes[..].into()),
        };
        let bytes = minicbor::to_vec(&written).unwrap();
        assert_eq!(bytes, minicbor::to_vec(&lane).unwrap());
        assert_eq!(minicbor::decode::<LaneIn>(&bytes).unwrap(), lane);
    }
}
