//! `account.key`: an account's owner names, limits, replaces and revokes the keys that speak for the account, its own included.
//! Every later command is judged by what stands then, even one in the same entry.

use minicbor::{Decode, Encode};

use super::account::{Account, AccountKind};
use super::account_key::{AccountKey, KeyLimits, KeyRole};
use super::authority::Authority;
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::PublicKey;

/// Change the keys of an account. Signed by its owner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AccountKeyChange {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// What is to change.
    #[n(1)]
    pub change: KeyChange,
}

/// One change. Numbers are stable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum KeyChange {
    /// Name a key in a role, or set its limits anew; what it has spent stays spent, and its budget may not
    /// fall below that. Not one that was revoked.
    #[n(0)]
    Add {
        /// The key; not the owner's.
        #[n(0)]
        key: PublicKey,
        /// What for.
        #[n(1)]
        role: KeyRole,
        /// How far its word reaches.
        #[n(2)]
        limits: KeyLimits,
    },
    /// Put another key in a key's place: limits, and what is spent of them, go over to it; the old one is revoked.
    #[n(1)]
    Rotate {
        /// The key to be replaced.
        #[n(0)]
        key: PublicKey,
        /// In which role.
        #[n(1)]
        role: KeyRole,
        /// Its successor; a key that the account has never named in this role.
        #[n(2)]
        successor: PublicKey,
    },
    /// Take a key's role away, for good.
    #[n(2)]
    Revoke {
        /// The key.
        #[n(0)]
        key: PublicKey,
        /// Which role.
        #[n(1)]
        role: KeyRole,
    },
    /// Hand the account to another owner key. The old one stops with this very command. The account's id stays; further keys stay.
    #[n(3)]
    RotateOwner {
        /// The new owner key; one that the account has never named in any role. Whoever loses it loses the account.
        #[n(0)]
        successor: PublicKey,
    },
}

impl AccountKeyChange {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey) -> Result<Acceptance, Reason> {
        let account = state.account(self.account).ok_or(Reason::AccountNotFound)?;
        if account.kind != AccountKind::Ordinary {
            return Err(Reason::AccountIsReserved);
        }
        if !Authority::Signer(signer).owns(account) {
            return Err(Reason::NotPermitted);
        }
        match &self.change {
            KeyChange::Add { key, role, limits } => self.add(state, *key, *role, limits),
            KeyChange::Rotate { key, role, successor } => self.rotate(state, *key, *role, *successor),
            KeyChange::Revoke { key, role } => self.revoke(state, *key, *role),
            KeyChange::RotateOwner { successor } => self.rotate_owner(state, *successor),
        }?;
        Ok(Acceptance::KeyChanged)
    }

    fn add(&self, state: &mut State, key: PublicKey, role: KeyRole, limits: &KeyLimits) -> Result<(), Reason> {
        let now_ns = state.now_ns();
        check_key(self.account(state)?, key)?;
        if !limits.fit(role, now_ns) {
            return Err(Reason::BadLimits);
        }
        let before = state.key((self.account, role, key));
        if before.is_some_and(|before| before.revoked_ns.is_some()) {
            return Err(Reason::KeyTaken);
        }
        let spent = before.map_or(Amount::ZERO, |before| before.spent);
        if limits.budget.is_some_and(|budget| budget < spent) {
            return Err(Reason::BadLimits);
        }

        // Point of no return.
        let timestamp_ns = before.map_or(now_ns, |before| before.timestamp_ns);
        let limits = limits.clone();
        state.put_key(AccountKey { account: self.account, role, key, limits, spent, timestamp_ns, revoked_ns: None });
        Ok(())
    }

    fn rotate(&self, state: &mut State, key: PublicKey, role: KeyRole, successor: PublicKey) -> Result<(), Reason> {
        let now_ns = state.now_ns();
        check_key(self.account(state)?, successor)?;
        let before = self.standing(state, key, role)?;
        if state.key((self.account, role, successor)).is_some() {
            return Err(Reason::KeyTaken);
        }

        // Point of no return.
        state.put_key(AccountKey { key: successor, timestamp_ns: now_ns, ..before.clone() });
        state.put_key(AccountKey { revoked_ns: Some(now_ns), ..before });
        Ok(())
    }

    fn revoke(&self, state: &mut State, key: PublicKey, role: KeyRole) -> Result<(), Reason> {
        let before = self.standing(state, key, role)?;

        // Point of no return.
        let revoked_ns = Some(state.now_ns());
        state.put_key(AccountKey { revoked_ns, ..before });
        Ok(())
    }

    fn rotate_owner(&self, state: &mut State, successor: PublicKey) -> Result<(), Reason> {
        check_key(self.account(state)?, successor)?;
        let roles = [KeyRole::Spend, KeyRole::Voucher, KeyRole::Receipt];
        if roles.into_iter().any(|role| state.key((self.account, role, successor)).is_some()) {
            return Err(Reason::KeyTaken);
        }

        // Point of no return.
        state.change_owner(self.account, successor);
        Ok(())
    }

    fn account<'a>(&self, state: &'a State) -> Result<&'a Account, Reason> {
        state.account(self.account).ok_or(Reason::AccountNotFound)
    }

    /// The row of a key that was not revoked; it may have expired.
    fn standing(&self, state: &State, key: PublicKey, role: KeyRole) -> Result<AccountKey, Reason> {
        let row = state.key((self.account, role, key)).filter(|row| row.revoked_ns.is_none());
        row.cloned().ok_or(Reason::KeyNotFound)
    }
}

/// A key that nobody could sign with would lock what it is named for.
fn check_key(account: &Account, key: PublicKey) -> Result<(), Reason> {
    if key.verifier().is_err() {
        return Err(Reason::BadKey);
    }
    if key == account.owner {
        return Err(Reason::KeyTaken);
    }
    Ok(())
}
