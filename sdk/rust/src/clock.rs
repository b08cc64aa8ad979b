//! The time of day, by the node's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, UTC. The clock is the node's, which its operator may set back: a time may be earlier than one that was
/// kept before, and a price or a deadline should survive that. Pure code takes the time as a parameter.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the guest's own edge: this is where the host's clock enters an agent")]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_this_line_was_written() {
        assert!(now_ms() > 1_700_000_000_000);
    }
}
