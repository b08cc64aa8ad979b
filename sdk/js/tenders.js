/**
 * Sellers bid for a call before it is bought. The world needs `import hansa:market/tenders@0.1.0;`.
 *
 *     const service = "commons:embedding/embedder@0.1.0";
 *     const [best] = tender(service, "embed", [["good day"]], 500);
 *     if (best.price !== null) vectors = embed(["good day"]); // from the best bidder, for at most `best.price`
 *
 * Amounts are millionths of a credit.
 */

import * as tenders from "hansa:market/tenders@0.1.0";
import { Fault } from "./fault.js";

/**
 * @typedef {object} Bid
 * @property {string} seller the selling agent's key, `did:key:…`
 * @property {string} package its package, `publisher/name@version`
 * @property {string} node the node it runs on
 * @property {number | null} price the most that the call costs there; null where the bid does not count
 * @property {string | null} out why it does not count; null where it does
 */

/**
 * Let all sellers that the present terms allow bid for `functionName` (as the contract writes it) of `service` with these arguments, and wait
 * so long (50 to 10,000 ms) for bids that nobody can read before. Bids that count come first, best first; calling the import with the same
 * arguments then buys by these bids, from the best on, for half a minute. That nobody bids is no error. Throws the fault `failed` where
 * `service` is no import of this component, nobody sells it, or the arguments do not fit.
 * @param {string} service
 * @param {string} functionName
 * @param {unknown[] | Record<string, unknown>} args in the published mapping of WIT values to JSON (bytes are base64, 64-bit integers decimal strings)
 * @param {number} [waitMs]
 * @returns {Bid[]}
 */
export function tender(service, functionName, args, waitMs = 1000) {
  try {
    return tenders.open(service, functionName, JSON.stringify(args), waitMs);
  } catch (error) {
    throw Fault.failed(`could not put \`${functionName}\` of \`${service}\` out to tender: ${Object(error).payload ?? error}`);
  }
}
