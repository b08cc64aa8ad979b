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
/// `if`, `try` and `-` in one expression, each of which the parser calls itself for.
pub const JQ_PREFIXES_MAX: usize = 64;
/// Tokens of one expression: one operator after another makes a deep tree too.
pub const JQ_TOKENS_MAX: usize = 1_000;
/// Terms within each other in one expression up to which types are followed; of what is deeper nothing is said.
pub const TYPE_NESTING_MAX: usize = 96;
/// Parts of one shape; a larger one is taken for anything.
pub const SHAPE_NODES_MAX: usize = 4_096;
/// Parts of one shape within each other.
pub const SHAPE_NESTING_MAX: usize = 48;
/// Shapes of one union, and texts of one set that are known.
pub const SHAPE_MEMBERS_MAX: usize = 128;
