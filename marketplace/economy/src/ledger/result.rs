//! What commands came to.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::id::TransferId;
use super::reason::Reason;
use super::transfer_status::TransferStatus;
use crate::amount::Amount;
use crate::channel::{AccountId, ChannelId};

/// What a command came to: its outcome for ever.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandResult {
    /// It was done.
    #[n(0)]
    Accepted(#[n(0)] Acceptance),
    /// It changed nothing.
    #[n(1)]
    Refused(#[n(0)] Reason),
}

/// What was done. Numbers are stable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acceptance {
    /// The ledger is founded; its id is the hash of this very entry.
    #[n(0)]
    Founded,
    /// The asset exists; the account is the other side of its supply.
    #[n(1)]
    AssetCreated(#[n(0)] AccountId),
    /// The account is open.
    #[n(2)]
    AccountOpened(#[n(0)] AccountId),
    /// Each transfer of the batch, in order, has its own status; some may have failed.
    #[n(3)]
    Transfers(#[n(0)] Vec<TransferResult>),
    /// Units were issued or redeemed; the supply now.
    #[n(4)]
    Supply(#[n(0)] Amount),
    /// The channel is open with this deposit, or was topped up to it.
    #[n(5)]
    Deposit {
        /// The channel.
        #[n(0)]
        channel: ChannelId,
        /// All that was ever deposited.
        #[n(1)]
        deposit: Amount,
    },
    /// The payee was paid.
    #[n(6)]
    Redeemed {
        /// Paid by this command.
        #[n(0)]
        paid: Amount,
        /// Claimed in lanes whose last receipt is not acknowledged; due when the channel ends.
        #[n(1)]
        claimed: Amount,
        /// Paid from the channel so far.
        #[n(2)]
        redeemed: Amount,
    },
    /// The payer's receipts count.
    #[n(7)]
    Answered,
    /// Closing; final when log time passes this, Unix nanoseconds. A claim may move it on by one grace time.
    #[n(8)]
    Closing(#[n(0)] u64),
    /// Final: claims are paid, the rest is back with the payer.
    #[n(9)]
    Final {
        /// Paid to the payee by this command.
        #[n(0)]
        paid: Amount,
        /// Returned to the payer.
        #[n(1)]
        returned: Amount,
    },
    /// The account's keys are as asked.
    #[n(10)]
    KeyChanged,
    /// Money went back; all refunds of the named thing so far.
    #[n(11)]
    Refunded(#[n(0)] Amount),
    /// The receipts are witnessed at the log time of this command.
    #[n(12)]
    Anchored,
    /// The lane is frozen and the channel closing.
    #[n(13)]
    Frozen {
        /// The lane.
        #[n(0)]
        lane: u32,
        /// Vouchers of it above this number count no more.
        #[n(1)]
        seq: u64,
        /// As of [`Acceptance::Closing`].
        #[n(2)]
        until_ns: u64,
    },
}

/// What one transfer of a batch came to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct TransferResult {
    /// The transfer.
    #[n(0)]
    pub id: TransferId,
    /// Its status.
    #[n(1)]
    pub status: TransferStatus,
    /// Log time, Unix nanoseconds: of its creation (the first one, if it exists), else of the attempt.
    #[n(2)]
    pub timestamp_ns: u64,
    /// What it moves or holds in fact; zero where it failed.
    #[n(3)]
    pub amount: Amount,
}

impl CommandResult {
    /// What was done, or why nothing was.
    pub fn accepted(&self) -> Result<&Acceptance, Reason> {
        match self {
            CommandResult::Accepted(acceptance) => Ok(acceptance),
            CommandResult::Refused(reason) => Err(*reason),
        }
    }
}

impl From<Result<Acceptance, Reason>> for CommandResult {
    fn from(result: Result<Acceptance, Reason>) -> CommandResult {
        match result {
            Ok(acceptance) => CommandResult::Accepted(acceptance),
            Err(reason) => CommandResult::Refused(reason),
        }
    }
}
