//! Every bound of this agent.

/// Files in one call; the contract's number.
pub const FILES_MAX: usize = 64;
/// Bytes of one file; the contract's number.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes at each end of a file that the model looks at (Magika's `block_size`).
pub const BLOCK_BYTES: usize = 4096;
/// Fewer bytes than this, white space around them not counted, say nothing to the model (Magika's `min_file_size_for_dl`).
pub const MODEL_BYTES_MIN: usize = 8;
