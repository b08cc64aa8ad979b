//! Tables `accounts.2` and `balances.1`: what an account is, and what changes of it, so that a payment writes only the latter.
//! Sheaves by the account's id. `accounts.2`: CBOR of `Account` as it was opened; written when an account is opened.
//! `balances.1`: debits pending and posted, credits pending and posted (u128 each), flags (u16), little-endian; written for
//! each account that a commit touched.

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Account, AccountFlags};
use redb::ReadableTable;

use super::{decode, encode_into, sheaf};
use crate::store::StoreError;

pub(crate) const TAG: &str = "accounts.2";
pub(crate) const TABLE: sheaf::Definition = sheaf::Definition::new(TAG);
pub(crate) const TAG_BALANCES: &str = "balances.1";
pub(crate) const BALANCES: sheaf::Definition = sheaf::Definition::new(TAG_BALANCES);

const BALANCE_BYTES: usize = 4 * 16 + 2;

/// The row of an account that was opened.
pub(crate) fn push(rows: &mut sheaf::Rows, account: &Account) {
    rows.push(account.id.0, |bytes| encode_into(account, bytes));
}

/// The row of an account that was touched.
pub(crate) fn push_balance(rows: &mut sheaf::Rows, account: &Account) {
    rows.push(account.id.0, |bytes| {
        for amount in [account.debits_pending, account.debits_posted, account.credits_pending, account.credits_posted] {
            bytes.extend_from_slice(&amount.0.to_le_bytes());
        }
        bytes.extend_from_slice(&account.flags.0.to_le_bytes());
    });
}

pub(crate) fn get(
    accounts: &impl ReadableTable<u128, &'static [u8]>,
    balances: &impl ReadableTable<u128, &'static [u8]>,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let Some(account) = sheaf::get(accounts, TAG, id.0, |row| decode::<Account>(TAG, row))? else { return Ok(None) };
    sheaf::get(balances, TAG_BALANCES, id.0, |row| joined(account, row))
}

/// All accounts by id.
pub(crate) fn all(
    accounts: &impl ReadableTable<u128, &'static [u8]>,
    balances: &impl ReadableTable<u128, &'static [u8]>,
) -> Result<impl Iterator<Item = Result<Account, StoreError>>, StoreError> {
    let pairs = sheaf::all(accounts, TAG)?.zip(sheaf::all(balances, TAG_BALANCES)?);
    Ok(pairs.map(|(account, balance)| {
        let ((id, account), (same, balance)) = (account?, balance?);
        match id == same {
            true => joined(decode(TAG, &account)?, &balance),
            false => Err(StoreError::Row { table: TAG_BALANCES, reason: format!("{} is no account", AccountId(same)) }),
        }
    }))
}

fn joined(account: Account, balance: &[u8]) -> Result<Account, StoreError> {
    let balance: &[u8; BALANCE_BYTES] = balance
        .try_into()
        .map_err(|_| StoreError::Row { table: TAG_BALANCES, reason: format!("a balance of {} bytes", balance.len()) })?;
    let amount = |n: usize| Amount(u128::from_le_bytes(balance[n * 16..][..16].try_into().expect("the slice has 16 bytes")));
    Ok(Account {
        debits_pending: amount(0),
        debits_posted: amount(1),
        credits_pending: amount(2),
        credits_posted: amount(3),
        flags: AccountFlags(u16::from_le_bytes([balance[64], balance[65]])),
        ..account
    })
}
