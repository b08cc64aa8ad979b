//! Every upper bound of this crate, with its unit.

use std::time::Duration;

/// Bytes of a workflow's file.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Lists and maps within each other in it.
pub const NESTING_MAX: usize = 32;
/// Nodes of its tree: texts, lists, maps.
pub const NODES_MAX: usize = 20_000;
/// Bytes of one expression.
pub const EXPRESSION_BYTES_MAX: usize = 4 * 1024;
/// Steps of one workflow, those within others included.
pub const STEPS_MAX: usize = 1_000;
/// Items or rounds of one step that run at the same time.
pub const CONCURRENCY_MAX: u32 = 256;
/// Items of a `map`, and rounds of a `loop`.
pub const ROUNDS_MAX: u32 = 100_000;
/// Attempts of one step.
pub const ATTEMPTS_MAX: u32 = 1_000;
/// How long a step, a wait or an approval may take.
pub const TIME_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// What one call may take.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(600);
/// Brackets within each other in one expression.
pub const JQ_NESTING_MAX: usize = 64;
/// Operators and words before an operand, behind or within each other in one expression: what its parser calls itself for.
pub const JQ_LINKS_MAX: usize = 400;
/// Terms within or behind each other in one expression, functions counted as some of them. Each takes about 2 KiB of stack, 12 KiB without optimization.
pub const JQ_DEPTH_MAX: usize = 100;
/// Parts of a path that an expression makes.
pub const PATH_PARTS_MAX: usize = 32;
/// Lists and maps within each other in a value that an expression reads or makes; what `serde_json` reads too.
pub const VALUE_NESTING_MAX: usize = 128;
/// Steps of one evaluation: terms of the expression run, items gone over, bytes read or written by the hundred. A fraction of a second.
pub const EVAL_STEPS_MAX: u64 = 2_000_000;
/// Bytes of all values that one evaluation makes on its way.
pub const EVAL_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Bytes of what one evaluation gives, about as many as it has as JSON.
pub const RESULT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of one compiled regular expression.
pub const REGEX_BYTES_MAX: usize = 256 * 1024;
/// Compiled regular expressions that a thread keeps.
pub const REGEXES_KEPT: usize = 16;
