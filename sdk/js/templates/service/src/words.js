/** The work itself. It knows no host, so that it can be tested as plain JavaScript. */

import { Fault } from "../vendor/hansa-sdk/fault.js";
import { encode } from "../vendor/hansa-sdk/utf8.js";

export const TEXT_BYTES_MAX = 64 * 1024;
export const TOP_MAX = 1000;

/** Throws `invalid-input` that names the limit broken: say what was wrong, and what to send instead. */
export function check(text, top) {
  const { length } = encode(text);
  if (length > TEXT_BYTES_MAX) throw Fault.invalidInput(`\`text\` has \`${length}\` bytes; send at most ${TEXT_BYTES_MAX}`);
  if (top < 1 || top > TOP_MAX) throw Fault.invalidInput(`\`top\` is \`${top}\`; ask for 1 to ${TOP_MAX} words`);
}

/** The most frequent words in lower case, each with how often it stands in `text`. */
export function counted(text, top) {
  const counts = new Map();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}_]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((first, second) => second[1] - first[1]).slice(0, top);
}
