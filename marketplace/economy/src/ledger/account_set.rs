//! All accounts of a state: they lie one beside the other, in the order of their opening, and are found by their ids.

use super::account::Account;
use super::unordered::Unordered;
use crate::channel::AccountId;

#[derive(Clone, Debug, Default)]
pub(super) struct AccountSet {
    accounts: Vec<Account>,
    places: Unordered<AccountId, usize>,
}

/// Where an account lies. Good until accounts are taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccountPlace(usize);

impl AccountSet {
    pub(super) fn find(&self, id: AccountId) -> Option<AccountPlace> {
        self.places.get(id).map(|at| AccountPlace(*at))
    }

    pub(super) fn at(&self, place: AccountPlace) -> &Account {
        &self.accounts[place.0]
    }

    pub(super) fn at_mut(&mut self, place: AccountPlace) -> &mut Account {
        &mut self.accounts[place.0]
    }

    /// Add an account, or put it in the place of the one with its id, which is given back.
    pub(super) fn insert(&mut self, account: Account) -> Option<Account> {
        match self.find(account.id) {
            Some(place) => Some(std::mem::replace(self.at_mut(place), account)),
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
        self.places.remove(id);
    }

    /// In rising order of their ids.
    pub(super) fn by_id(&self) -> Vec<&Account> {
        let mut sorted: Vec<&Account> = self.accounts.iter().collect();
        sorted.sort_unstable_by_key(|account| account.id);
        sorted
    }
}
