/** The work itself. It knows no host, so that it can be tested as plain JavaScript. */

import { Fault } from "../vendor/hansa-sdk/fault.js";

/** A run of letters and digits of every script, with the marks that some letters bear. */
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;

/** The words of `title` in lower case, joined by dashes: as many as fit into `lengthMax` characters. */
export function slug(title, lengthMax) {
  const chosen = [];
  let length = 0;
  // One word after the other: of a long title only what fits is read.
  for (const [found] of title.matchAll(WORD)) {
    const word = found.toLowerCase();
    // The length of a text in JavaScript counts some characters twice; its iterator does not.
    length += [...word].length + (chosen.length > 0 ? 1 : 0);
    if (length > lengthMax) break;
    chosen.push(word);
  }
  // Say what was wrong and what to send instead. A fault costs the buyer nothing.
  if (length === 0) throw Fault.invalidInput("`title` has no letter or digit; send a title such as `Hello`");
  if (chosen.length === 0) {
    throw Fault.invalidInput(`\`length-max\` is \`${lengthMax}\`, the first word of \`title\` has \`${length}\` characters; allow as many`);
  }
  return chosen.join("-");
}
