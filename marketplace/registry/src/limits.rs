//! Every upper bound of this crate, with its unit. How large components, files and statements may be stands in the catalogue
//! and in the economy.

use std::time::Duration;

/// Bytes of a reference.
pub const REFERENCE_BYTES_MAX: usize = 512;
/// Bytes of a repository's name, as registries bound it.
pub const REPOSITORY_BYTES_MAX: usize = 255;
/// Bytes of a tag, by the distribution specification.
pub const TAG_BYTES_MAX: usize = 128;
/// Bytes of a manifest that is read. Ours have about 2 KiB; others' may list many layers.
pub const MANIFEST_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the list of attachments of one manifest, as most registries bound it.
pub const INDEX_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of the answer of a service that gives tokens.
pub const TOKEN_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer that says what went wrong.
pub const REFUSAL_BYTES_MAX: usize = 16 * 1024;
/// Characters of a registry's own words in an error: what it says, what it calls things, where it sends us.
pub const REFUSAL_CHARS_MAX: usize = 300;
/// Characters of what is wrong with a release, which may quote what its publisher wrote.
pub const PROBLEM_CHARS_MAX: usize = 1000;
/// Bytes of Docker's `config.json`.
pub const DOCKER_CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the records of a publisher's name, which travel with its packages.
pub const NAME_BYTES_MAX: usize = 512 * 1024;
/// Redirects that one request follows.
pub const REDIRECTS_MAX: usize = 5;
/// Bytes of one piece of an upload, after each of which progress is told.
pub const PIECE_BYTES: usize = 128 * 1024;
/// Interfaces that the config lists of each side; it is for search alone.
pub const INTERFACES_MAX: usize = 256;

/// The longest to wait for a connection.
pub const CONNECT_MAX: Duration = Duration::from_secs(15);
/// The longest to wait for an answer, or for the next bytes of one.
pub const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Bytes a second below which a transfer is given up; its whole time follows from that.
pub const BYTES_PER_SECOND_MIN: u64 = 32 * 1024;
