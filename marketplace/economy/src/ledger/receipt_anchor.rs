//! `receipt.anchor`: a seller has the ledger witness that its receipts exist, thousands of them by one hash.
//!
//! The command holds the root of a Merkle tree ([`crate::merkle`]) whose leaves are the digests of signed receipts. It stands in
//! the log alone: no rule ever asks for it, so the state keeps no row, and whoever wants it has its command's id. Any key may
//! anchor what it likes: the ledger vouches for the log time at which the root was said and for who said it, and the receipts
//! speak for themselves. A receipt, its path in the tree and the entry of the log prove together that it existed then.

use minicbor::{Decode, Encode};

use super::reason::Reason;
use super::result::Acceptance;
use crate::digest::Digest;
use crate::limits::ANCHOR_RECEIPTS_MAX;
use crate::merkle;

/// Witness receipts. Signed by whoever wants them witnessed, as a rule the agent that gave them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReceiptAnchor {
    /// The root over the receipts' leaves, in the seller's order.
    #[n(0)]
    pub root: Digest,
    /// How many receipts, 1 to [`ANCHOR_RECEIPTS_MAX`].
    #[n(1)]
    pub count: u32,
    /// When the earliest of the receipts was finished, Unix milliseconds by the seller's clock: a hint for whoever looks for one.
    #[n(2)]
    pub first_ms: u64,
    /// When the latest of them was finished.
    #[n(3)]
    pub last_ms: u64,
}

impl ReceiptAnchor {
    /// The anchor of receipts with these digests, finished between these times. None where there is no receipt, or too many.
    pub fn of(receipts: &[Digest], first_ms: u64, last_ms: u64) -> Option<ReceiptAnchor> {
        let count = u32::try_from(receipts.len()).ok().filter(|count| *count <= ANCHOR_RECEIPTS_MAX)?;
        Some(ReceiptAnchor { root: merkle::root(&leaves(receipts))?, count, first_ms, last_ms })
    }

    /// The path that proves receipt `number`, from 0, of those with these digests. None where there is no such receipt.
    pub fn path(receipts: &[Digest], number: usize) -> Option<Vec<Digest>> {
        merkle::path(&leaves(receipts), number)
    }

    /// Does `path` prove that the receipt with this digest is the anchor's receipt `number`, from 0?
    pub fn proves(&self, number: u32, path: &[Digest], receipt: Digest) -> bool {
        merkle::climb(merkle::leaf(&receipt.0), number, self.count, path.iter().copied()) == Some(self.root)
    }

    pub(super) fn apply(&self) -> Result<Acceptance, Reason> {
        match (1..=ANCHOR_RECEIPTS_MAX).contains(&self.count) && self.first_ms <= self.last_ms {
            true => Ok(Acceptance::Anchored),
            false => Err(Reason::BadNumber),
        }
    }
}

fn leaves(receipts: &[Digest]) -> Vec<Digest> {
    receipts.iter().map(|receipt| merkle::leaf(&receipt.0)).collect()
}
