//! Accounts: double-entry balances of one asset that a key owns. TigerBeetle's data model
//! (<https://docs.tigerbeetle.com/reference/account>) with an owner, a label and a kind.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::id::Id128;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::digest::Digest;
use crate::key::PublicKey;

/// Bits that shape an account. The numbers are TigerBeetle's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(transparent)]
pub struct AccountFlags(#[n(0)] pub u16);

impl AccountFlags {
    /// No flag.
    pub const NONE: AccountFlags = AccountFlags(0);
    /// Opened all or nothing together with the next one of its batch; kept as it was asked for.
    pub const LINKED: AccountFlags = AccountFlags(1 << 0);
    /// Its balance may not fall below zero, holds counted.
    pub const DEBITS_MUST_NOT_EXCEED_CREDITS: AccountFlags = AccountFlags(1 << 1);
    /// Its balance may not rise above zero, holds counted.
    pub const CREDITS_MUST_NOT_EXCEED_DEBITS: AccountFlags = AccountFlags(1 << 2);
    /// Balances over time are wanted; kept with the account for the readers of the log.
    pub const HISTORY: AccountFlags = AccountFlags(1 << 3);
    /// Closed: only voids and expiry touch it.
    pub const CLOSED: AccountFlags = AccountFlags(1 << 5);
    /// Every flag there is. Bit 4, TigerBeetle's `imported`, is reserved.
    pub const ALL: AccountFlags = AccountFlags(0b10_1111);

    /// Are all bits of `other` set?
    pub const fn has(self, other: AccountFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other` too.
    pub const fn with(self, other: AccountFlags) -> AccountFlags {
        AccountFlags(self.0 | other.0)
    }

    /// Without the bits of `other`.
    pub const fn without(self, other: AccountFlags) -> AccountFlags {
        AccountFlags(self.0 & !other.0)
    }
}

/// What an account is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum AccountKind {
    /// Somebody's money.
    #[default]
    #[n(0)]
    Ordinary,
    /// The other side of an asset's supply; only `issue` and `redeem` move it.
    #[n(1)]
    Issuance,
    /// A channel's deposit; only the channel's commands move it.
    #[n(2)]
    Escrow,
}

/// An account. Everything but balances, the closed flag and the owner stays as it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Account {
    /// Its name.
    #[n(0)]
    pub id: AccountId,
    /// What it counts.
    #[n(1)]
    pub asset: u32,
    /// The owner's category; not zero.
    #[n(2)]
    pub code: u16,
    /// What it is for.
    #[n(3)]
    pub kind: AccountKind,
    /// Its shape.
    #[n(4)]
    pub flags: AccountFlags,
    /// Whose it is. An escrow account shows the key that owned the paying account when the channel was opened.
    #[n(5)]
    pub owner: PublicKey,
    /// The owner's name for it.
    #[n(6)]
    pub label: String,
    /// For the owner's use.
    #[n(7)]
    pub user_data_128: Id128,
    /// For the owner's use.
    #[n(8)]
    pub user_data_64: u64,
    /// For the owner's use.
    #[n(9)]
    pub user_data_32: u32,
    /// Held to go out.
    #[n(10)]
    pub debits_pending: Amount,
    /// Gone out; never falls.
    #[n(11)]
    pub debits_posted: Amount,
    /// Held to come in.
    #[n(12)]
    pub credits_pending: Amount,
    /// Come in; never falls.
    #[n(13)]
    pub credits_posted: Amount,
    /// Log time of its opening, Unix nanoseconds.
    #[n(14)]
    pub timestamp_ns: u64,
}

impl Account {
    /// What may be spent: credits less debits, holds counted; zero where debits exceed credits.
    pub fn available(&self) -> Amount {
        self.credits_posted.saturating_sub(self.debits_posted).saturating_sub(self.debits_pending)
    }

    /// Posted credits less posted debits; zero where debits exceed credits.
    pub fn balance(&self) -> Amount {
        self.credits_posted.saturating_sub(self.debits_posted)
    }

    /// Has it been closed by a closing transfer?
    pub fn is_closed(&self) -> bool {
        self.flags.has(AccountFlags::CLOSED)
    }

    /// Would debiting `amount` more break the account's limit? Sums must have been checked for overflow.
    pub(super) fn debits_exceed_credits(&self, amount: Amount) -> bool {
        let debits = self.debits_pending.saturating_add(self.debits_posted).saturating_add(amount);
        self.flags.has(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS) && debits > self.credits_posted
    }

    /// Would crediting `amount` more break the account's limit? Sums must have been checked for overflow.
    pub(super) fn credits_exceed_debits(&self, amount: Amount) -> bool {
        let credits = self.credits_pending.saturating_add(self.credits_posted).saturating_add(amount);
        self.flags.has(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS) && credits > self.debits_posted
    }
}

/// The account that `owner` opens for `asset` under `label`: the same on every ledger, known before it is opened.
pub fn account_id(owner: PublicKey, asset: u32, label: &str) -> AccountId {
    let digest = Digest::of_parts("hansa account", &[&owner.0, &asset.to_le_bytes(), label.as_bytes()]);
    AccountId(digest.to_u128())
}

/// The account that is the other side of the supply of `asset`.
pub fn issuance_account_id(asset: u32) -> AccountId {
    AccountId(Digest::of_parts("hansa issuance account", &[&asset.to_le_bytes()]).to_u128())
}
