//! Table `meta`: the format's version, and where log and state stand. Its name and the key `format` stay in all versions.
//! Keys: `format` (u32, little-endian), `head` (CBOR of `Head`). The writer changes `head` in each commit.

use hansa_economy::ledger::Head;
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "meta";
pub(crate) const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new(TAG);
/// The newest format that this program knows.
pub(crate) const FORMAT: u32 = 2;

const KEY_FORMAT: &str = "format";
const KEY_HEAD: &str = "head";

pub(crate) fn put_format(table: &mut Table<'_, &'static str, &'static [u8]>, format: u32) -> Result<(), StoreError> {
    table.insert(KEY_FORMAT, format.to_le_bytes().as_slice())?;
    Ok(())
}

pub(crate) fn format(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Option<u32>, StoreError> {
    let row = table.get(KEY_FORMAT)?;
    Ok(row.and_then(|row| <[u8; 4]>::try_from(row.value()).ok()).map(u32::from_le_bytes))
}

pub(crate) fn put_head(table: &mut Table<'_, &'static str, &'static [u8]>, head: &Head) -> Result<(), StoreError> {
    table.insert(KEY_HEAD, encode(head).as_slice())?;
    Ok(())
}

pub(crate) fn head(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Head, StoreError> {
    let row = table.get(KEY_HEAD)?.ok_or(StoreError::Row { table: TAG, reason: "no `head`".into() })?;
    decode(TAG, row.value())
}
