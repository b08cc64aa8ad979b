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

/// Words of a composed text, at least; the contract's number.
pub const WORDS_MIN: u32 = 10;
/// Words of a composed text, at most; the contract's number.
pub const WORDS_MAX: u32 = 300;
/// Sentences that a text is composed from.
pub const SOURCES_MAX: u32 = 12;
/// Tokens for each word asked for; languages with long words take about two, and a sentence may be finished.
pub const TOKENS_PER_WORD: u32 = 3;
/// Tokens that a chat template may lay around the prompt.
pub const TEMPLATE_TOKENS: u32 = 64;
/// What a composed text may cost in inference, in millionths of a credit: less than the base price of `compose` in `agent.toml`.
pub const GENERATION_COST_MAX: u64 = 8_000;
/// Milliseconds of the call that are left for the answer's way back.
pub const ANSWER_MS: u32 = 500;
