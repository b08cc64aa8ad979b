/** Who the agent is and which call it serves. The world needs `import hansa:agent/context@0.1.0;`. */

import * as context from "hansa:agent/context@0.1.0";
import { Fault } from "./fault.js";

/**
 * @typedef {object} Identity
 * @property {string} agent the agent's key, `did:key:z6Mk…`
 * @property {string} name package name, `publisher/name`
 * @property {string} version package version (semantic version)
 * @property {string} node the node's key, `did:key:z6Mk…`
 */

/**
 * @typedef {object} Call
 * @property {Uint8Array} id 32 bytes that name this call; stable over retries
 * @property {string} buyer who pays for it, `did:key:…`; keep one customer's data from another by this
 * @property {number} deadlineMs milliseconds left until the deadline; 0 when it has passed
 */

/**
 * The agent's key, package and node.
 * @returns {Identity}
 */
export function whoami() {
  return context.whoami();
}

/**
 * The call being served. Throws the fault `failed` outside a call, that is in `lifecycle` functions.
 * @returns {Call}
 */
export function currentCall() {
  const call = context.currentCall();
  if (!call) throw Fault.failed("no call is being served; `currentCall` is for traded functions");
  return call;
}
