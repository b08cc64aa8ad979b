//! Every bound of this agent.

/// Bytes of one file; the contract's number.
pub const CONTENT_BYTES_MAX: usize = 1024 * 1024;
/// Words from which a passage ends at the next end of a paragraph.
pub const PASSAGE_WORDS_MIN: usize = 60;
/// Words that a passage has at most.
pub const PASSAGE_WORDS_MAX: usize = 120;
/// Bytes that a passage has at most, for text without spaces.
pub const PASSAGE_BYTES_MAX: usize = 1200;
/// A last passage of fewer words joins the one before it, if both stand under the same heading.
pub const PASSAGE_WORDS_SHORT: usize = 20;
/// Characters of one heading in the path of headings.
pub const HEADING_CHARS_MAX: usize = 120;
/// Headings in the path of headings.
pub const HEADINGS_MAX: usize = 6;
