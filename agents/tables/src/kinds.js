/** What all values of a column are, and the values as what they are. */

/** @typedef {import("./records.js").Cell} Cell */

const BOOLEANS = new Map([["true", true], ["false", false], ["yes", true], ["no", false]]);
/** A number that begins with a needless zero is a code: `007`, a postcode. */
const INTEGER = /^[+-]?(?:0|[1-9]\d*)$/;
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NUMBER_GROUPED = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/;
const NUMBER_COMMA = /^[+-]?(?:(?:0|[1-9]\d*)|[1-9]\d{0,2}(?:\.\d{3})+),\d+$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;
const DATE_POINTS = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/;

/**
 * The kinds from the narrowest on, each with how a value of it is read; nothing where it is none.
 * @type {[string, (cell: any) => Cell | undefined][]}
 */
const READERS = [
  ["boolean", (cell) => (typeof cell === "boolean" ? cell : typeof cell === "string" ? BOOLEANS.get(cell.toLowerCase()) : undefined)],
  ["integer", (cell) => (typeof cell === "number" ? whole(cell) : INTEGER.test(cell) ? whole(Number(cell)) : undefined)],
  ["number", (cell) => (typeof cell === "number" ? cell : NUMBER.test(cell) ? decimal(cell) : undefined)],
  ["number", (cell) => (NUMBER_GROUPED.test(cell) ? Number(cell.replaceAll(",", "")) : NUMBER.test(cell) ? decimal(cell) : undefined)],
  ["number", (cell) => (NUMBER_COMMA.test(cell) ? commaNumber(cell) : INTEGER.test(cell) ? whole(Number(cell)) : undefined)],
  ["date", (cell) => (typeof cell === "string" ? date(cell) : undefined)],
];

/**
 * @param {Cell[]} cells
 * @param {boolean} typed do texts stay texts (unless they are dates), because the format knows numbers?
 * @returns {{ kind: string, values: Cell[], empty: number }}
 */
export function kindOf(cells, typed) {
  const full = cells.filter((cell) => !isEmpty(cell));
  const empty = cells.length - full.length;
  if (full.length === 0) return { kind: "empty", values: cells.map(() => null), empty };
  const texts = typed && full.some((cell) => typeof cell === "string");
  for (const [kind, read] of READERS) {
    if ((texts && kind !== "date") || !full.every((cell) => read(cell) !== undefined)) continue;
    return { kind, values: cells.map((cell) => (isEmpty(cell) ? null : read(cell) ?? null)), empty };
  }
  return { kind: "text", values: cells.map((cell) => (isEmpty(cell) ? null : String(cell))), empty };
}

function isEmpty(cell) {
  return cell === null || cell === undefined || cell === "";
}

/** Beyond 2 ** 53 digits would be lost, so such a column stays text. */
function whole(number) {
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A number as text writes it, unless it has more digits before the point than a double keeps. */
function decimal(text) {
  const number = Number(text);
  return Number.isFinite(number) && !(INTEGER.test(text) && !Number.isSafeInteger(number)) ? number : undefined;
}

function commaNumber(text) {
  return Number(text.replaceAll(".", "").replace(",", "."));
}

/** The date as ISO 8601 writes it; nothing where there is no such day. */
function date(text) {
  const iso = DATE.exec(text);
  if (iso) return isDay(Number(iso[1]), Number(iso[2]), Number(iso[3])) ? text : undefined;
  const points = DATE_POINTS.exec(text);
  if (!points) return undefined;
  const [day, month, year] = points.slice(1).map(Number);
  return isDay(year, month, day) ? `${points[3]}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}` : undefined;
}

function isDay(year, month, day) {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}
