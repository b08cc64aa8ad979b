//! Every bound of this agent.

/// Sentences in one answer; the contract's number.
pub const COUNT_MAX: u32 = 20;
/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 128 * 1024;
/// Bytes of a focus.
pub const FOCUS_BYTES_MAX: usize = 4 * 1024;
/// Sentences that are compared; embedding them is what takes the time.
pub const SENTENCES_MAX: usize = 512;
/// Bytes of a sentence that are embedded; no model reads more.
pub const SENTENCE_BYTES_EMBEDDED: usize = 2 * 1024;
/// Words that make a sentence worth quoting.
pub const SENTENCE_WORDS_MIN: usize = 4;
/// Texts in one purchase of embeddings.
pub const BATCH: usize = 64;
/// Purchases in flight.
pub const PURCHASES_AT_ONCE: usize = 4;
