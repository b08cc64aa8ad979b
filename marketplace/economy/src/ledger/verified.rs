//! Verified commands: every signature in them was checked, which needs no state and so may run in parallel.

use super::command::{Command, SignedCommand};
use super::id::TransferId;
use crate::channel::Voucher;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::limits::CLAIMS_MAX;
use crate::receipt::Receipt;
use crate::statement::{Signed, StatementError};

/// A command whose own signature, and those of the vouchers and receipts in it, are right. Whether the right keys made
/// them is for the state to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    signed: Signed<SignedCommand>,
    digest: Digest,
    evidence: Vec<Evidence>,
}

/// What a channel command shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) voucher: Option<Signed<Voucher>>,
    pub(super) receipt: Signed<Receipt>,
}

impl Verified {
    /// Read a signed command and check every signature in it, about 35 µs each.
    pub fn open(bytes: &[u8]) -> Result<Verified, StatementError> {
        let signed = Signed::<SignedCommand>::open(bytes)?;
        Verified::check(signed)
    }

    fn check(signed: Signed<SignedCommand>) -> Result<Verified, StatementError> {
        let evidence = match &signed.body.command {
            Command::ChannelRedeem(redeem) => {
                redeem.claims.iter().take(CLAIMS_MAX).map(|claim| Evidence::open(Some(&claim.voucher), &claim.receipt)).collect()
            }
            Command::ChannelAnswer(answer) => {
                answer.receipts.iter().take(CLAIMS_MAX).map(|receipt| Evidence::open(None, receipt)).collect()
            }
            _ => Ok(Vec::new()),
        }?;
        Ok(Verified { digest: signed.digest(), signed, evidence })
    }

    /// The command.
    pub fn body(&self) -> &SignedCommand {
        &self.signed.body
    }

    /// Who signed it.
    pub fn signer(&self) -> PublicKey {
        self.signed.signer
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        self.signed.bytes()
    }

    /// The digest of the exact bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The transfers that the state must know when this command is applied, if they exist.
    pub fn transfers_named(&self) -> impl Iterator<Item = TransferId> {
        let events = match &self.signed.body.command {
            Command::Transfer(batch) => batch.transfers.as_slice(),
            _ => &[],
        };
        events.iter().flat_map(|event| [event.id, event.pending_id]).filter(|id| !id.is_zero())
    }

    /// The receipts that a channel command shows, in its order; none in other commands.
    pub fn receipts(&self) -> impl Iterator<Item = &Signed<Receipt>> {
        self.evidence.iter().map(|evidence| &evidence.receipt)
    }

    pub(super) fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }
}

impl Evidence {
    fn open(voucher: Option<&[u8]>, receipt: &[u8]) -> Result<Evidence, StatementError> {
        Ok(Evidence { voucher: voucher.map(Signed::open).transpose()?, receipt: Signed::open(receipt)? })
    }
}
