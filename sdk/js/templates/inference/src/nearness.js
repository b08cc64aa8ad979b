/** The work itself. It knows no host and no model, so that it can be tested as plain JavaScript. */

import { Fault } from "../vendor/hansa-sdk/fault.js";

export const TEXTS_MAX = 100;

/** Throws `invalid-input` that names the limit broken: say what was wrong, and what to send instead. */
export function check(texts) {
  if (texts.length === 0) throw Fault.invalidInput("`texts` is empty; send at least one text to search in");
  if (texts.length > TEXTS_MAX) throw Fault.invalidInput(`\`texts\` has \`${texts.length}\` texts; send at most ${TEXTS_MAX}`);
}

/** The vector that is nearest to the first one, and its cosine; `data` holds the question's vector and then `count` others. */
export function nearest(data, dims, count) {
  if (dims < 1 || data.length !== dims * (count + 1)) throw Fault.failed("the model gave vectors that do not fit the texts; ask again");
  const row = (at) => data.slice(at * dims, (at + 1) * dims);
  const question = row(0);
  let best = { index: 0, likeness: -Infinity };
  for (let index = 0; index < count; index++) {
    const likeness = cosine(question, row(index + 1));
    if (likeness > best.likeness) best = { index, likeness };
  }
  return best;
}

/** 1 for the same direction, -1 for the opposite one, 0 where one of the two has none. */
export function cosine(one, other) {
  const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);
  const lengths = Math.sqrt(dot(one, one) * dot(other, other));
  return lengths === 0 ? 0 : dot(one, other) / lengths;
}
