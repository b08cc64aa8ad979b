//! All accounts of a state: they lie one beside the other, in the order of their opening, and are found by their ids.

use std::collections::HashMap;

use super::account::Account;
use crate::channel::AccountId;

/// A map that is looked into many times for each transfer. Its order is never shown.
pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

#[derive(Clone, Debug, Default)]
pub(super) struct AccountSet {
    accounts: Vec<Account>,
    places: Map<AccountId, usize>,
}

impl AccountSet {
    pub(super) fn get(&self, id: AccountId) -> Option<&Account> {
        self.places.get(&id).map(|at| &self.accounts[*at])
    }

    pub(super) fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.places.get(&id).map(|at| &mut self.accounts[*at])
    }

    /// Add an account, or put it in the place of the one with its id, which is given back.
    pub(super) fn insert(&mut self, account: Account) -> Option<Account> {
        match self.get_mut(account.id) {
            Some(before) => Some(std::mem::replace(before, account)),
            None => {
                self.places.insert(account.id, self.accounts.len());
                self.accounts.push(account);
                None
            }
        }
    }

    /// Take the account back that was added last.
    pub(super) fn remove_newest(&mut self, id: AccountId) {
        let newest = self.accounts.pop();
        debug_assert!(newest.is_some_and(|account| account.id == id), "what is taken back is the newest");
        self.places.remove(&id);
    }

    /// In rising order of their ids.
    pub(super) fn by_id(&self) -> Vec<&Account> {
        let mut sorted: Vec<&Account> = self.accounts.iter().collect();
        sorted.sort_unstable_by_key(|account| account.id);
        sorted
    }
}
