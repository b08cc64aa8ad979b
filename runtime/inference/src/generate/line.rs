//! Where sequences wait for a decoder's thread: bounded in total and per tenant, closed when the model leaves.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits;
use crate::scheduler::queue::{Bounds, Refused};

use super::sequence::Submitted;

#[derive(Default)]
struct State {
    arrived: Vec<Submitted>,
    /// Sequences that have not started, by tenant: those that arrived, and those that the thread has taken.
    waiting: BTreeMap<Arc<str>, usize>,
    total: usize,
    poked: bool,
    /// Nothing more is taken in.
    full: bool,
    closed: bool,
    /// Since when the thread has had nothing; `None`: it has.
    idle: Option<Instant>,
}

/// The line of one decoder.
pub(crate) struct Line {
    bounds: Bounds,
    state: Mutex<State>,
    changed: Condvar,
    random: RandomState,
    drawn: AtomicU64,
    /// Moving average of the time between two sequences that leave, in microseconds.
    turn_us: AtomicU64,
}

/// A sequence's place in the line, given back when it starts or goes.
pub(crate) struct Seat {
    line: Arc<Line>,
    tenant: Arc<str>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.total = state.total.saturating_sub(1);
        if let Some(count) = state.waiting.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                state.waiting.remove(&self.tenant);
            }
        }
    }
}

impl Line {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let (drawn, turn_us) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self {
            bounds,
            state: Mutex::new(State { idle: Some(Instant::now()), ..State::default() }),
            changed: Condvar::new(),
            random: RandomState::new(),
            drawn,
            turn_us,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock, so that a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sequences that have not started.
    pub(crate) fn len(&self) -> usize {
        self.lock().total
    }

    /// A seat, when there is room.
    pub(crate) fn seat(self: &Arc<Self>, tenant: &Arc<str>) -> Result<Seat, Refused> {
        let mut state = self.lock();
        if state.full {
            return Err(Refused::Closed);
        }
        let own = state.waiting.get(tenant).copied().unwrap_or(0);
        if !self.bounds.leave_room(state.total, own, 1) {
            return Err(Refused::Full(state.total));
        }
        state.total += 1;
        *state.waiting.entry(Arc::clone(tenant)).or_default() += 1;
        drop(state);
        Ok(Seat { line: Arc::clone(self), tenant: Arc::clone(tenant) })
    }

    /// Hands a sequence to the thread; `false`: the line is closed, and the sequence was dropped.
    pub(crate) fn submit(&self, submitted: Submitted) -> bool {
        let mut state = self.lock();
        if state.closed {
            // its seat locks the state again
            drop(state);
            drop(submitted);
            return false;
        }
        state.arrived.push(submitted);
        drop(state);
        self.changed.notify_all();
        true
    }

    /// A seed for a caller who gave none; another for each.
    pub(crate) fn seed(&self) -> u64 {
        self.random.hash_one(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// When about half of what waits will have begun.
    pub(crate) fn retry_ms(&self, waiting: usize) -> u32 {
        let half_us = self.turn_us.load(Ordering::Relaxed).saturating_mul(waiting as u64) / 2;
        u32::try_from(half_us / 1000).unwrap_or(u32::MAX).clamp(1, limits::RETRY_MS_MAX)
    }

    /// The mean time between sequences that left.
    pub(crate) fn learn(&self, time: Duration) {
        let (old, new) = (self.turn_us.load(Ordering::Relaxed), u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        let average = if old == 0 { new } else { old - old / 8 + new / 8 };
        self.turn_us.store(average.max(1), Ordering::Relaxed);
    }

    /// Something changed that the thread should look at.
    pub(crate) fn poke(&self) {
        self.lock().poked = true;
        self.changed.notify_all();
    }

    /// For how long the thread has had nothing; `None` when it has something, or something waits.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        let state = self.lock();
        if state.total > 0 {
            return None;
        }
        state.idle.map(|since| since.elapsed())
    }

    /// The thread has nothing left. Whether it should end.
    pub(crate) fn is_done(&self) -> bool {
        let mut state = self.lock();
        state.idle.get_or_insert_with(Instant::now);
        state.closed |= state.full && state.arrived.is_empty() && state.total == 0;
        state.closed
    }

    /// Takes nothing more in; what waits and runs is served.
    pub(crate) fn finish(&self) {
        self.lock().full = true;
        self.poke();
    }

    /// What arrived; `None`: the line is closed.
    pub(crate) fn arrived(&self) -> Option<Vec<Submitted>> {
        let mut state = self.lock();
        state.poked = false;
        if !state.arrived.is_empty() {
            state.idle = None;
        }
        (!state.closed).then(|| std::mem::take(&mut state.arrived))
    }

    /// Waits until something arrives or changes, or until the time has passed; `false`: it has passed.
    pub(crate) fn wait(&self, at_most: Option<Duration>) -> bool {
        let until = at_most.map(|time| Instant::now() + time);
        let mut state = self.lock();
        while state.arrived.is_empty() && !state.poked && !state.closed {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return false,
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }

    /// Closes the line if nothing has arrived; whether it did.
    pub(crate) fn close_if_idle(&self) -> bool {
        let mut state = self.lock();
        state.closed |= state.arrived.is_empty() && state.total == 0;
        state.full |= state.closed;
        state.closed
    }

    /// Takes nothing more in. What waits is cancelled, what runs as soon as the thread sees it.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        (state.full, state.closed) = (true, true);
        let arrived = std::mem::take(&mut state.arrived);
        drop(state);
        // their seats lock the state again
        drop(arrived);
        self.changed.notify_all();
    }
}
