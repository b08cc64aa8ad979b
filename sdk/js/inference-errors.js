/** Errors of `hansa:inference` as faults. */

import { Fault } from "./fault.js";

/**
 * For each error of `hansa:inference` the kind of fault that says the same, and its words.
 * @type {Record<string, [import("./fault.js").Kind, (val: any) => string]>}
 */
const KINDS = {
  "not-found": ["failed", (val) => `the node has no such model: ${val}`],
  "not-permitted": ["refused", (val) => `inference is not permitted: ${val}`],
  "bad-input": ["invalid-input", (val) => `the model cannot read this: ${val}`],
  shape: ["failed", (val) => `the model does not take the shape of \`${val.port}\``],
  "too-large": ["invalid-input", (val) => `larger than the model's limit of \`${val}\``],
  "non-finite": ["failed", (val) => `the model answered with infinities or NaN in \`${val}\``],
  budget: ["over-budget", (val) => `the inference would cost \`${val}\`, more than the limit given for it`],
  overloaded: ["unavailable", (val) => `the node's inference is full; retry after ${val} ms`],
  deadline: ["deadline", () => "the inference was not done before the deadline"],
  cancelled: ["failed", () => "the inference was cancelled"],
  "no-provider": ["failed", (val) => `the node has no device that the model requires: ${val}`],
  "out-of-memory": ["unavailable", () => "the node is out of memory for inference; retry later"],
  backend: ["failed", (val) => `the node's inference broke: ${val}`],
};

/**
 * The fault that says to a customer what an error of `hansa:inference` says to the agent; nothing where it is no such error.
 * @param {unknown} payload
 * @returns {Fault | undefined}
 */
export function faultOfInferencePayload(payload) {
  const { tag, val } = Object(payload);
  if (!Object.hasOwn(KINDS, String(tag))) return undefined;
  const [kind, words] = KINDS[tag];
  return new Fault(kind, words(val));
}
