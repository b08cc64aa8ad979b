/** A table in Markdown. */

import { PADDED_MAX } from "./limits.js";

/**
 * @param {{ name: string, kind: string }[]} columns
 * @param {(string | number | boolean | null)[][]} rows
 */
export function markdown(columns, rows) {
  const right = columns.map(({ kind }) => kind === "integer" || kind === "number");
  const body = rows.map((row) => row.map(shown));
  const head = columns.map(({ name }) => shown(name));
  const widths = head.map((name, at) => {
    const widest = body.reduce((most, row) => Math.max(most, Math.min(row[at].length, PADDED_MAX)), name.length);
    return Math.max(3, Math.min(widest, PADDED_MAX));
  });
  const line = (cells) => `| ${cells.map((cell, at) => (right[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join(" | ")} |\n`;
  const rule = widths.map((width, at) => (right[at] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return line(head) + line(rule) + body.map(line).join("");
}

/** A cell's text: nothing in it may end the cell or the row. */
function shown(value) {
  if (value === null) return "";
  return String(value).replace(/[\\|]/g, "\\$&").replace(/\r\n|\n|\r/g, "<br>");
}
