//! Every upper bound of this crate, with its unit.

use std::time::Duration;

/// Bytes of a component.
pub const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of an `agent.toml`.
pub const MANIFEST_BYTES_MAX: usize = 48 * 1024;
/// Characters of an agent's description.
pub const DESCRIPTION_CHARS_MAX: usize = 400;
/// Characters of its licence's expression.
pub const LICENSE_CHARS_MAX: usize = 200;
/// Characters of one of its keywords.
pub const KEYWORD_CHARS_MAX: usize = 64;
/// Characters of its homepage's address.
pub const HOMEPAGE_CHARS_MAX: usize = 400;
/// Bytes of linear memory below which no component runs.
pub const MEMORY_BYTES_MIN: u64 = 64 * 1024;
/// Bytes of linear memory that an agent can ask for.
pub const MEMORY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Calls that one instance may serve, one after another.
pub const INSTANCE_CALLS_MAX: u32 = 1_000_000;
/// The least time that it may be given for them.
pub const INSTANCE_AGE_MIN: Duration = Duration::from_secs(1);
/// How long it may serve them.
pub const INSTANCE_AGE_MAX: Duration = Duration::from_secs(3600);
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

/// Bytes of a release's `README.md`.
pub const README_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a release's `LICENSE`.
pub const LICENSE_BYTES_MAX: usize = 128 * 1024;
/// Bytes of a release's `package.wit`, which is derived from the component.
pub const WIT_BYTES_MAX: usize = 512 * 1024;
/// Files that one package statement names.
pub const FILES_MAX: usize = 8;

/// Bytes of a component that describe its types: everything but core modules and custom sections.
pub const COMPONENT_TYPES_BYTES_MAX: usize = 1024 * 1024;
/// Parts of all types that a component declares, named ones counted wherever they are used.
pub const COMPONENT_TYPES_MAX: u32 = 50_000;
/// Bytes of a component's section of documentation.
pub const COMPONENT_DOCS_BYTES_MAX: usize = 256 * 1024;
/// Components and modules that one component nests, at all depths.
pub const COMPONENT_NESTED_MAX: u32 = 1000;
/// Depth of components within a component.
pub const COMPONENT_DEPTH_MAX: u32 = 16;
/// Interfaces that a component imports, and interfaces that it exports.
pub const INTERFACES_MAX: usize = 256;
/// Functions of all interfaces of a component.
pub const FUNCTIONS_MAX: usize = 4096;
/// Levels of one type, as in the host.
pub const TYPE_DEPTH_MAX: u32 = 32;
/// Parts of the types of one function, as in the host.
pub const TYPE_NODES_MAX: u32 = 4096;

/// Records in the chain of one publisher's name.
pub const NAME_RECORDS_MAX: usize = 1000;
/// Bytes of a notice's message.
pub const NOTICE_MESSAGE_BYTES_MAX: usize = 1000;
/// Notices about one package.
pub const NOTICES_MAX: usize = 1000;
/// Statements that wait for a predecessor, in all.
pub const WAITING_MAX: usize = 4096;
/// Bytes of all statements and files that wait for a predecessor.
pub const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Releases of one package.
pub const RELEASES_MAX: usize = 1000;

/// Bytes of a query.
pub const QUERY_BYTES_MAX: usize = 512;
/// Words of a query; further words are left out.
pub const QUERY_WORDS_MAX: usize = 12;
/// Bytes of one word in the index; longer ones cannot be found.
pub const WORD_BYTES_MAX: usize = 40;
/// Results on one page.
pub const PAGE_MAX: usize = 100;
/// Results that can be paged through.
pub const RESULTS_MAX: usize = 1000;
/// Bytes of a README that are searched, from its beginning.
pub const README_SEARCHED_BYTES_MAX: usize = 16 * 1024;
/// Characters of a snippet.
pub const SNIPPET_CHARS_MAX: usize = 200;
