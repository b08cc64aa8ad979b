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
/// Different sellers that one call is bought from.
pub const ASK_SELLERS_MAX: u32 = 9;
/// Classes of data of one workflow.
pub const DATA_CLASSES_MAX: usize = 32;
/// Nodes that a class or terms name.
pub const NODES_NAMED_MAX: usize = 256;
/// Labels of one workflow.
pub const LABELS_MAX: usize = 16;
/// Schedules of one workflow.
pub const SCHEDULES_MAX: usize = 100;
/// Topics that start one workflow.
pub const TRIGGERS_MAX: usize = 32;
/// Bytes of a topic.
pub const TOPIC_BYTES_MAX: usize = 200;
/// Bytes of a schedule's cron text.
pub const CRON_BYTES_MAX: usize = 200;
/// Runs of one workflow at the same time.
pub const RUNNING_MAX: u32 = 100_000;
/// Brackets within each other in one expression.
pub const JQ_NESTING_MAX: usize = 64;
/// Operators and words before an operand, behind or within each other in one expression: what its parser calls itself for.
pub const JQ_LINKS_MAX: usize = 400;
/// Terms within or behind each other in one expression, functions counted as some of them. Each takes about 2 KiB of stack, 12 KiB without optimization.
pub const JQ_DEPTH_MAX: usize = 100;
/// Parts of a path that an expression makes.
pub const PATH_PARTS_MAX: usize = 32;
/// Width of a box of a drawing, in pixels; longer texts are cut.
pub const DRAWN_BOX_WIDTH_MAX: i32 = 340;
/// Width of what stands at the head of a frame of a drawing, in pixels.
pub const DRAWN_CAPTION_WIDTH_MAX: i32 = 480;
/// Width of the text on an edge of a drawing, in pixels.
pub const DRAWN_LABEL_WIDTH_MAX: i32 = 230;
/// Inputs, or parts of the output, that a drawing shows one by one.
pub const DRAWN_ROWS_MAX: usize = 12;
/// Terms of one step that a drawing shows.
pub const DRAWN_CHIPS_MAX: usize = 8;
/// Lines of a workflow's description on a drawing.
pub const DRAWN_DESCRIPTION_LINES_MAX: usize = 4;
/// Characters that a drawing shows to somebody who points at a box.
pub const DRAWN_TIP_CHARACTERS_MAX: usize = 4_000;
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
/// Terms within each other in one expression up to which types are followed; of what is deeper nothing is said.
pub const TYPE_NESTING_MAX: usize = 96;
/// Parts of one shape; a larger one is taken for anything.
pub const SHAPE_NODES_MAX: usize = 4_096;
/// Parts of one shape within each other.
pub const SHAPE_NESTING_MAX: usize = 48;
/// Shapes of one union, and texts of one set that are known.
pub const SHAPE_MEMBERS_MAX: usize = 128;
/// Workflows that run others, within each other.
pub const NESTED_RUNS_MAX: u32 = 8;
/// What one call may take where the file does not say.
pub const CALL_TIME_USUAL: Duration = Duration::from_secs(30);
/// For how long a seller is asked to keep an answer: as long as a repeat is safe.
pub const CALL_KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);
/// How far the clocks of a business's nodes and its sellers may be apart where a call is repeated.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);
/// Steps that a quote goes through, those of each known item and of workflows within counted apart; beyond them it says "at most what the budget allows".
pub const QUOTE_STEPS_MAX: u32 = 50_000;
/// Steps of evaluations that a quote takes, in the sense of [`EVAL_STEPS_MAX`]; beyond them values count as not known. A few seconds.
pub const QUOTE_EVAL_STEPS_MAX: u64 = 20_000_000;
/// Other offers that a quote names for one step.
pub const RUNNERS_UP_MAX: usize = 3;
/// Columns of texts for a terminal.
pub const TEXT_COLUMNS_MAX: usize = 100;
/// Lines of what one event of a report says; the rest is cut.
pub const WORDS_LINES_MAX: usize = 8;
/// Columns of them for the place of a step; of a longer one its end is shown.
pub const REPORT_PLACE_COLUMNS_MAX: usize = 28;
/// Parts of a step's place up to which the steps around it are looked for.
pub const REPORT_DEPTH_MAX: usize = 512;
/// Steps at work, and things that are waited for, that the live view shows.
pub const LIVE_ROWS_MAX: usize = 8;
/// Events that the live view shows, the last ones.
pub const LIVE_EVENTS_MAX: usize = 6;
