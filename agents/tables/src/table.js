/** Text of a known format to the table that is sold. */

import { Fault } from "../../../sdk/js/fault.js";
import { delimiterOf, rowsOf } from "./delimited.js";
import { kindOf } from "./kinds.js";
import { ANSWER_CHARACTERS_MAX } from "./limits.js";
import { markdown } from "./markdown.js";
import { recordsOf } from "./records.js";
import { Remarks } from "./remarks.js";

/**
 * @param {string} text
 * @param {import("./format.js").Format} format
 * @param {Remarks} remarks
 */
export function tableOf(text, format, remarks) {
  const { names, rows } = format === "json" ? recordsOf(text) : delimitedRecords(text, format === "tsv" ? "\t" : delimiterOf(text), remarks);
  const columns = names.map((_, at) => kindOf(rows.map((row) => row[at]), format === "json"));
  const described = unique(names, remarks).map((name, at) => ({ name, kind: columns[at].kind, empty: columns[at].empty }));
  const values = rows.map((_, row) => columns.map((column) => column.values[row]));
  const table = {
    format,
    columns: described,
    rows: rows.length,
    markdown: markdown(described, values),
    json: json(described, values),
    remarks: remarks.list(),
  };
  const characters = table.markdown.length + table.json.length;
  if (characters > ANSWER_CHARACTERS_MAX) throw Fault.invalidInput(`the table would take ${characters} characters; send it part by part`);
  return table;
}

function delimitedRecords(text, delimiter, remarks) {
  const rows = rowsOf(text, delimiter);
  if (rows.length === 0) throw Fault.invalidInput("there are no rows; send a line of names and at least one of values");
  const [first] = rows;
  const named = !first.some((name) => name !== "" && kindOf([name], false).kind !== "text");
  if (!named) remarks.add("the first row holds values, so the columns are numbered");
  const names = first.map((name, at) => (named && name !== "" ? name : `column ${at + 1}`));
  const body = (named ? rows.slice(1) : rows).map((row, at) => fitted(row, names.length, at + 1, remarks));
  return { names, rows: body };
}

/** A row with as many fields as there are columns. What is too much goes into the last one, so that nothing is lost. */
function fitted(row, width, number, remarks) {
  if (row.length === width) return row;
  remarks.add(`row ${number} has ${row.length} fields, not ${width}`);
  if (row.length < width) return [...row, ...Array(width - row.length).fill("")];
  return [...row.slice(0, width - 1), row.slice(width - 1).join(" ")];
}

function unique(names, remarks) {
  const taken = new Set();
  return names.map((name) => {
    let free = name;
    for (let count = 2; taken.has(free); count++) free = `${name} (${count})`;
    if (free !== name) remarks.add(`a second column \`${name}\` is called \`${free}\``);
    taken.add(free);
    return free;
  });
}

function json(columns, rows) {
  const lines = rows.map((row) => `{${columns.map(({ name }, at) => `${JSON.stringify(name)}: ${JSON.stringify(row[at])}`).join(", ")}}`);
  return lines.length === 0 ? "[]\n" : `[\n  ${lines.join(",\n  ")}\n]\n`;
}
