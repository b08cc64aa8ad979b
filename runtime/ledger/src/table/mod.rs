//! One file per stored table: its stable tag, its codecs, who changes it.
//!
//! Values are CBOR of the rows of `hansa_economy::ledger`, except entries of the log, which are kept in their exact bytes. Tables
//! of many small rows keep several in one value (`sheaf.rs`).

pub(crate) mod accounts;
pub(crate) mod assets;
pub(crate) mod channels;
pub(crate) mod format_2;
pub(crate) mod holds;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod meta;
pub(crate) mod outcomes;
pub(crate) mod owners;
pub(crate) mod places;
pub(crate) mod refunds;
pub(crate) mod sheaf;
pub(crate) mod transfers;

use minicbor::{Decode, Encode};

use crate::store::StoreError;

/// The bytes of a row.
pub(crate) fn encode<T: Encode<()>>(row: &T) -> Vec<u8> {
    minicbor::to_vec(row).expect("writing to memory cannot fail")
}

/// Append the bytes of a row.
pub(crate) fn encode_into<T: Encode<()>>(row: &T, bytes: &mut Vec<u8>) {
    minicbor::encode(row, bytes).expect("writing to memory cannot fail");
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
