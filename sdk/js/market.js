/**
 * The market an agent buys from: narrow the terms, look at the offers. Buying itself is a call of the imported interface.
 * The world needs `import hansa:market/terms@0.1.0;` and `import hansa:market/offers@0.1.0;`.
 *
 * Amounts are millionths of a credit. A component's 64-bit integers are JavaScript numbers, exact up to 2 ** 53 (nine thousand million credits).
 */

import * as market from "hansa:market/offers@0.1.0";
import * as terms from "hansa:market/terms@0.1.0";
import { Fault } from "./fault.js";

/**
 * @typedef {object} Limits
 * @property {number} [maxPrice] the most that one call may cost
 * @property {number} [deadlineMs] the most time that one call may take
 * @property {"cheapest"|"fastest"} [prefer] the order in which offers are tried
 * @property {string[]} [sellers] only these agents' keys, `did:key:…`
 */

/**
 * @typedef {object} Offer
 * @property {string} seller the selling agent's key, `did:key:…`
 * @property {string} package its package, `publisher/name@version`
 * @property {string} node the node it runs on
 * @property {number} priceMax the most that one call of the function can cost
 * @property {number | null} latencyMs median of this buyer's own calls; none before the first
 */

/**
 * Narrow the terms for the purchases of `service` (for example `commons:embedding/embedder@0.1.0`) that follow in this call.
 * What is left out stays as `agent.toml` says. Throws the fault `failed` where `service` is no import of this component, or the
 * limits are wider than `agent.toml` allows.
 * @param {string} service
 * @param {Limits} limits
 */
export function narrow(service, { maxPrice, deadlineMs, prefer, sellers }) {
  const limits = { maxPrice: maxPrice ?? null, deadlineMs: deadlineMs ?? null, prefer: prefer ?? null, sellers: sellers ?? null };
  told(`could not narrow the terms for \`${service}\``, () => terms.narrow(service, limits));
}

/**
 * Offers that satisfy the present terms for `functionName` (as the contract writes it) of `service`, best first.
 * Throws the fault `failed` where `service` is no import of this component, or the market cannot be seen.
 * @param {string} service
 * @param {string} functionName
 * @returns {Offer[]}
 */
export function offers(service, functionName) {
  return told(`could not look at the offers for \`${service}\``, () => market.search(service, functionName));
}

/**
 * @template T
 * @param {string} what
 * @param {() => T} work
 * @returns {T}
 */
function told(what, work) {
  try {
    return work();
  } catch (error) {
    throw Fault.failed(`${what}: ${Object(error).payload ?? error}`);
  }
}
