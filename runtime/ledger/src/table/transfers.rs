//! Table `transfers.1`: transfers and burnt ids. Key: the transfer's id. Value: CBOR of `TransferRecord`.
//! Changed by the writer after each `transfer`, and when a hold lets go by itself. A transfer never changes; the state of a
//! hold beside it does.

use hansa_economy::ledger::{TransferId, TransferRecord};
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "transfers.1";
pub(crate) const TABLE: TableDefinition<'static, u128, &[u8]> = TableDefinition::new(TAG);

pub(crate) fn put(table: &mut Table<'_, u128, &'static [u8]>, id: TransferId, record: &TransferRecord) -> Result<(), StoreError> {
    table.insert(id.0, encode(record).as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: TransferId) -> Result<Option<TransferRecord>, StoreError> {
    table.get(id.0)?.map(|row| decode(TAG, row.value())).transpose()
}
