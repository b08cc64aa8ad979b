//! Every upper bound of this crate, with its unit.

use std::time::Duration;

/// Bytes of a file of cases.
pub const CASES_BYTES_MAX: u64 = 4 << 20;
/// Cases of one project.
pub const CASES_MAX: usize = 10_000;
/// How long a case may take where it says nothing.
pub const CASE_DEADLINE: Duration = Duration::from_secs(10);
/// Characters of a project's name.
pub const NAME_CHARS_MAX: usize = 40;
/// How long files must be at rest before a change is built: editors write several at once.
pub const REST: Duration = Duration::from_millis(150);
