//! What the agent counts for its customer, where a price in `agent.toml` has `per.item`.

use crate::bindings::hansa::agent::metering;

/// Add `items` to what the call being served is charged for; the buyer sees the sum on its receipt. A call that ends in a fault costs
/// nothing whatever it counted, and outside of a traded call nothing is counted.
///
/// ```no_run
/// # let pages = ["one", "two"];
/// hansa_sdk::metering::count(pages.len() as u64);
/// ```
pub fn count(items: u64) {
    metering::count(items);
}
