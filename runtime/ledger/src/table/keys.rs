//! Table `keys.1`: further keys of accounts, with their limits and what they have spent. Key: account's id, role's number, key.
//! Value: CBOR of `AccountKey`. Changed by the writer after `account.key`, and when a key spends. Rows never go.

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{AccountKey, KeyRole};
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) type Key = (u128, u8, &'static [u8; 32]);

pub(crate) const TAG: &str = "keys.1";
pub(crate) const TABLE: TableDefinition<'static, Key, &[u8]> = TableDefinition::new(TAG);

fn number(role: KeyRole) -> u8 {
    match role {
        KeyRole::Spend => 0,
        KeyRole::Voucher => 1,
        KeyRole::Receipt => 2,
    }
}

pub(crate) fn put(table: &mut Table<'_, Key, &'static [u8]>, key: &AccountKey) -> Result<(), StoreError> {
    table.insert((key.account.0, number(key.role), &key.key.0), encode(key).as_slice())?;
    Ok(())
}

pub(crate) fn of_account(
    table: &impl ReadableTable<Key, &'static [u8]>,
    account: AccountId,
) -> Result<Vec<AccountKey>, StoreError> {
    let ends = (account.0, 0, &[0; 32])..=(account.0, u8::MAX, &[0xff; 32]);
    table.range(ends)?.map(|row| decode(TAG, row?.1.value())).collect()
}

pub(crate) fn all(
    table: &impl ReadableTable<Key, &'static [u8]>,
) -> Result<impl Iterator<Item = Result<AccountKey, StoreError>>, StoreError> {
    Ok(table.iter()?.map(|row| decode(TAG, row?.1.value())))
}
