//! The ledger's rules: a deterministic state machine. Commands and time go in, results, changed rows and movements come out.
//!
//! [`Verified::open`] checks signatures (in parallel, if you like); [`State::append`] applies verified commands to the state
//! as one entry of the log. Replaying the same entries gives the same state and the same hashes anywhere. Nothing here
//! reads a clock or a file. The shape of each command: a straight line of checks, a marked point of no return, writes.

mod account;
mod account_batch;
mod account_key;
mod account_key_change;
mod account_open;
mod account_set;
mod account_status;
mod append;
mod asset;
mod asset_create;
pub mod audit;
mod authority;
mod chain;
mod channel;
mod channel_answer;
mod channel_close;
mod channel_equivocation;
mod channel_finalize;
mod channel_open;
mod channel_redeem;
mod channel_shares;
mod channel_topup;
mod checkpoint;
mod command;
mod entry;
mod expiry;
mod genesis;
mod id;
mod issue;
mod movement;
mod reason;
mod receipt_anchor;
mod refund;
mod result;
mod root;
mod simulation;
mod state;
mod transfer;
mod transfer_batch;
mod transfer_create;
mod transfer_exists;
mod transfer_resolve;
mod transfer_status;
mod unordered;
mod verified;

pub use account::{Account, AccountFlags, AccountKind, account_id, issuance_account_id};
pub use account_batch::{AccountEvent, AccountResult};
pub use account_key::{AccountKey, KeyId, KeyLimits, KeyRole};
pub use account_key_change::{AccountKeyChange, KeyChange};
pub use account_open::AccountOpen;
pub use account_status::AccountStatus;
pub use append::{AppendError, Appended};
pub use asset::Asset;
pub use asset_create::AssetCreate;
pub use authority::Authority;
pub use channel::{Channel, ChannelPhase, Lane, LaneClaim};
pub use channel_answer::ChannelAnswer;
pub use channel_close::ChannelClose;
pub use channel_equivocation::ChannelEquivocation;
pub use channel_finalize::ChannelFinalize;
pub use channel_open::ChannelOpen;
pub use channel_redeem::{ChannelRedeem, Claim};
pub use channel_topup::ChannelTopup;
pub use checkpoint::{Checkpoint, CheckpointBreach};
pub use command::{Command, SignedCommand};
pub use entry::{Entry, EntryError};
pub use genesis::{Genesis, GenesisError};
pub use id::{CommandId, Id128, Id128Error, TransferId};
pub use issue::{Issue, Redeem};
pub use movement::{Movement, MovementKind};
pub use reason::Reason;
pub use receipt_anchor::ReceiptAnchor;
pub use refund::{Refund, RefundOf, RefundTarget, Refunded};
pub use result::{Acceptance, CommandResult, TransferResult};
pub use root::{RootKey, RootProof, RootRow, RootTree};
pub use simulation::{EndOfTime, Simulation};
pub use state::{Admission, Changes, Head, OutcomeRef, State};
pub use transfer::{HoldRule, HoldState, Transfer, TransferFlags, TransferRecord};
pub use transfer_batch::TransferBatch;
pub use transfer_status::TransferStatus;
pub use verified::Verified;

#[cfg(test)]
mod tests;
