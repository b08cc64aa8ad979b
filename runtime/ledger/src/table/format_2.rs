//! The tables of formats 1 and 2 that format 3 has not: one row of redb for each account, transfer and outcome. They followed
//! from the log, and are made again from it.

use redb::{TableDefinition, WriteTransaction};

use crate::store::StoreError;

const REPLACED: [&str; 3] = ["accounts.1", "transfers.1", "outcomes.1"];

pub(crate) fn drop_tables(tx: &WriteTransaction) -> Result<(), StoreError> {
    for tag in REPLACED {
        tx.delete_table(TableDefinition::<u128, &[u8]>::new(tag))?;
    }
    Ok(())
}
