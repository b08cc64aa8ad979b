//! Table `transfers.2`: transfers and burnt ids. Sheaves by the transfer's id; a row is CBOR of `TransferRecord`.
//! Changed by a snapshot for each that came since the one before. A transfer never changes; the state of a
//! hold beside it does.

use hansa_economy::ledger::{Id128, TransferId, TransferRecord};
use redb::ReadableTable;

use super::{decode, encode_into, sheaf};
use crate::store::StoreError;

pub(crate) const TAG: &str = "transfers.2";
pub(crate) const TABLE: sheaf::Definition = sheaf::Definition::new(TAG);

pub(crate) fn push(rows: &mut sheaf::Rows, id: TransferId, record: &TransferRecord) {
    rows.push(id.0, |bytes| encode_into(record, bytes));
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: TransferId) -> Result<Option<TransferRecord>, StoreError> {
    sheaf::get(table, TAG, id.0, open)
}

fn open(row: &[u8]) -> Result<TransferRecord, StoreError> {
    decode(TAG, row)
}

/// The rows of `ids`, which rise, each given to `found`.
pub(crate) fn get_each(
    table: &impl ReadableTable<u128, &'static [u8]>,
    ids: &[TransferId],
    mut found: impl FnMut(TransferId, TransferRecord),
) -> Result<(), StoreError> {
    sheaf::get_each(table, TAG, ids.iter().map(|id| id.0), |id, row| {
        found(Id128(id), open(row)?);
        Ok(())
    })
}
