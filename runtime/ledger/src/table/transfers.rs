//! Table `transfers.2`: holds, what resolved them, and burnt ids; all other transfers are in `places.1`. Sheaves by the transfer's
//! id; a row is CBOR of `TransferRecord`.
//! Changed by a snapshot for each that came since the one before. A transfer never changes; the state of a
//! hold beside it does.

use hansa_economy::ledger::{Id128, TransferId, TransferRecord};
use redb::{ReadTransaction, ReadableTable};

use super::{decode, encode_into, log, places, sheaf};
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

/// The transfer or burnt id, wherever it is kept.
pub(crate) fn find(tx: &ReadTransaction, id: TransferId) -> Result<Option<TransferRecord>, StoreError> {
    if let Some(record) = get(&tx.open_table(TABLE)?, id)? {
        return Ok(Some(record));
    }
    let Some(place) = places::get(&tx.open_table(places::TABLE)?, id)? else { return Ok(None) };
    let transfer = place.read(&tx.open_table(log::TABLE)?)?;
    Ok(Some(TransferRecord::Created(transfer, None)))
}

/// Those of `ids` that are there, wherever they are kept, each given to `found`. The ids rise.
pub(crate) fn find_each(
    tx: &ReadTransaction,
    ids: &[TransferId],
    mut found: impl FnMut(TransferId, TransferRecord),
) -> Result<(), StoreError> {
    get_each(&tx.open_table(TABLE)?, ids, &mut found)?;
    let log = tx.open_table(log::TABLE)?;
    places::get_each(&tx.open_table(places::TABLE)?, ids, |id, place| {
        found(id, TransferRecord::Created(place.read(&log)?, None));
        Ok(())
    })
}
