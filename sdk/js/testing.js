/**
 * Stand-ins for the host and for suppliers, so that unit tests under Node.js need neither. Not for components.
 *
 *     import { world } from "../vendor/hansa-sdk/testing.js";
 *
 *     const lines = [];
 *     world({ "hansa:agent/log@0.1.0": { log: (level, message) => lines.push([level, message]) } });
 *     const { converter } = await import("../src/component.js"); // after `world`, so not by a static import
 *
 * An error of a contract is thrown as an import throws it: `throw failure({ tag: "no-offer", val: "nobody sells it" })`.
 * Stand-ins know no prices, limits or deadlines: what those do is seen on a node.
 */

import { register } from "node:module";

/** Where modules made here find the stand-ins; the loader's hooks live in a thread of their own, the modules do not. */
const PLACE = "hansa-sdk/testing";

/** What the loader does: an interface becomes a module whose functions call the stand-in of the moment. */
const HOOKS = `
let interfaces = {};
export function initialize(data) { interfaces = data; }
export function resolve(specifier, context, next) {
  const names = interfaces[specifier];
  if (!names) return next(specifier, context);
  const found = "globalThis[Symbol.for('${PLACE}')]['" + specifier + "']";
  const source = names.map((name) => "export const " + name + " = (...given) => " + found + "." + name + "(...given);").join("");
  return { url: "data:text/javascript," + encodeURIComponent(source), shortCircuit: true };
}`;

/**
 * Let modules that are imported from now on find `bindings`: for each interface, with its version, its functions. Calling it again takes
 * others for functions that were there the first time.
 * @param {Record<string, Record<string, (...given: any[]) => unknown>>} bindings
 */
export function world(bindings) {
  Object.assign((globalThis[Symbol.for(PLACE)] ??= {}), bindings);
  const data = Object.fromEntries(Object.entries(bindings).map(([name, functions]) => [name, Object.keys(functions)]));
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data });
}

/** What an import throws for the error `payload` of its `result`. */
export function failure(/** @type {unknown} */ payload) {
  return Object.assign(new Error(`${payload} (see error.payload)`), { payload });
}
