//! Questions to a ledger and its answers, as CBOR.

use hansa_economy::Digest;
use hansa_economy::PublicKey;
use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{Account, Asset, Channel, CommandResult};
use minicbor::{Decode, Encode};

/// A question. Answers come from what is committed.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Query {
    /// Which ledger is this?
    #[n(0)]
    Info,
    /// One account.
    #[n(1)]
    Account(#[n(0)] AccountId),
    /// All accounts of an owner.
    #[n(2)]
    AccountsOf(#[n(0)] PublicKey),
    /// One channel.
    #[n(3)]
    Channel(#[n(0)] ChannelId),
    /// All open channels that pay from an account.
    #[n(4)]
    ChannelsFrom(#[n(0)] AccountId),
}

/// Which ledger this is.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Info {
    /// Its id: hash of its first entry.
    #[n(0)]
    pub ledger: Digest,
    /// Its assets.
    #[n(1)]
    pub assets: Vec<Asset>,
}

/// An answer.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Answer {
    /// To [`Query::Info`].
    #[n(0)]
    Info(#[n(0)] Info),
    /// To [`Query::Account`].
    #[n(1)]
    Account(#[n(0)] Option<Account>),
    /// To [`Query::AccountsOf`].
    #[n(2)]
    Accounts(#[n(0)] Vec<Account>),
    /// To [`Query::Channel`].
    #[n(3)]
    Channel(#[n(0)] Option<Channel>),
    /// To [`Query::ChannelsFrom`].
    #[n(4)]
    Channels(#[n(0)] Vec<Channel>),
}

/// The durable outcome of a submitted command.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Receipted {
    /// The entry of the log.
    #[n(0)]
    pub seq: Option<u64>,
    /// What it came to.
    #[n(1)]
    pub result: CommandResult,
}
