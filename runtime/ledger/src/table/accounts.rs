//! Table `accounts.2`: accounts with their balances. Sheaves by the account's id; a row is CBOR of `Account`.
//! Changed by a snapshot for each account that was touched since the one before.

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::Account;
use redb::ReadableTable;

use super::{decode, encode_into, sheaf};
use crate::store::StoreError;

pub(crate) const TAG: &str = "accounts.2";
pub(crate) const TABLE: sheaf::Definition = sheaf::Definition::new(TAG);

pub(crate) fn push(rows: &mut sheaf::Rows, account: &Account) {
    rows.push(account.id.0, |bytes| encode_into(account, bytes));
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: AccountId) -> Result<Option<Account>, StoreError> {
    sheaf::get(table, TAG, id.0, |row| decode(TAG, row))
}

pub(crate) fn all(
    table: &impl ReadableTable<u128, &'static [u8]>,
) -> Result<impl Iterator<Item = Result<Account, StoreError>>, StoreError> {
    Ok(sheaf::all(table, TAG)?.map(|row| decode(TAG, &row?.1)))
}
