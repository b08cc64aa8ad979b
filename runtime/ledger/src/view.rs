//! The newest committed accounts, held open between commits: a read of a balance then begins no transaction and opens no table.

use std::sync::{Arc, PoisonError, RwLock};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::Account;
use redb::{Database, ReadOnlyTable, ReadableDatabase};

use crate::store::StoreError;
use crate::table::accounts;

type Table = ReadOnlyTable<u128, &'static [u8]>;

/// The tables of accounts, as one commit left them.
pub(crate) struct Accounts {
    accounts: Table,
    balances: Table,
}

impl Accounts {
    pub(crate) fn get(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        accounts::get(&self.accounts, &self.balances, id)
    }
}

/// A database, and the view of its newest commit once somebody has read.
pub(crate) struct Opened {
    // Dropped first: the file is free only when nobody reads it.
    view: RwLock<Option<Arc<Accounts>>>,
    pub(crate) database: Database,
}

impl Opened {
    pub(crate) fn new(database: Database) -> Opened {
        Opened { view: RwLock::new(None), database }
    }

    /// A commit has returned: the next reader looks anew.
    pub(crate) fn renew(&self) {
        drop(self.view.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The newest committed accounts.
    pub(crate) fn accounts(&self) -> Result<Arc<Accounts>, StoreError> {
        if let Some(view) = &*self.view.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(view.clone());
        }
        // Made under the lock, so that a view of before a commit never comes after its `renew`.
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = &*view {
            return Ok(view.clone());
        }
        let tx = self.database.begin_read()?;
        let made = Arc::new(Accounts { accounts: tx.open_table(accounts::TABLE)?, balances: tx.open_table(accounts::BALANCES)? });
        *view = Some(made.clone());
        Ok(made)
    }
}
