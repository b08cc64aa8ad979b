/** Whole tables. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBought, formatOfKind, formatOfText } from "../src/format.js";
import { Remarks } from "../src/remarks.js";
import { tableOf } from "../src/table.js";

function table(text, format = formatOfText(text)) {
  return tableOf(text, format, new Remarks());
}

test("a CSV becomes Markdown and JSON", () => {
  const made = table("name;price;since\nbread | dark;1,20;1.3.2024\nmilk;0,99;\n");
  assert.equal(made.format, "csv");
  assert.deepEqual(made.columns, [
    { name: "name", kind: "text", empty: 0 },
    { name: "price", kind: "number", empty: 0 },
    { name: "since", kind: "date", empty: 1 },
  ]);
  assert.equal(made.markdown, "| name          | price | since      |\n| ------------- | ----: | ---------- |\n| bread \\| dark |   1.2 | 2024-03-01 |\n| milk          |  0.99 |            |\n");
  assert.deepEqual(JSON.parse(made.json), [
    { name: "bread | dark", price: 1.2, since: "2024-03-01" },
    { name: "milk", price: 0.99, since: null },
  ]);
});

test("rows that do not fit lose nothing and are remarked on", () => {
  const made = table("a,b\n1\n2,3,4\n", "csv");
  assert.deepEqual(JSON.parse(made.json), [{ a: 1, b: null }, { a: 2, b: "3 4" }]);
  assert.deepEqual(made.remarks, ["row 1 has 1 fields, not 2", "row 2 has 3 fields, not 2"]);
});

test("columns without a name of their own get one", () => {
  const made = table("a,,a\nx,y,z\n", "csv");
  assert.deepEqual(made.columns.map(({ name }) => name), ["a", "column 2", "a (2)"]);
  assert.deepEqual(made.remarks, ["a second column `a` is called `a (2)`"]);
  assert.deepEqual(table("1,2\n3,4\n", "csv").columns.map(({ name }) => name), ["column 1", "column 2"]);
  assert.equal(table("1,2\n3,4\n", "csv").rows, 2);
});

test("all shapes of JSON come to the same table", () => {
  const expected = [{ a: 1, b: "x" }, { a: 2, b: null }];
  const texts = [
    '[{"a":1,"b":"x"},{"a":2}]',
    '{"a":1,"b":"x"}\n{"a":2,"b":null}\n',
    '[["a","b"],[1,"x"],[2]]',
    '{"a":[1,2],"b":["x"]}',
  ];
  for (const text of texts) assert.deepEqual(JSON.parse(table(text).json), expected, text);
});

test("nested values stay JSON text, and names of built-in things are names like others", () => {
  assert.deepEqual(JSON.parse(table('[{"a":{"b":[1]},"constructor":"x"},{"a":null}]').json), [{ a: '{"b":[1]}', constructor: "x" }, { a: null, constructor: null }]);
});

test("what is no table is refused with what to send", () => {
  const cases = [["7", "json", /no records but one `number`/], ["[1,2]", "json", /neither all objects nor all lists/], ["[]", "json", /is empty/], ["{,}", "json", /this is not JSON/], ["\n", "csv", /no rows/]];
  for (const [text, format, message] of cases) assert.throws(() => table(text, format), { kind: "invalid-input", message });
  assert.throws(() => formatOfText("Just a sentence. And one more.\nAnd a line."), { kind: "invalid-input" });
});

test("a format is told by kind, and else by looks", () => {
  assert.equal(formatOfKind({ label: "jsonl", isText: true }), "json");
  assert.equal(formatOfKind({ label: "markdown", isText: true }), undefined);
  assert.throws(() => formatOfKind({ label: "pdf", isText: false }), { kind: "invalid-input", message: /of kind `pdf`/ });
  assert.equal(formatOfText("a\tb\n1\t2"), "tsv");
  assert.equal(formatOfText("a,b\n1,2"), "csv");
  assert.equal(formatOfText('{"a":1}\n{"a":2}'), "json");
});

test("many remarks become a number", () => {
  const made = table(`a,b\n${"1\n".repeat(50)}`, "csv");
  assert.equal(made.remarks.length, 20);
  assert.equal(made.remarks[19], "and 31 more of the kind");
});

test("a supplier's word on the kind counts, and only the telling bytes are sent", () => {
  const content = new Uint8Array(10_000).map((_, at) => at % 251);
  const sent = [];
  const format = formatBought(content, ([file]) => (sent.push(file), [{ label: "tsv", isText: true }]), new Remarks(), assert.fail);
  assert.equal(format, "tsv");
  assert.deepEqual(sent, [Uint8Array.from([...content.slice(0, 4096), ...content.slice(-4096)])]);
  const binary = () => [{ label: "png", isText: false }];
  assert.throws(() => formatBought(content, binary, new Remarks(), assert.fail), { kind: "invalid-input", message: /of kind `png`/ });
  assert.throws(() => formatBought(content, () => [], new Remarks(), assert.fail), { kind: "failed", message: /0 kinds for one file/ });
});

test("where nobody sells kinds, looks decide and the remarks say so", () => {
  const remarks = new Remarks();
  const logged = [];
  const none = () => { throw { payload: { tag: "no-offer", val: "nobody sells it" } }; };
  assert.equal(formatBought(new Uint8Array(3), none, remarks, (line) => logged.push(line)), undefined);
  assert.deepEqual(remarks.list(), ["the format was told by looks alone"]);
  assert.deepEqual(logged, ["the format is told by looks alone: no offer: nobody sells it"]);
});
