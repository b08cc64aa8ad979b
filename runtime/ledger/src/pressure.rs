//! How busy the ledger is, and whether its disk is full: what a refusal is told to wait.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::error::SubmitError;
use crate::limits::{FULL_RETRY_AFTER_MS, RETRY_AFTER_MS_MAX, RETRY_AFTER_MS_MIN};

/// What the last commit tells about the next ones.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    /// Microseconds that a command of the last group took.
    us_per_command: AtomicU32,
    full_until: Mutex<Option<Instant>>,
}

impl Pressure {
    /// A group of `commands` took this long. There is room on the disk.
    pub(crate) fn committed(&self, took: Duration, commands: usize) {
        let each = took.as_micros() / commands.max(1) as u128;
        self.us_per_command.store(u32::try_from(each).unwrap_or(u32::MAX), Ordering::Relaxed);
        *self.full_until() = None;
    }

    /// The disk is full: refuse for a while.
    pub(crate) fn full(&self) -> SubmitError {
        *self.full_until() = Some(Instant::now() + Duration::from_millis(FULL_RETRY_AFTER_MS.into()));
        SubmitError::Full { retry_after_ms: FULL_RETRY_AFTER_MS }
    }

    /// Is the disk taken to be full? After a while it is tried again.
    pub(crate) fn check_room(&self) -> Result<(), SubmitError> {
        let left = self.full_until().map(|until| until.saturating_duration_since(Instant::now()));
        match left.map(|left| u32::try_from(left.as_millis()).unwrap_or(u32::MAX)) {
            Some(retry_after_ms @ 1..) => Err(SubmitError::Full { retry_after_ms }),
            Some(0) | None => Ok(()),
        }
    }

    /// When `waiting` commands will have been written.
    pub(crate) fn overloaded(&self, waiting: usize) -> SubmitError {
        let us = u64::from(self.us_per_command.load(Ordering::Relaxed)).saturating_mul(waiting as u64);
        let retry_after_ms = u32::try_from(us / 1000).unwrap_or(u32::MAX).clamp(RETRY_AFTER_MS_MIN, RETRY_AFTER_MS_MAX);
        SubmitError::Overloaded { retry_after_ms }
    }

    fn full_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // A time is whole whoever panicked beside it.
        self.full_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_what_waits() {
        let pressure = Pressure::default();
        assert_eq!(pressure.overloaded(100), SubmitError::Overloaded { retry_after_ms: RETRY_AFTER_MS_MIN });
        pressure.committed(Duration::from_millis(100), 1000);
        assert_eq!(pressure.overloaded(5000), SubmitError::Overloaded { retry_after_ms: 500 });
        assert_eq!(pressure.overloaded(usize::MAX), SubmitError::Overloaded { retry_after_ms: RETRY_AFTER_MS_MAX });
    }

    #[test]
    fn a_full_disk_is_tried_again_and_forgotten_after_a_commit() {
        let pressure = Pressure::default();
        assert_eq!(pressure.check_room(), Ok(()));
        pressure.full();
        assert!(matches!(pressure.check_room(), Err(SubmitError::Full { retry_after_ms: 1..=FULL_RETRY_AFTER_MS })));
        pressure.committed(Duration::ZERO, 1);
        assert_eq!(pressure.check_room(), Ok(()));
    }
}
