//! Table `accounts.1`: accounts with their balances. Key: the account's id. Value: CBOR of `Account`.
//! Changed by the writer for each account that a commit touched.

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::Account;
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "accounts.1";
pub(crate) const TABLE: TableDefinition<'static, u128, &[u8]> = TableDefinition::new(TAG);

pub(crate) fn put(table: &mut Table<'_, u128, &'static [u8]>, account: &Account) -> Result<(), StoreError> {
    table.insert(account.id.0, encode(account).as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: AccountId) -> Result<Option<Account>, StoreError> {
    table.get(id.0)?.map(|row| decode(TAG, row.value())).transpose()
}

pub(crate) fn all(
    table: &impl ReadableTable<u128, &'static [u8]>,
) -> Result<impl Iterator<Item = Result<Account, StoreError>>, StoreError> {
    Ok(table.iter()?.map(|row| decode(TAG, row?.1.value())))
}
