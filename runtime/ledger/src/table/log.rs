//! Table `log.1`: the log. Key: the entry's number. Value: the entry's hash and its CBOR, exact bytes (`Entry::seal`).
//! Appended to by the writer, never changed. Everything else can be made again from it.

use hansa_economy::Digest;
use hansa_economy::ledger::Entry;
use redb::{ReadableTable, Table, TableDefinition};

use crate::store::StoreError;

pub(crate) const TAG: &str = "log.1";
pub(crate) const TABLE: TableDefinition<'static, u64, &[u8]> = TableDefinition::new(TAG);

pub(crate) fn append(table: &mut Table<'_, u64, &'static [u8]>, seq: u64, bytes: &[u8]) -> Result<(), StoreError> {
    match table.insert(seq, bytes)? {
        None => Ok(()),
        Some(_) => Err(StoreError::Row { table: TAG, reason: format!("entry {seq} is there already") }),
    }
}

pub(crate) fn get(table: &impl ReadableTable<u64, &'static [u8]>, seq: u64) -> Result<Option<(Entry, Digest)>, StoreError> {
    table.get(seq)?.map(|row| open(row.value())).transpose()
}

pub(crate) fn open(bytes: &[u8]) -> Result<(Entry, Digest), StoreError> {
    Entry::open(bytes).map_err(|error| StoreError::Row { table: TAG, reason: error.to_string() })
}
