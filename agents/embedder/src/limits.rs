//! Every bound of this agent.

/// Texts in one call; the contract's number.
pub const TEXTS_MAX: usize = 256;
/// Bytes of one text; the contract's number.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
