//! Whose turn it is: a clock for each tenant that runs by the tokens read and generated for it, as in fair queueing by
//! virtual tokens (Sheng et al. 2024). The tenant whose clock shows least is next; who comes back starts at the present, so
//! that idleness is no credit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::limits::IDLE_TENANTS_MAX;

/// What a token of a prompt runs a clock by, in hundredths, so that priorities can weigh it.
pub(crate) const READ: u64 = 100;
/// What a generated token runs a clock by: a step reads all weights for it.
pub(crate) const GENERATED: u64 = 200;

/// The tenants' clocks.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    clocks: BTreeMap<Arc<str>, u64>,
    /// The least clock of those who have work.
    now: u64,
}

impl Turns {
    /// A tenant brings work while it has none.
    pub(crate) fn arrive(&mut self, tenant: &Arc<str>) {
        let now = self.now;
        let clock = self.clocks.entry(Arc::clone(tenant)).or_insert(now);
        *clock = now.max(*clock);
    }

    pub(crate) fn clock(&self, tenant: &Arc<str>) -> u64 {
        self.clocks.get(tenant).copied().unwrap_or(self.now)
    }

    pub(crate) fn run(&mut self, tenant: &Arc<str>, weight: u64) {
        let now = self.now;
        let clock = self.clocks.entry(Arc::clone(tenant)).or_insert(now);
        *clock = clock.saturating_add(weight);
    }

    /// Moves the present to the least clock of those who have work, and forgets who would not gain by it.
    pub(crate) fn settle<'a>(&mut self, busy: impl Iterator<Item = &'a Arc<str>>) {
        let busy: BTreeSet<&Arc<str>> = busy.collect();
        let least = busy.iter().map(|tenant| self.clock(tenant)).min();
        let least = least.or_else(|| self.clocks.values().copied().max());
        self.now = self.now.max(least.unwrap_or(0));
        let now = if self.clocks.len() > IDLE_TENANTS_MAX { u64::MAX } else { self.now };
        self.clocks.retain(|tenant, clock| busy.contains(tenant) || *clock > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idleness_is_no_credit_and_work_is_remembered() {
        let (a, b): (Arc<str>, Arc<str>) = (Arc::from("a"), Arc::from("b"));
        let mut turns = Turns::default();
        turns.arrive(&a);
        turns.run(&a, 100);
        turns.settle([&a].into_iter());
        turns.arrive(&b);
        assert_eq!((turns.clock(&a), turns.clock(&b)), (100, 100));
        turns.run(&b, 50);
        turns.settle([&a].into_iter());
        turns.arrive(&b);
        assert_eq!(turns.clock(&b), 150);
        turns.settle(std::iter::empty());
        turns.settle(std::iter::empty());
        assert!(turns.clocks.is_empty());
    }
}
