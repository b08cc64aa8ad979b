//! Batches: events one after the other, each at its own time; those chained by their flag `linked` all or nothing.

use super::expiry;
use super::state::State;

/// An event of a batch.
pub(super) trait Event {
    /// What its attempt came to.
    type Result;

    /// Does it stand or fall with the next event?
    fn is_linked(&self) -> bool;

    /// Attempt it alone. One that fails must not have written anything.
    fn attempt(&self, state: &mut State, now_ns: u64) -> Self::Result;

    /// Was it done by this very attempt? Anything else breaks its chain.
    fn is_created(result: &Self::Result) -> bool;

    /// The result of an event whose chain failed.
    fn chain_failed(&self, now_ns: u64) -> Self::Result;

    /// The result of a linked event that the batch ends with.
    fn chain_open(&self, now_ns: u64) -> Self::Result;

    /// Keep what must outlast the event and its chain.
    fn remember(&self, _state: &mut State, _result: &Self::Result) {}
}

/// A chain that is being worked on.
struct Chain {
    first: usize,
    broken: bool,
}

/// Do the events in order. Log time goes on by one step for each.
pub(super) fn run<E: Event>(state: &mut State, events: &[E]) -> Vec<E::Result> {
    let mut results: Vec<E::Result> = Vec::with_capacity(events.len());
    let mut chain: Option<Chain> = None;
    for (index, event) in events.iter().enumerate() {
        let now_ns = state.tick();
        if event.is_linked() && chain.is_none() {
            state.open_scope();
            chain = Some(Chain { first: index, broken: false });
        }
        expiry::release_until(state, now_ns);
        let open_end = event.is_linked() && index + 1 == events.len();
        let result = match &chain {
            _ if open_end => event.chain_open(now_ns),
            Some(Chain { broken: true, .. }) => event.chain_failed(now_ns),
            _ => event.attempt(state, now_ns),
        };
        if let Some(chain) = chain.as_mut().filter(|chain| !chain.broken && !E::is_created(&result)) {
            chain.broken = true;
            state.discard_scope();
            // The holds whose time has come were taken back too; the next event may be long in coming.
            expiry::release_until(state, now_ns);
            fail_from(chain.first, events, &mut results, now_ns);
        }
        event.remember(state, &result);
        results.push(result);
        if open_end || !event.is_linked() {
            state.keep_scope();
            chain = None;
        }
    }
    results
}

/// The events of a chain that had been done before it broke.
fn fail_from<E: Event>(first: usize, events: &[E], results: &mut [E::Result], now_ns: u64) {
    let count = results.len();
    for index in first..count {
        let steps_ago = u64::try_from(count - index).expect("a batch has fewer than 2^64 events");
        results[index] = events[index].chain_failed(now_ns - steps_ago);
    }
}
