/** CSV and TSV to rows of texts, as RFC 4180 has it and as spreadsheets write it. */

import { Fault } from "../../../sdk/js/fault.js";
import { COLUMNS_MAX, ROWS_MAX, SAMPLE_LINES } from "./limits.js";

/** What may stand between the fields of a CSV, the likeliest first. */
const DELIMITERS = [",", ";", "|"];

/**
 * The rows of a text, without those that are empty. A field in quotes may hold delimiters, line breaks and doubled quotes.
 * @param {string} text
 * @param {string} delimiter one character
 * @returns {string[][]}
 */
export function rowsOf(text, delimiter) {
  const rows = [];
  let row = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const field = text[at] === '"' ? quoted(text, at, delimiter, line) : plain(text, at, delimiter);
    row.push(field.text);
    line += field.breaks;
    at = field.end;
    if (text[at] === delimiter) {
      at += 1;
      // A delimiter at the very end opens one more field, which is empty.
      if (at < text.length && text[at] !== "\n" && text[at] !== "\r") continue;
      row.push("");
    }
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    line += 1;
    keep(rows, row);
    row = [];
  }
  return rows;
}

function keep(rows, row) {
  if (row.length === 1 && row[0].trim() === "") return;
  if (row.length > COLUMNS_MAX) throw Fault.invalidInput(`row ${rows.length + 1} has ${row.length} fields; send at most ${COLUMNS_MAX}`);
  if (rows.push(row) > ROWS_MAX + 1) throw Fault.invalidInput(`there are more than ${ROWS_MAX} rows; send them part by part`);
}

function plain(text, start, delimiter) {
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { text: text.slice(start, end).trim(), end, breaks: 0 };
}

function quoted(text, start, delimiter, line) {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw Fault.invalidInput(`the quote that opens in line ${line} is not closed; close it, or double quotes within a field`);
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at += 1;
  }
  const rest = plain(text, at, delimiter);
  return { text: value + rest.text, end: rest.end, breaks: value.split("\n").length - 1 };
}

/**
 * What stands between the fields: what divides the first lines most evenly.
 * @param {string} text
 * @returns {string}
 */
export function delimiterOf(text) {
  const scores = DELIMITERS.map((delimiter) => evenness(text, delimiter));
  return DELIMITERS[scores.indexOf(Math.max(...scores))];
}

/**
 * How evenly a delimiter divides the first lines: 0 where it divides nothing, more the more lines agree.
 * @param {string} text
 * @param {string} delimiter
 */
export function evenness(text, delimiter) {
  const counts = sampled(text).map((line) => fields(line, delimiter));
  const usual = counts.filter((count) => count === counts[0]).length;
  return counts.length === 0 || counts[0] < 2 ? 0 : usual / counts.length + counts[0] / 1000;
}

function sampled(text) {
  return text.split(/\r\n|\n|\r/, SAMPLE_LINES).filter((line) => line.trim() !== "");
}

function fields(line, delimiter) {
  let count = 1;
  let open = false;
  for (const character of line) {
    if (character === '"') open = !open;
    else if (character === delimiter && !open) count += 1;
  }
  return count;
}
