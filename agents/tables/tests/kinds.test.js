/** Kinds of columns. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../src/kinds.js";

function kinds(cells, typed = false) {
  const { kind, values, empty } = kindOf(cells, typed);
  return [kind, values, empty];
}

test("a column is what all of its values are", () => {
  assert.deepEqual(kinds(["", "", ""]), ["empty", [null, null, null], 3]);
  assert.deepEqual(kinds(["yes", "No", ""]), ["boolean", [true, false, null], 1]);
  assert.deepEqual(kinds(["1", "-20", "+3"]), ["integer", [1, -20, 3], 0]);
  assert.deepEqual(kinds(["1", "2.5", "1e3"]), ["number", [1, 2.5, 1000], 0]);
  assert.deepEqual(kinds(["1,234.50", "12"]), ["number", [1234.5, 12], 0]);
  assert.deepEqual(kinds(["1.234,50", "12", "0,5"]), ["number", [1234.5, 12, 0.5], 0]);
  assert.deepEqual(kinds(["2024-02-29", "2023-01-31T10:00Z"]), ["date", ["2024-02-29", "2023-01-31T10:00Z"], 0]);
  assert.deepEqual(kinds(["1.2.2024", "29.02.2024"]), ["date", ["2024-02-01", "2024-02-29"], 0]);
  assert.deepEqual(kinds(["1", "one"]), ["text", ["1", "one"], 0]);
});

test("codes, days that do not exist and numbers too long for a double stay text", () => {
  for (const cell of ["007", "2023-02-29", "32.1.2024", "9007199254740993", "1e999", "1.2.3", "12/31/2024"]) {
    assert.deepEqual(kinds([cell]), ["text", [cell], 0], cell);
  }
});

test("what JSON says is a text stays one", () => {
  assert.deepEqual(kinds(["1", "2"], true), ["text", ["1", "2"], 0]);
  assert.deepEqual(kinds([1, null, 2.5], true), ["number", [1, null, 2.5], 1]);
  assert.deepEqual(kinds(["2024-01-01", null], true), ["date", ["2024-01-01", null], 1]);
});
