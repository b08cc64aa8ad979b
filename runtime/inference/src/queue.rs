//! A bounded queue that is fair between tenants: a flood by one leaves the others' turn where it was.
//!
//! Each tenant has a virtual clock that runs by the weight of what was taken for it; the tenant whose clock shows least
//! is next (start-time fair queueing, Goyal, Vin and Cheng 1996). A tenant that comes back starts at the present, so
//! that idleness is no credit.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::IDLE_TENANTS_MAX;

/// Bounds of a queue, in entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) total_max: usize,
    pub(crate) per_tenant_max: usize,
}

/// Why entries were not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many wait; carries how many.
    Full(usize),
    /// Nobody takes entries any more.
    Closed,
}

/// What a wait for the next entry brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    Entry(T),
    /// Nothing came in the given time, and the queue is closed now.
    Idle,
    Closed,
}

struct Tenant<T> {
    clock: u64,
    entries: VecDeque<(u64, T)>,
}

struct State<T> {
    tenants: BTreeMap<Arc<str>, Tenant<T>>,
    length: usize,
    /// Clock of the tenant served last: the present.
    now: u64,
    closed: bool,
}

/// The queue; one thread takes, many put.
pub(crate) struct FairQueue<T> {
    bounds: Bounds,
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> FairQueue<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let state = State { tenants: BTreeMap::new(), length: 0, now: 0, closed: false };
        Self { bounds, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code that can panic runs under the lock, so that a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().length
    }

