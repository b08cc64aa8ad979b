//! Time and randomness: the one place where they enter. Everything else gets them as parameters.
#![expect(clippy::disallowed_methods, reason = "the place that clippy.toml names instead")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hansa_trade::Ambient;

/// Unix time in nanoseconds.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Unix time in milliseconds.
pub fn now_ms() -> u64 {
    now_ns() / 1_000_000
}

/// Bytes that nobody can guess, from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The same for trade.
pub fn ambient() -> Ambient {
    let fill = |buffer: &mut [u8]| getrandom::fill(buffer).expect("the operating system gives random bytes");
    Ambient { now_ms: Arc::new(now_ms), random: Arc::new(fill) }
}
