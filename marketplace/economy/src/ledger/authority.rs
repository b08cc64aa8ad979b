//! Whose word moves whose money. Today an account obeys its owner's key alone; roles, budgets and rotation of further
//! keys (`account.key`) belong here, so that no command needs to know of them.

use super::account::Account;
use super::state::State;
use crate::key::PublicKey;

/// On whose word something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// That of the key that signed the command.
    Signer(PublicKey),
    /// Nobody asks: what-if simulations.
    Unchecked,
}

impl Authority {
    /// May money leave `account` on this word?
    pub(super) fn may_debit(self, _state: &State, account: &Account) -> bool {
        self.is(account.owner)
    }

    /// May this word speak for the owner of `account` as the receiver of money?
    pub(super) fn may_receive(self, _state: &State, account: &Account) -> bool {
        self.is(account.owner)
    }

    /// Is it the word of `key`, or of anybody?
    pub(super) fn is(self, key: PublicKey) -> bool {
        match self {
            Authority::Signer(signer) => signer == key,
            Authority::Unchecked => true,
        }
    }
}
