//! Instances that serve one call after another, where the agent's author chose that: an interpreter with its libraries takes
//! milliseconds to be made and taken down, which a call need not wait for.
//!
//! An instance never serves two calls at once. It is dropped after a trap, a deadline or a limit, and when it has served its number of
//! calls, its time is over, or half of its memory is used. All agents of a host together keep a bounded number of idle ones, of which the oldest goes first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Instant,
};

use wasmtime::{Store, component::Instance};

use crate::{grants::Reuse, state::State};

/// What a call runs in.
pub(crate) struct Place {
    pub(crate) store: Store<State>,
    /// None: still to be made.
    pub(crate) instance: Option<Instance>,
    pub(crate) calls: u32,
    pub(crate) since: Instant,
}

/// Idle instances of one agent, the one that served last at the end.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<Place>>);

/// Whose instances are idle on a host: once for each, oldest first.
pub(crate) struct Idle {
    by_age: Mutex<VecDeque<Weak<Kept>>>,
    most: usize,
}

impl Place {
    pub(crate) fn new(store: Store<State>) -> Place {
        Place { store, instance: None, calls: 0, since: Instant::now() }
    }

    /// One that has used up half of its memory would fail a later call for what earlier ones left there.
    fn may_serve(&self, reuse: Reuse) -> bool {
        let memory = &self.store.data().memory;
        self.calls < reuse.calls_max && self.since.elapsed() < reuse.age_max && memory.left() >= memory.bytes_max / 2
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Vec<Place>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Idle {
    pub(crate) fn new(most: usize) -> Idle {
        Idle { by_age: Mutex::default(), most }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Weak<Kept>>> {
        self.by_age.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The instance of `kept` that served last, if it may serve again.
    pub(crate) fn take(&self, kept: &Arc<Kept>, reuse: Reuse) -> Option<Place> {
        loop {
            let place = kept.lock().pop()?;
            let mut by_age = self.lock();
            if let Some(at) = by_age.iter().rposition(|other| std::ptr::eq(other.as_ptr(), Arc::as_ptr(kept))) {
                by_age.remove(at);
            }
            if place.may_serve(reuse) {
                return Some(place);
            }
        }
    }

    /// A call has ended well: keep what it ran in, if that may serve again.
    pub(crate) fn keep(&self, kept: &Arc<Kept>, reuse: Reuse, place: Place) {
        if self.most == 0 || !place.may_serve(reuse) {
            return;
        }
        kept.lock().push(place);
        let mut by_age = self.lock();
        by_age.push_back(Arc::downgrade(kept));
        let oldest = if by_age.len() > self.most { by_age.pop_front() } else { None };
        drop(by_age);
        oldest.and_then(|kept| give_up(&kept));
    }

    /// All instances of `kept` go.
    pub(crate) fn forget(&self, kept: &Arc<Kept>) {
        kept.lock().clear();
        self.lock().retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(kept)));
    }

    /// The pool is full: calls go before. Returns whether there was anything to give up.
    pub(crate) fn clear(&self) -> bool {
        let by_age = std::mem::take(&mut *self.lock());
        by_age.iter().filter_map(give_up).count() > 0
    }
}

/// The oldest of `kept` goes.
fn give_up(kept: &Weak<Kept>) -> Option<()> {
    let kept = kept.upgrade()?;
    let mut places = kept.lock();
    if places.is_empty() {
        return None;
    }
    let place = places.remove(0);
    drop(places);
    drop(place);
    Some(())
}
