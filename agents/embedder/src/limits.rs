//! Every bound of this agent.

/// Texts in one call; the contract's number.
pub const TEXTS_MAX: usize = 256;
/// Bytes of one text; the contract's number.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Documents in one ranking; the contract's number.
pub const DOCUMENTS_MAX: usize = 128;
/// Bytes of a query; the contract's number.
pub const QUERY_BYTES_MAX: usize = 4 * 1024;
