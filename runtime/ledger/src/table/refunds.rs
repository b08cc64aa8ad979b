//! Table `refunds.1`: how much of a transfer, a channel or a receipt was refunded. Key: kind's number, then its id in 32 bytes (a
//! transfer's id big-endian, zeros before). Value: CBOR of `Refunded`. Changed by the writer after `refund`. Rows never go.

use hansa_economy::ledger::{RefundTarget, Refunded};
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) type Key = (u8, &'static [u8; 32]);

pub(crate) const TAG: &str = "refunds.1";
pub(crate) const TABLE: TableDefinition<'static, Key, &[u8]> = TableDefinition::new(TAG);

fn key(target: RefundTarget) -> (u8, [u8; 32]) {
    match target {
        RefundTarget::Transfer(id) => {
            let mut bytes = [0; 32];
            bytes[16..].copy_from_slice(&id.0.to_be_bytes());
            (0, bytes)
        }
        RefundTarget::Channel(id) => (1, id.0),
        RefundTarget::Receipt(digest) => (2, digest.0),
    }
}

pub(crate) fn put(table: &mut Table<'_, Key, &'static [u8]>, row: &Refunded) -> Result<(), StoreError> {
    let (kind, id) = key(row.target);
    table.insert((kind, &id), encode(row).as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<Key, &'static [u8]>, target: RefundTarget) -> Result<Option<Refunded>, StoreError> {
    let (kind, id) = key(target);
    table.get((kind, &id))?.map(|row| decode(TAG, row.value())).transpose()
}

pub(crate) fn all(
    table: &impl ReadableTable<Key, &'static [u8]>,
) -> Result<impl Iterator<Item = Result<Refunded, StoreError>>, StoreError> {
    Ok(table.iter()?.map(|row| decode(TAG, row?.1.value())))
}
