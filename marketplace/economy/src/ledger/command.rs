//! Commands: all that can be asked of the ledger. Each is a signed statement with an id that has one outcome for ever.

use minicbor::{Decode, Encode};

use super::{
    AccountKeyChange, AccountOpen, AssetCreate, ChannelAnswer, ChannelClose, ChannelEquivocation, ChannelFinalize, ChannelOpen,
    ChannelRedeem, ChannelTopup, CommandId, Genesis, Issue, ReceiptAnchor, Redeem, Refund, TransferBatch,
};
use crate::digest::Digest;
use crate::key::Keypair;
use crate::statement::{Signed, Statement};

/// One wish. Numbers are stable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Found the ledger; the first command of the log and never again.
    #[n(0)]
    Genesis(#[n(0)] Genesis),
    /// Create an asset; by the operator.
    #[n(1)]
    AssetCreate(#[n(0)] AssetCreate),
    /// Open the signer's account.
    #[n(2)]
    AccountOpen(#[n(0)] AccountOpen),
    /// Move or hold money; by the owners of the debit accounts.
    #[n(3)]
    Transfer(#[n(0)] TransferBatch),
    /// Bring units of an asset into being; by its issuer.
    #[n(4)]
    Issue(#[n(0)] Issue),
    /// Take units of an asset out of being; by its issuer, from an account of the issuer.
    #[n(5)]
    Redeem(#[n(0)] Redeem),
    /// Lock a deposit; by the owner of the paying account.
    #[n(6)]
    ChannelOpen(#[n(0)] ChannelOpen),
    /// Add to a deposit; by the owner of the paying account.
    #[n(7)]
    ChannelTopup(#[n(0)] ChannelTopup),
    /// Take what vouchers and receipts prove; by the payee.
    #[n(8)]
    ChannelRedeem(#[n(0)] ChannelRedeem),
    /// Answer claims that the payer has not acknowledged; by the payer, while the channel closes.
    #[n(9)]
    ChannelAnswer(#[n(0)] ChannelAnswer),
    /// Close, or start closing; by payer or payee.
    #[n(10)]
    ChannelClose(#[n(0)] ChannelClose),
    /// End a closing channel whose grace is over; by anyone.
    #[n(11)]
    ChannelFinalize(#[n(0)] ChannelFinalize),
    /// Name, limit, replace or revoke keys of an account; by its owner.
    #[n(12)]
    AccountKey(#[n(0)] AccountKeyChange),
    /// Give back what was paid; by the payee.
    #[n(13)]
    Refund(#[n(0)] Refund),
    /// Witness receipts; by anyone, as a rule by the agent that gave them.
    #[n(14)]
    ReceiptAnchor(#[n(0)] ReceiptAnchor),
    /// Show that the payer signed two vouchers of one number; by the payee.
    #[n(15)]
    ChannelEquivocation(#[n(0)] ChannelEquivocation),
}

/// What is signed: the wish, its id and the ledger that it is meant for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedCommand {
    /// The ledger; none only in genesis, which makes it.
    #[n(0)]
    pub ledger: Option<Digest>,
    /// The command's name. A ULID is right: ids that ascend keep the indexes fast.
    #[n(1)]
    pub id: CommandId,
    /// The wish.
    #[n(2)]
    pub command: Command,
}

impl SignedCommand {
    /// Sign `command` for `ledger`. Keep the bytes until the outcome is known: submitting them again is always safe.
    pub fn sign(ledger: Digest, id: CommandId, command: Command, key: &Keypair) -> Signed<SignedCommand> {
        Signed::new(SignedCommand { ledger: Some(ledger), id, command }, key)
    }
}

impl Statement for SignedCommand {
    const CONTENT_TYPE: &'static str = "hansa/command.1";
}

impl Command {
    /// The kind's stable name, `channel.open` and so on.
    pub fn kind(&self) -> &'static str {
        match self {
            Command::Genesis(_) => "genesis",
            Command::AssetCreate(_) => "asset.create",
            Command::AccountOpen(_) => "account.open",
            Command::Transfer(_) => "transfer",
            Command::Issue(_) => "issue",
            Command::Redeem(_) => "redeem",
            Command::ChannelOpen(_) => "channel.open",
            Command::ChannelTopup(_) => "channel.topup",
            Command::ChannelRedeem(_) => "channel.redeem",
            Command::ChannelAnswer(_) => "channel.answer",
            Command::ChannelClose(_) => "channel.close",
            Command::ChannelFinalize(_) => "channel.finalize",
            Command::AccountKey(_) => "account.key",
            Command::Refund(_) => "refund",
            Command::ReceiptAnchor(_) => "receipt.anchor",
            Command::ChannelEquivocation(_) => "channel.equivocation",
        }
    }
}
