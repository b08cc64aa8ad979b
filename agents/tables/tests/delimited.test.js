/** Rows of CSV and TSV. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { delimiterOf, rowsOf } from "../src/delimited.js";

test("fields end where RFC 4180 ends them", () => {
  const cases = [
    ["", []],
    ["a,b", [["a", "b"]]],
    ["a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]],
    ["a,\n,b", [["a", ""], ["", "b"]]],
    ['"a ""quoted"" one","x,y"\n', [['a "quoted" one', "x,y"]]],
    ['"two\nlines",2', [["two\nlines", "2"]]],
    ["\n\na\n \nb\n", [["a"], ["b"]]],
    ['"",x', [["", "x"]]],
  ];
  for (const [text, rows] of cases) assert.deepEqual(rowsOf(text, ","), rows, JSON.stringify(text));
});

test("an open quote is refused with its line", () => {
  assert.throws(() => rowsOf('a,b\n"1\n2",3\n"4,5\n6,7', ","), { kind: "invalid-input", message: /opens in line 4 is not closed/ });
});

test("too many columns and rows are refused", () => {
  assert.throws(() => rowsOf(",".repeat(200), ","), /row 1 has 201 fields; send at most 200/);
  assert.equal(rowsOf("a\n".repeat(20_001), ",").length, 20_001);
  assert.throws(() => rowsOf("a\n".repeat(20_002), ","), /more than 20000 rows/);
});

test("the delimiter is what divides the lines evenly", () => {
  assert.equal(delimiterOf("name;price\nbread;1,20\nmilk;0,99\n"), ";");
  assert.equal(delimiterOf('name,note\nbread,"a; b; c"\nmilk,x\n'), ",");
  assert.equal(delimiterOf("a|b|c\n1|2|3\n"), "|");
});
