/**
 * Lines for the operator; `hansa agent logs NAME` shows them. The world needs `import hansa:agent/log@0.1.0;`.
 * There is no `console` in a component.
 */

import { log } from "hansa:agent/log@0.1.0";

/** What only a developer wants to know. */
export function debug(/** @type {string} */ message) {
  log("debug", message);
}

/** What happened. */
export function info(/** @type {string} */ message) {
  log("info", message);
}

/** What an operator should look at. */
export function warn(/** @type {string} */ message) {
  log("warn", message);
}

/** What went wrong. */
export function error(/** @type {string} */ message) {
  log("error", message);
}
