//! Every upper bound of this crate, with its unit.

/// Commands of one commit.
pub const COMMANDS_PER_COMMIT_MAX: usize = 8192;
/// Bytes of commands of one commit, which the last one may pass: about 8,000 transfers in commands of many.
pub const GROUP_COMMAND_BYTES_MAX: usize = 500 * 1024;
/// Bytes of commands from which on a group is applied while the one before is committed, and not after it.
pub const AHEAD_COMMAND_BYTES_MIN: usize = 64 * 1024;
/// Groups that may be applied ahead of what is committed.
pub const GROUPS_AHEAD_MAX: usize = 8;
/// Bytes of the log after which the rows that it changed are written too. A start replays at most about as much.
pub const SNAPSHOT_LOG_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a sheaf of rows, a single larger row excepted: what one page of redb (4 KiB) holds beside its header and the key.
pub const SHEAF_BYTES_MAX: usize = 4064;
/// Bytes of commands in one entry of the log, a single larger command excepted. An entry with its results stays below 128 KiB
/// as a rule: a redb value just over a power of two takes twice its room.
pub const ENTRY_COMMAND_BYTES_MAX: usize = 90 * 1024;
/// Commands that may wait to be verified or written, unless the options say otherwise.
pub const QUEUE_LEN: usize = 8192;
/// Bytes of redb's page cache, unless the options say otherwise.
pub const CACHE_BYTES: usize = 256 * 1024 * 1024;
/// Milliseconds after which an overloaded ledger asks to try again, least.
pub const RETRY_AFTER_MS_MIN: u32 = 5;
/// Milliseconds after which an overloaded ledger asks to try again, most.
pub const RETRY_AFTER_MS_MAX: u32 = 2000;
/// Milliseconds for which a ledger whose disk is full refuses commands before it tries again.
pub const FULL_RETRY_AFTER_MS: u32 = 1000;
/// Bytes of one line of a simulation's commands.
pub const SIM_LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Entries that one read of the log gives.
pub const ENTRIES_PER_READ_MAX: usize = 1024;
/// Entries of the log whose signatures a replay checks together, each of at most about 128 KiB.
pub const REPLAY_ENTRIES: usize = 64;
/// Lines of one statement or history of an account.
pub const STATEMENT_LINES_MAX: usize = 100_000;
/// Significant digits that beancount adds exactly (Python's `decimal` in its usual context).
pub const BEANCOUNT_DIGITS_MAX: u32 = 28;
