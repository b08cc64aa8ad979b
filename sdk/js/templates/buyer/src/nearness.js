/** The work itself. It knows no host and no market, so that it can be tested as plain JavaScript. */

import { Fault } from "../vendor/hansa-sdk/fault.js";
import { encode } from "../vendor/hansa-sdk/utf8.js";

export const TEXTS_MAX = 100;
export const TEXT_BYTES_MAX = 4 * 1024;

/** Throws `invalid-input` that names the limit broken. */
export function check(query, texts) {
  if (texts.length < 1 || texts.length > TEXTS_MAX) throw Fault.invalidInput(`\`texts\` has \`${texts.length}\` texts; send 1 to ${TEXTS_MAX}`);
  const named = [["query", query], ...texts.map((text, at) => [`texts[${at}]`, text])];
  for (const [name, text] of named) {
    const { length } = encode(text);
    if (length > TEXT_BYTES_MAX) throw Fault.invalidInput(`\`${name}\` has \`${length}\` bytes; send at most ${TEXT_BYTES_MAX}`);
  }
}

/** Index of the vector that is nearest to the first one, and the cosine; `data` holds the query's vector and then `count` others. */
export function nearest(data, dims, count) {
  // What was bought is a stranger's word: check that it fits before using it.
  if (dims < 1 || data.length !== dims * (count + 1)) throw Fault.failed("the vectors bought do not fit the texts; ask again");
  let best = [0, -Infinity];
  for (let row = 1; row <= count; row++) {
    let cosine = 0;
    for (let at = 0; at < dims; at++) cosine += data[at] * data[row * dims + at];
    if (cosine > best[1]) best = [row - 1, cosine];
  }
  return best;
}
