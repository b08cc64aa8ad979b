//! Processor time of one call: the thread's clock around each poll.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

/// Processor time used by a call so far.
#[derive(Default)]
pub(crate) struct Meter {
    /// Of all finished polls, in nanoseconds.
    spent_ns: AtomicU64,
    /// The thread's clock when the present poll began.
    begun_ns: AtomicU64,
}

impl Meter {
    /// Nanoseconds used, from outside a poll.
    pub(crate) fn spent_ns(&self) -> u64 {
        self.spent_ns.load(Relaxed)
    }

    /// Nanoseconds used, from inside a poll.
    pub(crate) fn spent_ns_now(&self) -> u64 {
        self.spent_ns() + thread_time_ns().saturating_sub(self.begun_ns.load(Relaxed))
    }
}

/// A future whose polls are metered.
pub(crate) struct Metered<F> {
    pub(crate) meter: Arc<Meter>,
    pub(crate) future: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let begun = thread_time_ns();
        self.meter.begun_ns.store(begun, Relaxed);
        let polled = self.future.as_mut().poll(context);
        self.meter.spent_ns.fetch_add(thread_time_ns().saturating_sub(begun), Relaxed);
        polled
    }
}

/// Processor time of this thread, in nanoseconds.
fn thread_time_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock id is a constant that Linux and macOS know, and `time` is a valid place for the answer.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(status, 0, "the clock of the thread exists");
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(ns: u64) {
        let begun = thread_time_ns();
        while thread_time_ns() - begun < ns {}
    }

    #[tokio::test]
    async fn work_counts_and_waiting_does_not() {
        let meter = Arc::new(Meter::default());
        let future = Box::pin(async {
            burn(5_000_000);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            burn(5_000_000);
        });
        Metered { meter: meter.clone(), future }.await;
        assert!((10_000_000..30_000_000).contains(&meter.spent_ns()), "{}", meter.spent_ns());
    }
}
