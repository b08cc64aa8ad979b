/** Which format bytes of unknown kind have. */

import { Fault, faultOf } from "../../../sdk/js/fault.js";
import { delimiterOf, evenness } from "./delimited.js";
import { TELLING_BYTES } from "./limits.js";

/** @typedef {"csv" | "tsv" | "json"} Format */

/**
 * What labels of `commons:files/identifier` mean here. Those of plain text say nothing either way.
 * @type {Map<string, Format>}
 */
const LABELS = new Map([["csv", "csv"], ["tsv", "tsv"], ["json", "json"], ["jsonl", "json"]]);

/**
 * The format as a supplier tells it; nothing where it cannot, or none can be bought: then the text itself must tell.
 * @param {Uint8Array} content
 * @param {(files: Uint8Array[]) => { label: string, isText: boolean }[]} identify the purchase
 * @param {import("./remarks.js").Remarks} remarks
 * @param {(message: string) => void} log
 * @returns {Format | undefined}
 */
export function formatBought(content, identify, remarks, log) {
  let kinds;
  try {
    kinds = identify([telling(content)]);
  } catch (error) {
    const fault = faultOf(error);
    if (!fault) throw error;
    // What is useful without it does not fail because a second opinion cannot be bought.
    log(`the format is told by looks alone: ${fault.message}`);
    remarks.add("the format was told by looks alone");
    return undefined;
  }
  if (kinds.length !== 1) throw Fault.failed(`the identifier bought names ${kinds.length} kinds for one file; ask again`);
  return formatOfKind(kinds[0]);
}

/** The first and last bytes, which tell what kind of file it is. */
function telling(content) {
  if (content.length <= 2 * TELLING_BYTES) return content;
  const part = new Uint8Array(2 * TELLING_BYTES);
  part.set(content.subarray(0, TELLING_BYTES));
  part.set(content.subarray(-TELLING_BYTES), TELLING_BYTES);
  return part;
}

/**
 * The format that a kind of file names; nothing for plain text, which must be looked at. Refuses what is no text.
 * @param {{ label: string, isText: boolean }} kind
 * @returns {Format | undefined}
 */
export function formatOfKind(kind) {
  const format = LABELS.get(kind.label);
  if (!format && !kind.isText) throw Fault.invalidInput(`the bytes are of kind \`${kind.label}\`; send CSV, TSV or JSON as UTF-8 text`);
  return format;
}

/**
 * The format that a text looks like. Refuses a text without records.
 * @param {string} text
 * @returns {Format}
 */
export function formatOfText(text) {
  const start = text.trimStart()[0];
  if ((start === "[" || start === "{") && isJson(text)) return "json";
  const tabs = evenness(text, "\t");
  const others = evenness(text, delimiterOf(text));
  if (Math.max(tabs, others) < 0.5) throw Fault.invalidInput("the text holds no records that can be told; say its format, or send CSV, TSV or JSON");
  return tabs >= others ? "tsv" : "csv";
}

/** Is all of it, or its first line, JSON? */
function isJson(text) {
  return [text, text.trim().split("\n", 1)[0]].some((part) => {
    try {
      JSON.parse(part);
      return true;
    } catch {
      return false;
    }
  });
}
