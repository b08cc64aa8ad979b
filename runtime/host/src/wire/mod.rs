//! WIT values on the wire: CBOR guided by the WIT type, and the JSON that people and web clients see.
//!
//! | WIT | CBOR |
//! |---|---|
//! | `bool` | `true`, `false` |
//! | `u8`…`u64`, `s8`…`s64` | integer, shortest form |
//! | `f32`, `f64` | float of that width, its bits as they are |
//! | `char` | unsigned integer, the Unicode scalar value |
//! | `string` | text string |
//! | `list<u8>` | byte string |
//! | `list<f32>`, `list<f64>` | typed array, tag 85 or 86: little-endian elements in a byte string (RFC 8746) |
//! | other `list<T>` | array |
//! | `record`, `tuple` | array of the fields in their order |
//! | `variant`, `result` | `[case]` or `[case, payload]`, the case by its index (`ok` 0, `err` 1) |
//! | `enum` | unsigned integer, the index |
//! | `flags` | unsigned integer, bit 0 = the first flag |
//! | `option<T>` | `null`, or the value itself; where `T` is an option too, the value in an array of one |
//! | arguments | array of the parameters |
//! | no result | `null` |
//!
//! Every value has exactly one encoding (RFC 8949 §4.2.1: shortest heads, definite lengths), so that equal
//! values have equal hashes. Map types, fixed-length lists, resources, streams and futures do not cross.

pub(crate) mod cbor;
mod check;
mod from_json;
mod json_schema;
mod schema;
mod signature;
mod to_json;
pub(crate) mod values;

pub use from_json::JsonError;
pub use schema::FunctionSchema;
pub(crate) use schema::{Type, UnfitType, function_schema};

/// Bytes that are not the value that their WIT type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct WireError {
    /// Offset in the bytes.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}
