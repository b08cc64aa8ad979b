//! Every bound of this agent.

/// Documents in one call; the contract's number.
pub const DOCUMENTS_MAX: usize = 64;
/// Bytes of all documents of one call; the contract's number.
pub const CALL_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one document: what a reader takes.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// Passages that one call may add, so that it ends before its deadline on a slow machine.
pub const CALL_PASSAGES_MAX: usize = 2_000;
/// Passages on one shelf, so that a question is answered from memory.
pub const SHELF_PASSAGES_MAX: usize = 10_000;
/// Bytes of the name of a shelf.
pub const SHELF_NAME_BYTES_MAX: usize = 64;
/// Bytes of the name of a document.
pub const DOCUMENT_NAME_BYTES_MAX: usize = 256;
/// Bytes of a question.
pub const QUESTION_BYTES_MAX: usize = 4 * 1024;
/// Passages cited in one answer; the contract's number.
pub const CITED_MAX: u32 = 10;

/// Bytes at each end of a document that tell its kind.
pub const END_BYTES: usize = 4 * 1024;
/// Texts in one purchase of embeddings.
pub const EMBED_BATCH: usize = 64;
/// Purchases of embeddings in flight.
pub const EMBEDS_AT_ONCE: usize = 4;
/// Purchases of readings in flight.
pub const READS_AT_ONCE: usize = 8;

/// Bytes from which a stored pack is full.
pub const PACK_BYTES_FULL: usize = 512 * 1024;

/// Passages that each of the two rankings may propose.
pub const PROPOSED_MAX: usize = 50;
/// Candidates that are ranked for each passage to be cited.
pub const CANDIDATES_PER_CITED: usize = 4;
/// Candidates that are ranked at most, so that an answer costs no more to make than it sells for.
pub const CANDIDATES_MAX: usize = 24;
/// Bytes of a candidate that are ranked; passages are shorter, headings can be long.
pub const CANDIDATE_BYTES_MAX: usize = 2 * 1024;
/// Passages of one document in an answer, as long as others have something to say.
pub const PER_DOCUMENT_MAX: usize = 3;
/// Passages that the answer's sentences are taken from.
pub const SUMMARISED_MAX: usize = 5;
/// Sentences of an answer.
pub const ANSWER_SENTENCES: u32 = 3;
