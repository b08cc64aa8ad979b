//! Verified commands: every signature in them was checked, which needs no state and so may run in parallel.

use super::command::{Command, SignedCommand};
use super::id::TransferId;
use super::refund::{Refund, RefundOf};
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
    vouchers: Vec<Signed<Voucher>>,
    receipts: Vec<Signed<Receipt>>,
}

impl Verified {
    /// Read a signed command and check every signature in it, about 35 µs each.
    pub fn open(bytes: &[u8]) -> Result<Verified, StatementError> {
        let signed = Signed::<SignedCommand>::open(bytes)?;
        Verified::check(signed)
    }

    fn check(signed: Signed<SignedCommand>) -> Result<Verified, StatementError> {
        let (vouchers, receipts) = shown(&signed.body.command);
        let vouchers = vouchers.into_iter().map(Signed::open).collect::<Result<_, _>>()?;
        let receipts = receipts.into_iter().map(Signed::open).collect::<Result<_, _>>()?;
        Ok(Verified { digest: signed.digest(), signed, vouchers, receipts })
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
        let (events, refunded) = match &self.signed.body.command {
            Command::Transfer(batch) => (batch.transfers.as_slice(), None),
            Command::Refund(Refund { of: RefundOf::Transfer(id), .. }) => ([].as_slice(), Some(*id)),
            _ => ([].as_slice(), None),
        };
        events.iter().flat_map(|event| [event.id, event.pending_id]).chain(refunded).filter(|id| !id.is_zero())
    }

    /// The vouchers in the command, in its order.
    pub(super) fn vouchers(&self) -> &[Signed<Voucher>] {
        &self.vouchers
    }

    /// The receipts that a channel command shows, in its order; none in other commands.
    pub fn receipts(&self) -> &[Signed<Receipt>] {
        &self.receipts
    }
}

/// The bytes of the vouchers and of the receipts that a command shows.
fn shown(command: &Command) -> (Vec<&[u8]>, Vec<&[u8]>) {
    match command {
        Command::ChannelRedeem(redeem) => {
            let claims = redeem.claims.iter().take(CLAIMS_MAX);
            claims.map(|claim| (claim.voucher.as_slice(), claim.receipt.as_slice())).unzip()
        }
        Command::ChannelAnswer(answer) => {
            (Vec::new(), answer.receipts.iter().take(CLAIMS_MAX).map(|receipt| receipt.as_slice()).collect())
        }
        Command::ChannelEquivocation(shown) => (vec![shown.first.as_slice(), shown.second.as_slice()], Vec::new()),
        Command::Refund(Refund { of: RefundOf::Receipt(receipt), .. }) => (Vec::new(), vec![receipt.as_slice()]),
        _ => (Vec::new(), Vec::new()),
    }
}
