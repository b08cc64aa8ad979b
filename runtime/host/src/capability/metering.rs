//! `hansa:agent/metering`: what the guest counts for its customer.

use std::sync::atomic::Ordering::Relaxed;

use super::bindings::hansa::agent::metering::Host;
use crate::state::State;

impl Host for State {
    async fn count(&mut self, items: u64) {
        if self.capabilities.call.is_none() {
            return;
        }
        let sum = self.items.load(Relaxed).saturating_add(items);
        self.items.store(sum, Relaxed);
    }
}
