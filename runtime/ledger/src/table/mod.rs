//! One file per stored table: its stable tag, its codecs, who changes it.
//!
//! Values are CBOR of the rows of `hansa_economy::ledger`, except entries of the log, which are kept in their exact bytes.

pub(crate) mod accounts;
pub(crate) mod assets;
pub(crate) mod channels;
pub(crate) mod holds;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod meta;
pub(crate) mod outcomes;
pub(crate) mod owners;
pub(crate) mod refunds;
pub(crate) mod transfers;

use minicbor::{Decode, Encode};

use crate::store::StoreError;

/// A table to read; none where the file is older than the table, which is then empty.
pub(crate) fn open_later<K: redb::Key + 'static, V: redb::Value + 'static>(
    tx: &redb::ReadTransaction,
    table: redb::TableDefinition<'_, K, V>,
) -> Result<Option<redb::ReadOnlyTable<K, V>>, StoreError> {
    match tx.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The bytes of a row.
pub(crate) fn encode<T: Encode<()>>(row: &T) -> Vec<u8> {
    minicbor::to_vec(row).expect("writing to memory cannot fail")
}

/// The row in `bytes`, which must end with it.
pub(crate) fn decode<T: for<'b> Decode<'b, ()>>(tag: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    let row = |reason: String| StoreError::Row { table: tag, reason };
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|error| row(error.to_string()))?;
    match decoder.position() == bytes.len() {
        true => Ok(value),
        false => Err(row("bytes after the end".into())),
    }
}

#[cfg(test)]
mod tests;
