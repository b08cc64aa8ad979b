//! Pauses between attempts that fail: they begin short and double, so that what does not go does not fill the log and the bus.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::limits::{REDEEM_AFTER, REDEEM_AGAIN_MAX};

/// When something that failed may be tried again.
#[derive(Default)]
pub(crate) struct Pause {
    /// Unix milliseconds.
    until_ms: AtomicU64,
    failures: AtomicU32,
}

impl Pause {
    pub(crate) fn is_over(&self, now_ms: u64) -> bool {
        self.until_ms.load(Relaxed) <= now_ms
    }

    /// It failed again. Is this the first time in a row?
    pub(crate) fn failed(&self, now_ms: u64) -> bool {
        let before = self.failures.fetch_add(1, Relaxed);
        let pause = REDEEM_AFTER.saturating_mul(1 << before.min(16)).min(REDEEM_AGAIN_MAX);
        self.until_ms.store(now_ms + pause.as_millis() as u64, Relaxed);
        before == 0
    }

    pub(crate) fn succeeded(&self) {
        self.failures.store(0, Relaxed);
        self.until_ms.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = Pause::default();
        assert!(pause.is_over(0));
        assert!(pause.failed(1000) && !pause.is_over(1249) && pause.is_over(1250));
        assert!(!pause.failed(1250) && !pause.is_over(1749) && pause.is_over(1750));
        for _ in 0..100 {
            assert!(!pause.failed(2000));
        }
        assert!(!pause.is_over(11_999) && pause.is_over(12_000));
        pause.succeeded();
        assert!(pause.is_over(0) && pause.failed(0));
    }
}
