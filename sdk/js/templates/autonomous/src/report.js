/** The work itself. It knows no host and no market, so that it can be tested as plain JavaScript. */

import { Fault } from "../vendor/hansa-sdk/fault.js";

export const THEMES = ["the price of bread", "the price of wheat"];

/** Cosine of the two vectors of the themes, which lie one after the other in `data`; 0 where one has no direction. */
export function likeness(data, dims) {
  // What was bought is a stranger's word: check that it fits before using it.
  if (dims < 1 || data.length !== dims * THEMES.length) throw Fault.failed("the vectors bought do not fit the themes");
  const [one, other] = [data.slice(0, dims), data.slice(dims)];
  const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);
  const lengths = Math.sqrt(dot(one, one) * dot(other, other));
  return lengths === 0 ? 0 : dot(one, other) / lengths;
}

/** The report. */
export function sentence(likeness) {
  return `${THEMES[0]} and ${THEMES[1]} are ${(likeness * 100).toFixed(0)} % alike`;
}
