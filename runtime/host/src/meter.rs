//! Processor time of one call: a clock around each poll.
//!
//! The thread's own clock costs a system call, which is much for the many short polls of a short call. So the wall clock does
//! while a call has used little ([`EXACT_FROM_NS`]) and until the first tick of a poll; from then on the thread's clock counts,
//! and time that others had the core does not.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Instant,
};

/// A call that has used this much is measured exactly, nanoseconds.
const EXACT_FROM_NS: u64 = 5_000_000;

/// Processor time used by a call so far.
pub(crate) struct Meter {
    /// Of all finished polls, in nanoseconds, and of the present one up to where `exact_from_ns` stands.
    spent_ns: AtomicU64,
    /// Where the thread's clock stood when it began to count in the present poll; zero: the wall clock counts.
    exact_from_ns: AtomicU64,
    /// When the present poll began, nanoseconds after `origin`.
    begun_ns: AtomicU64,
    origin: Instant,
}

impl Meter {
    pub(crate) fn new() -> Meter {
        Meter {
            spent_ns: AtomicU64::new(0),
            exact_from_ns: AtomicU64::new(0),
            begun_ns: AtomicU64::new(0),
            origin: Instant::now(),
        }
    }

    /// Nanoseconds used, from outside a poll.
    pub(crate) fn spent_ns(&self) -> u64 {
        self.spent_ns.load(Relaxed)
    }

    /// Nanoseconds used, from inside a poll; the rest of it is measured exactly.
    pub(crate) fn spent_ns_now(&self) -> u64 {
        self.count();
        self.exact_from_ns.store(thread_time_ns(), Relaxed);
        self.spent_ns()
    }

    fn begin(&self) {
        match self.spent_ns() < EXACT_FROM_NS {
            true => {
                self.exact_from_ns.store(0, Relaxed);
                self.begun_ns.store(self.wall_ns(), Relaxed);
            }
            false => self.exact_from_ns.store(thread_time_ns(), Relaxed),
        }
    }

    /// Add what passed since the poll began, or since it was counted last.
    fn count(&self) {
        let passed = match self.exact_from_ns.load(Relaxed) {
            0 => self.wall_ns().saturating_sub(self.begun_ns.load(Relaxed)),
            exact_from => thread_time_ns().saturating_sub(exact_from),
        };
        self.spent_ns.fetch_add(passed, Relaxed);
    }

    fn wall_ns(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
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
        self.meter.begin();
        let polled = self.future.as_mut().poll(context);
        self.meter.count();
        polled
    }
}

/// Processor time of this thread, in nanoseconds; never zero.
fn thread_time_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock id is a constant that Linux and macOS know, and `time` is a valid place for the answer.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(status, 0, "the clock of the thread exists");
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn burn(ns: u64) {
        let begun = thread_time_ns();
        while thread_time_ns() - begun < ns {}
    }

    #[tokio::test]
    async fn work_counts_and_waiting_does_not() {
        const PAUSE: Duration = Duration::from_millis(50);
        let (meter, begun) = (Arc::new(Meter::new()), Instant::now());
        let future = Box::pin(async {
            burn(5_000_000);
            tokio::time::sleep(PAUSE).await;
            burn(5_000_000);
        });
        Metered { meter: meter.clone(), future }.await;
        let spent = Duration::from_nanos(meter.spent_ns());
        assert!(spent >= Duration::from_millis(10) && spent + PAUSE <= begun.elapsed(), "{spent:?} of {:?}", begun.elapsed());
    }

    /// A thread that has to wait for a core must not use up its call's processor time.
    #[tokio::test]
    async fn from_the_first_tick_on_time_without_the_core_does_not_count() {
        let meter = Arc::new(Meter::new());
        let seen = meter.clone();
        let future = Box::pin(async move {
            let before = seen.spent_ns_now();
            std::thread::sleep(Duration::from_millis(50));
            burn(EXACT_FROM_NS);
            assert!((EXACT_FROM_NS..4 * EXACT_FROM_NS).contains(&(seen.spent_ns_now() - before)));
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_millis(50));
            before
        });
        let before = Metered { meter: meter.clone(), future }.await;
        assert!((EXACT_FROM_NS..4 * EXACT_FROM_NS).contains(&(meter.spent_ns() - before)), "{}", meter.spent_ns() - before);
    }
}
