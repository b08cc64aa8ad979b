/** JSON to rows of values: a list of objects or of lists, an object of lists, or one value a line. */

import { Fault } from "../../../sdk/js/fault.js";
import { COLUMNS_MAX, ROWS_MAX } from "./limits.js";

/** @typedef {string | number | boolean | null} Cell */
/** @typedef {{ names: string[], rows: Cell[][] }} Records */

const WANTED = "send a list of objects or of lists, an object of lists, or one object a line";

/**
 * @param {string} text
 * @returns {Records}
 */
export function recordsOf(text) {
  const value = parsed(text);
  if (Array.isArray(value)) return listed(value);
  if (isObject(value)) {
    const columns = Object.entries(value);
    return columns.length > 0 && columns.every(([, cells]) => Array.isArray(cells)) ? turned(columns) : listed([value]);
  }
  throw Fault.invalidInput(`the JSON holds no records but one \`${typeof value}\`; ${WANTED}`);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (/** @type {any} */ error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length < 2) throw Fault.invalidInput(`this is not JSON: ${error.message}`);
    return lines.map((line, index) => parsedLine(line, index, error));
  }
}

function parsedLine(line, index, whole) {
  try {
    return JSON.parse(line);
  } catch (/** @type {any} */ error) {
    const cause = index === 0 ? whole.message : `record ${index + 1}, alone on its line: ${error.message}`;
    throw Fault.invalidInput(`this is not JSON: ${cause}`);
  }
}

function listed(list) {
  if (list.length === 0) throw Fault.invalidInput("the list of records is empty; send at least one");
  if (list.length > ROWS_MAX) throw Fault.invalidInput(`there are more than ${ROWS_MAX} rows; send them part by part`);
  if (list.every(isObject)) return ofObjects(list);
  if (list.every(Array.isArray)) return ofLists(list);
  throw Fault.invalidInput(`the records are neither all objects nor all lists; ${WANTED}`);
}

function ofObjects(list) {
  const names = checked([...new Set(list.flatMap(Object.keys))]);
  return { names, rows: list.map((record) => names.map((name) => cell(Object.hasOwn(record, name) ? record[name] : null))) };
}

/** The first list names the columns where it holds nothing but different texts. */
function ofLists(list) {
  const [first] = list;
  const named = list.length > 1 && first.every((name) => typeof name === "string") && new Set(first).size === first.length;
  const width = list.reduce((most, record) => Math.max(most, record.length), 0);
  const names = checked(Array.from({ length: width }, (_, at) => (named && first[at] ? first[at] : `column ${at + 1}`)));
  const rows = named ? list.slice(1) : list;
  return { names, rows: rows.map((record) => names.map((_, at) => cell(record[at] ?? null))) };
}

function turned(columns) {
  const names = checked(columns.map(([name]) => name));
  const count = columns.reduce((most, [, cells]) => Math.max(most, cells.length), 0);
  if (count > ROWS_MAX) throw Fault.invalidInput(`there are more than ${ROWS_MAX} rows; send them part by part`);
  const rows = Array.from({ length: count }, (_, at) => columns.map(([, cells]) => cell(cells[at] ?? null)));
  return { names, rows };
}

function checked(names) {
  if (names.length === 0) throw Fault.invalidInput(`the records have no fields; ${WANTED}`);
  if (names.length > COLUMNS_MAX) throw Fault.invalidInput(`there are ${names.length} columns; send at most ${COLUMNS_MAX}`);
  return names;
}

/** What is nested in a field stays JSON text. */
function cell(value) {
  return value !== null && typeof value === "object" ? JSON.stringify(value) : value;
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