    /// Takes in all entries of one call, emptying the list, or none; each with its weight. `alive` says which older ones
    /// still matter: when room is short, the dead leave first.
    pub(crate) fn push(&self, tenant: &Arc<str>, entries: &mut Vec<(u64, T)>, alive: impl Fn(&T) -> bool) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if !state.has_room(self.bounds, tenant, entries.len()) {
            state.retain(&alive);
        }
        if !state.has_room(self.bounds, tenant, entries.len()) {
            return Err(Refused::Full(state.length));
        }
        state.length += entries.len();
        let now = state.now;
        let tenant = state.tenants.entry(Arc::clone(tenant)).or_insert_with(|| Tenant { clock: now, entries: VecDeque::new() });
        if tenant.entries.is_empty() {
            tenant.clock = tenant.clock.max(now);
        }
        tenant.entries.extend(entries.drain(..));
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next entry in fair order; waits for one. With `idle`, closes the queue when none comes for so long.
    pub(crate) fn next(&self, idle: Option<Duration>) -> Next<T> {
        let until = idle.map(|idle| Instant::now() + idle);
        let mut state = self.lock();
        loop {
            if let Some(entry) = state.take() {
                return Next::Entry(entry);
            }
            if state.closed {
                return Next::Closed;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => {
                    state.closed = true;
                    return Next::Idle;
                }
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Takes nothing more in and hands out what still waits.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut state = self.lock();
        state.closed = true;
        state.length = 0;
        let tenants = std::mem::take(&mut state.tenants);
        drop(state);
        self.changed.notify_all();
        tenants.into_values().flat_map(|tenant| tenant.entries).map(|(_, entry)| entry).collect()
    }
}

impl<T> State<T> {
    fn has_room(&self, bounds: Bounds, tenant: &Arc<str>, more: usize) -> bool {
        let own = self.tenants.get(tenant).map_or(0, |tenant| tenant.entries.len());
        self.length + more <= bounds.total_max && own + more <= bounds.per_tenant_max
    }

    fn retain(&mut self, alive: &impl Fn(&T) -> bool) {
        for tenant in self.tenants.values_mut() {
            tenant.entries.retain(|(_, entry)| alive(entry));
        }
        self.length = self.tenants.values().map(|tenant| tenant.entries.len()).sum();
    }

    fn take(&mut self) -> Option<T> {
        let waiting = self.tenants.values_mut().filter(|tenant| !tenant.entries.is_empty());
        let tenant = waiting.min_by_key(|tenant| tenant.clock)?;
        let (weight, entry) = tenant.entries.pop_front()?;
        self.now = tenant.clock;
        tenant.clock = tenant.clock.saturating_add(weight.max(1));
        self.length -= 1;
        self.forget_idle_tenants();
        Some(entry)
    }

    /// An idle tenant is only remembered while it would gain by being forgotten, and never without bound.
    fn forget_idle_tenants(&mut self) {
        if self.length == 0 {
            self.now = self.tenants.values().map(|tenant| tenant.clock).max().unwrap_or(self.now);
        }
        let now = if self.tenants.len() > IDLE_TENANTS_MAX { u64::MAX } else { self.now };
        self.tenants.retain(|_, tenant| !tenant.entries.is_empty() || tenant.clock > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> FairQueue<&'static str> {
        FairQueue::new(Bounds { total_max: 8, per_tenant_max: 6 })
    }

    fn push(queue: &FairQueue<&'static str>, tenant: &str, entries: &[(u64, &'static str)]) -> Result<(), Refused> {
        queue.push(&Arc::from(tenant), &mut entries.to_vec(), |_| true)
    }

    fn order(queue: &FairQueue<&'static str>) -> String {
        std::iter::from_fn(|| match queue.next(Some(Duration::ZERO)) {
            Next::Entry(entry) => Some(entry),
            Next::Idle | Next::Closed => None,
        })
        .collect()
    }

    #[test]
    fn tenants_take_turns_however_much_one_sends() {
        let queue = queue();
        push(&queue, "flood", &[(1, "a"), (1, "b"), (1, "c"), (1, "d")]).unwrap();
        push(&queue, "small", &[(1, "X"), (1, "Y")]).unwrap();
        assert_eq!(order(&queue), "aXbYcd");
    }

    #[test]
    fn turns_follow_weight_not_count() {
        let queue = queue();
        push(&queue, "long", &[(4, "L"), (4, "M")]).unwrap();
        push(&queue, "short", &[(1, "a"), (1, "b"), (1, "c"), (1, "d"), (1, "e")]).unwrap();
        assert_eq!(order(&queue), "LabcdMe");
    }

    #[test]
    fn idleness_is_no_credit() {
        let queue = queue();
        push(&queue, "busy", &[(1, "a"), (1, "b"), (1, "c"), (1, "d"), (1, "e")]).unwrap();
        for _ in 0..4 {
            queue.next(None);
        }
        push(&queue, "busy", &[(1, "f")]).unwrap();
        push(&queue, "late", &[(1, "X"), (1, "Y"), (1, "Z")]).unwrap();
        assert_eq!(order(&queue), "XeYfZ");
    }

    #[test]
    fn a_quiet_queue_remembers_nobody() {
        let queue = queue();
        for tenant in ["a", "b", "c"] {
            push(&queue, tenant, &[(5, "x")]).unwrap();
            queue.next(None);
        }
        assert!(queue.lock().tenants.is_empty());
    }

    #[test]
    fn both_bounds_hold_and_a_call_goes_in_whole_or_not_at_all() {
        let queue = queue();
        assert_eq!(push(&queue, "a", &[(1, "x"); 7]), Err(Refused::Full(0)));
        push(&queue, "a", &[(1, "x"); 6]).unwrap();
        assert_eq!(push(&queue, "a", &[(1, "x")]), Err(Refused::Full(6)));
        assert_eq!(push(&queue, "b", &[(1, "x"); 3]), Err(Refused::Full(6)));
        push(&queue, "b", &[(1, "x"); 2]).unwrap();
        assert_eq!(queue.len(), 8);
    }

    #[test]
    fn the_dead_make_room() {
        let queue = queue();
        push(&queue, "a", &[(1, "dead"); 6]).unwrap();
        queue.push(&Arc::from("a"), &mut vec![(1, "new"); 6], |entry| *entry != "dead").unwrap();
        assert_eq!(queue.len(), 6);
    }

    #[test]
    fn a_closed_queue_hands_back_what_waits_and_takes_nothing_in() {
        let queue = queue();
        push(&queue, "a", &[(1, "x"), (1, "y")]).unwrap();
        assert_eq!(queue.close(), ["x", "y"]);
        assert_eq!((push(&queue, "a", &[(1, "z")]), queue.next(None)), (Err(Refused::Closed), Next::Closed));
    }
}
