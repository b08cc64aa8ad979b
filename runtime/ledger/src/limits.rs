//! Every upper bound of this crate, with its unit.

/// Commands of one commit.
pub const COMMANDS_PER_COMMIT_MAX: usize = 8192;
/// Bytes of commands in one entry of the log, a single larger command excepted. An entry with its results stays below 64 KiB
/// as a rule: a redb value just over a power of two takes twice its room.
pub const ENTRY_COMMAND_BYTES_MAX: usize = 44 * 1024;
/// Commands that may wait to be verified or written, unless the options say otherwise.
pub const QUEUE_LEN: usize = 8192;
/// Bytes of redb's page cache, unless the options say otherwise.
pub const CACHE_BYTES: usize = 256 * 1024 * 1024;
/// Milliseconds after which an overloaded ledger asks to try again, least.
pub const RETRY_AFTER_MS_MIN: u32 = 5;
/// Milliseconds after which an overloaded ledger asks to try again, most.
pub const RETRY_AFTER_MS_MAX: u32 = 2000;
/// Bytes of one line of a simulation's commands.
pub const SIM_LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Entries that one read of the log gives.
pub const ENTRIES_PER_READ_MAX: usize = 1024;
/// Entries of the log whose signatures a replay checks together, each of about 64 KiB.
pub const REPLAY_ENTRIES: usize = 64;
/// Lines of one statement or history of an account.
pub const STATEMENT_LINES_MAX: usize = 100_000;
/// Significant digits that beancount adds exactly (Python's `decimal` in its usual context).
pub const BEANCOUNT_DIGITS_MAX: u32 = 28;
