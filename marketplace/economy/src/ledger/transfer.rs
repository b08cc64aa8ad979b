//! Transfers: movements and holds of money between two accounts, with TigerBeetle's semantics
//! (<https://docs.tigerbeetle.com/reference/transfer>) and, new, a say in who resolves a hold.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::id::{Id128, TransferId};
use super::result::TransferResult;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::PublicKey;

/// Bits that shape a transfer. The numbers are TigerBeetle's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(transparent)]
pub struct TransferFlags(#[n(0)] pub u16);

impl TransferFlags {
    /// No flag.
    pub const NONE: TransferFlags = TransferFlags(0);
    /// All or nothing together with the next one of the batch.
    pub const LINKED: TransferFlags = TransferFlags(1 << 0);
    /// Only hold the amount.
    pub const PENDING: TransferFlags = TransferFlags(1 << 1);
    /// Pay out a hold, all of it or less.
    pub const POST_PENDING: TransferFlags = TransferFlags(1 << 2);
    /// Let a hold go.
    pub const VOID_PENDING: TransferFlags = TransferFlags(1 << 3);
    /// At most what the debit account can give.
    pub const BALANCING_DEBIT: TransferFlags = TransferFlags(1 << 4);
    /// At most what the credit account can take.
    pub const BALANCING_CREDIT: TransferFlags = TransferFlags(1 << 5);
    /// Close the debit account, until the hold is voided.
    pub const CLOSING_DEBIT: TransferFlags = TransferFlags(1 << 6);
    /// Close the credit account, until the hold is voided.
    pub const CLOSING_CREDIT: TransferFlags = TransferFlags(1 << 7);
    /// Every flag there is. Bit 8, TigerBeetle's `imported`, is reserved.
    pub const ALL: TransferFlags = TransferFlags(0xff);

    /// Are all bits of `other` set?
    pub const fn has(self, other: TransferFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Is any bit of `other` set?
    pub const fn any(self, other: TransferFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// With the bits of `other` too.
    pub const fn with(self, other: TransferFlags) -> TransferFlags {
        TransferFlags(self.0 | other.0)
    }
}

/// Who may pay a hold out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum HoldRule {
    /// The payer posts it; payer or payee may void it.
    #[default]
    #[n(0)]
    Payer,
    /// The payee posts it and only the payee may void it; such a hold needs a timeout, so that it cannot stay for ever.
    #[n(1)]
    Payee,
}

/// A transfer as it is asked for, and as it is kept: `amount` and the inherited fields are then the actual ones.
/// Fields left at their zero are not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Transfer {
    /// Its name, given by whoever asks for it.
    #[n(0)]
    pub id: TransferId,
    /// The account that pays. Zero in a post or void: that of the hold.
    #[n(1)]
    pub debit: AccountId,
    /// The account that is paid. Zero in a post or void: that of the hold.
    #[n(2)]
    pub credit: AccountId,
    /// How much. Post: [`Amount::MAX`] means all of the hold; void: zero means all of it. Balancing: at most this.
    #[n(3)]
    pub amount: Amount,
    /// The hold that a post or void resolves, else zero.
    #[cbor(n(4), default, skip_if = "Id128::is_zero")]
    pub pending_id: TransferId,
    /// Seconds of log time after which a hold lets go by itself; zero: never.
    #[cbor(n(5), default, skip_if = "is_zero_u32")]
    pub timeout_s: u32,
    /// What is moved. Zero in a post or void: that of the hold.
    #[cbor(n(6), default, skip_if = "is_zero_u32")]
    pub asset: u32,
    /// The reason, not zero. Zero in a post or void: that of the hold.
    #[cbor(n(7), default, skip_if = "is_zero_u16")]
    pub code: u16,
    /// Its shape.
    #[cbor(n(8), default, skip_if = "is_default")]
    pub flags: TransferFlags,
    /// For the payer's use.
    #[cbor(n(9), default, skip_if = "Id128::is_zero")]
    pub user_data_128: Id128,
    /// For the payer's use.
    #[cbor(n(10), default, skip_if = "is_zero_u64")]
    pub user_data_64: u64,
    /// For the payer's use.
    #[cbor(n(11), default, skip_if = "is_zero_u32")]
    pub user_data_32: u32,
    /// Log time in Unix nanoseconds; zero when asking.
    #[cbor(n(12), default, skip_if = "is_zero_u64")]
    pub timestamp_ns: u64,
    /// Who pays the hold out; only for holds.
    #[cbor(n(13), default, skip_if = "is_default")]
    pub posted_by: HoldRule,
    /// The further key that made this hold and whose budget it used; none: the owner's. Set by the ledger, which does not read
    /// what a request says here.
    #[n(14)]
    pub held_by: Option<PublicKey>,
}

/// What has become of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum HoldState {
    /// It still holds.
    #[n(0)]
    Open,
    /// It was paid out.
    #[n(1)]
    Posted,
    /// It was let go.
    #[n(2)]
    Voided,
    /// It let go by itself.
    #[n(3)]
    Expired,
}

/// What an id of a transfer stands for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum TransferRecord {
    /// A transfer; with the state of the hold, if it is one.
    #[n(0)]
    Created(#[n(0)] Transfer, #[n(1)] Option<HoldState>),
    /// An attempt that failed for a passing reason; the id never serves again.
    #[n(1)]
    Burnt,
}

impl TransferRecord {
    /// Is it a transfer whose command and result in the log are all that there is to know of it? Neither a hold nor the end of
    /// one, and not burnt.
    pub fn is_plain(&self) -> bool {
        matches!(self, TransferRecord::Created(transfer, None) if transfer.is_plain())
    }

    /// Is it a hold, open or not?
    pub fn is_hold(&self) -> bool {
        matches!(self, TransferRecord::Created(_, Some(_)))
    }

    /// Is it a hold that is still open?
    pub fn is_open_hold(&self) -> bool {
        matches!(self, TransferRecord::Created(_, Some(HoldState::Open)))
    }
}

impl Transfer {
    /// Does it neither hold nor resolve a hold?
    pub fn is_plain(&self) -> bool {
        let holds = TransferFlags::PENDING.with(TransferFlags::POST_PENDING).with(TransferFlags::VOID_PENDING);
        !self.flags.any(holds)
    }

    /// What a plain transfer that was asked for so is kept as, by its result.
    pub(super) fn made(&self, result: &TransferResult) -> Transfer {
        Transfer { amount: result.amount, timestamp_ns: result.timestamp_ns, held_by: None, ..self.clone() }
    }

    /// When a hold lets go by itself, log time in Unix nanoseconds; none: never. Overflow is refused on creation.
    pub fn expires_ns(&self) -> Option<u64> {
        (self.timeout_s > 0).then(|| self.timestamp_ns.saturating_add(timeout_ns(self.timeout_s)))
    }
}

/// Seconds as nanoseconds; 2^32 seconds fit.
pub(super) fn timeout_ns(timeout_s: u32) -> u64 {
    u64::from(timeout_s) * 1_000_000_000
}

fn is_zero_u16(n: &u16) -> bool {
    *n == 0
}

fn is_zero_u32(n: &u32) -> bool {
    *n == 0
}

fn is_zero_u64(n: &u64) -> bool {
    *n == 0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
