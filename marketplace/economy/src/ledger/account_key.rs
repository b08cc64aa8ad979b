//! Further keys of accounts: what a key that is not the owner's may do for one account, and what it has used of that.
//!
//! A row of its own per account, role and key, not a list in the account: an account's row is written with every payment and
//! must stay small, and most accounts have no further key. Revoked keys keep their rows, so that none of them ever serves
//! again.
//!
//! A budget is the most that a key may ever debit, in total. It is used up in the same step as the debit: by transfers, by
//! holds as soon as they are made, by deposits of channels, by refunds and by the redemption of units. A hold that is voided or
//! lets go, a post of less than was held, a deposit that comes back: none of these gives anything back to the budget. The owner does
//! that by raising it. A hold is paid for once: whoever made it posts it without further use of the budget, any other key's
//! budget is used by the post.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::PublicKey;
use crate::limits::KEY_PAYEES_MAX;

/// What a further key is for. A key can have several roles; each is named, limited and revoked alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum KeyRole {
    /// Debits the account: transfers, holds, deposits of channels, refunds.
    #[n(0)]
    Spend,
    /// Signs vouchers of channels that the account pays, if a channel's terms name it.
    #[n(1)]
    Voucher,
    /// Signs receipts of channels that pay the account, if a channel's terms name it; takes in what is due to the account.
    #[n(2)]
    Receipt,
}

/// Names a further key: account, role, key.
pub type KeyId = (AccountId, KeyRole, PublicKey);

/// How far a key's word reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct KeyLimits {
    /// Spend: the most that it may ever debit, in the asset's smallest unit; none: no bound. Other roles: none.
    #[n(0)]
    pub budget: Option<Amount>,
    /// Spend and voucher: whom it may pay, 0 to [`KEY_PAYEES_MAX`] accounts in rising order; none: anybody. Receipt: none.
    #[cbor(n(1), default, skip_if = "Vec::is_empty")]
    pub payees: Vec<AccountId>,
    /// Log time from which on it serves no more, Unix nanoseconds; none: until it is revoked.
    #[n(2)]
    pub expires_ns: Option<u64>,
}

/// A further key of an account, in one role.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct AccountKey {
    /// The account that it serves.
    #[n(0)]
    pub account: AccountId,
    /// What for.
    #[n(1)]
    pub role: KeyRole,
    /// The key.
    #[n(2)]
    pub key: PublicKey,
    /// How far its word reaches.
    #[n(3)]
    pub limits: KeyLimits,
    /// All that it ever debited; never falls.
    #[n(4)]
    pub spent: Amount,
    /// Log time at which it was named, Unix nanoseconds.
    #[n(5)]
    pub timestamp_ns: u64,
    /// Log time at which it was revoked or replaced, Unix nanoseconds.
    #[n(6)]
    pub revoked_ns: Option<u64>,
}

impl KeyLimits {
    /// Do they make sense for `role` at `now_ns`?
    pub(super) fn fit(&self, role: KeyRole, now_ns: u64) -> bool {
        let budget = self.budget.is_none() || role == KeyRole::Spend;
        let payees = self.payees.is_empty() || role != KeyRole::Receipt;
        let sorted = self.payees.len() <= KEY_PAYEES_MAX && self.payees.windows(2).all(|pair| pair[0] < pair[1]);
        budget && payees && sorted && self.expires_ns.is_none_or(|end| end > now_ns)
    }
}

impl AccountKey {
    /// Its name.
    pub fn id(&self) -> KeyId {
        (self.account, self.role, self.key)
    }

    /// Does it serve at `now_ns`, log time in Unix nanoseconds?
    pub fn is_valid(&self, now_ns: u64) -> bool {
        self.revoked_ns.is_none() && self.limits.expires_ns.is_none_or(|end| now_ns < end)
    }

    /// May it pay `payee`?
    pub fn allows(&self, payee: AccountId) -> bool {
        self.limits.payees.is_empty() || self.limits.payees.binary_search(&payee).is_ok()
    }

    /// What is left of its budget; none: no bound.
    pub fn left(&self) -> Option<Amount> {
        self.limits.budget.map(|budget| budget.saturating_sub(self.spent))
    }
}
