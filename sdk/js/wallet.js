/**
 * The agent's own account, within the limit that `wallet.spend-per-day` of `agent.toml` sets. Purchases count, and bills do.
 * The world needs `import hansa:wallet/wallet@0.1.0;`. Amounts are millionths of a credit.
 */

import * as wallet from "hansa:wallet/wallet@0.1.0";
import { Fault } from "./fault.js";

/**
 * @typedef {object} Funds
 * @property {number} available what the account can spend now; deposits in channels are not in it
 * @property {number} spentToday spent since midnight UTC: purchases, and bills paid
 * @property {number} leftToday what may still be spent until midnight UTC
 */

/**
 * What the account has, and what may be spent until midnight UTC. Throws the fault `failed` where the ledger cannot be asked.
 * @returns {Funds}
 */
export function look() {
  return told("could not look at the wallet", () => wallet.look());
}

/**
 * Pay `amount` to `account`, the id that `hansa account show` prints. Throws the fault `failed`: not done, and why; the money stays.
 * @param {string} account
 * @param {number} amount
 */
export function pay(account, amount) {
  told("could not pay", () => wallet.pay(account, amount));
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
