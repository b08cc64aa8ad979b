//! Table `owners.1`: accounts by owner, an index over `accounts.1`. Key: owner's key, account's id. No value.
//! Written by the writer with the account; moves when `account.key` gives the account another owner.

use hansa_economy::PublicKey;
use hansa_economy::channel::AccountId;
use redb::{ReadableTable, Table, TableDefinition};

use crate::store::StoreError;

pub(crate) type Key = (&'static [u8; 32], u128);

pub(crate) const TAG: &str = "owners.1";
pub(crate) const TABLE: TableDefinition<'static, Key, ()> = TableDefinition::new(TAG);

pub(crate) fn put(table: &mut Table<'_, Key, ()>, owner: PublicKey, account: AccountId) -> Result<(), StoreError> {
    table.insert((&owner.0, account.0), ())?;
    Ok(())
}

pub(crate) fn remove(table: &mut Table<'_, Key, ()>, owner: PublicKey, account: AccountId) -> Result<(), StoreError> {
    table.remove((&owner.0, account.0))?;
    Ok(())
}

pub(crate) fn accounts_of(table: &impl ReadableTable<Key, ()>, owner: PublicKey) -> Result<Vec<AccountId>, StoreError> {
    let rows = table.range((&owner.0, 0)..=(&owner.0, u128::MAX))?;
    rows.map(|row| Ok(AccountId(row?.0.value().1))).collect()
}
