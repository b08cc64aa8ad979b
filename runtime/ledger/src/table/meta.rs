//! Table `meta`: the format's version, where the log stands, and where the rows stand. Its name and the key `format` stay in all
//! versions. Keys: `format` (u32, little-endian), `head` (CBOR of `Head`: the log's newest entry, changed by each commit), `rows` (CBOR
//! of `Head`: the entry that the rows of all other tables follow from) and `root` (the state root after that entry, 32 bytes), both changed
//! by each snapshot.

use hansa_economy::Digest;
use hansa_economy::ledger::Head;
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "meta";
pub(crate) const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new(TAG);
/// The newest format that this program knows.
pub(crate) const FORMAT: u32 = 3;
/// The oldest format whose log this program reads; opening makes the newest of it.
pub(crate) const FORMAT_OLDEST: u32 = 1;

const KEY_FORMAT: &str = "format";
const KEY_HEAD: &str = "head";
const KEY_ROWS: &str = "rows";
const KEY_ROOT: &str = "root";

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

/// The rows of all tables stand at `rows`, where the state has this root.
pub(crate) fn put_rows(table: &mut Table<'_, &'static str, &'static [u8]>, rows: &Head, root: Digest) -> Result<(), StoreError> {
    table.insert(KEY_ROWS, encode(rows).as_slice())?;
    table.insert(KEY_ROOT, root.0.as_slice())?;
    Ok(())
}

/// Where the rows stand, and the state root there.
pub(crate) fn rows(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<(Head, Digest), StoreError> {
    let missing = |key: &str| StoreError::Row { table: TAG, reason: format!("no `{key}`") };
    let rows = table.get(KEY_ROWS)?.ok_or_else(|| missing(KEY_ROWS))?;
    let root = table.get(KEY_ROOT)?.ok_or_else(|| missing(KEY_ROOT))?;
    let root = <[u8; 32]>::try_from(root.value());
    let root = root.map_err(|_| StoreError::Row { table: TAG, reason: "`root` has not 32 bytes".into() })?;
    Ok((decode(TAG, rows.value())?, Digest(root)))
}
