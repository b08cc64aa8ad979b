//! Every upper bound of this crate, with its unit.

use std::time::Duration;

/// Bytes of a component.
pub const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of an `agent.toml`.
pub const MANIFEST_BYTES_MAX: usize = 48 * 1024;
/// Bytes of linear memory that an agent can ask for.
pub const MEMORY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Milliseconds that a seller may allow one call to take.
pub const DEADLINE_MS_MAX: u32 = 10 * 60 * 1000;
/// Calls that an agent may ask to serve at the same time.
pub const CONCURRENCY_MAX: u32 = 1024;
/// Other offers that a buyer may try after the first.
pub const RETRIES_MAX: u32 = 8;
/// Topics that an agent may name.
pub const TOPICS_MAX: usize = 32;
/// Bytes of a topic.
pub const TOPIC_BYTES_MAX: usize = 128;
/// The shortest interval at which an agent wakes up by itself.
pub const EVERY_MIN: Duration = Duration::from_secs(1);
/// The longest that one waking may take.
pub const WAKE_MAX: Duration = Duration::from_secs(600);
