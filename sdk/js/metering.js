/** What the agent counts for its customer, where a price in `agent.toml` has `per.item`. The world needs `import hansa:agent/metering@0.1.0;`. */

import * as metering from "hansa:agent/metering@0.1.0";

/**
 * Add `items` to what the call being served is charged for; the buyer sees the sum on its receipt. A call that ends in a fault costs
 * nothing whatever it counted, and outside of a traded call nothing is counted.
 *
 *     count(pages.length);
 *
 * @param {number} items a whole number
 */
export function count(items) {
  metering.count(items);
}
