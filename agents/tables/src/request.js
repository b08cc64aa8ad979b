/** What a customer may send. */

import { Fault } from "../../../sdk/js/fault.js";
import { decode } from "../../../sdk/js/utf8.js";
import { CONTENT_BYTES_MAX } from "./limits.js";

/** Refuses what is too much or nothing. */
export function check(/** @type {Uint8Array} */ content) {
  if (content.length === 0) throw Fault.invalidInput("`content` is empty; send records in CSV, TSV or JSON");
  if (content.length > CONTENT_BYTES_MAX) {
    throw Fault.invalidInput(`\`content\` has \`${content.length}\` bytes; send at most ${CONTENT_BYTES_MAX}, part by part if need be`);
  }
}

/** The text of the bytes. */
export function textOf(/** @type {Uint8Array} */ content) {
  const text = decode(content);
  if (text === undefined) throw Fault.invalidInput("`content` is not UTF-8 text; convert it before you send it");
  return text;
}
