/** The component as a whole, with a stand-in for its supplier. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, world } from "../../../sdk/js/testing.js";

const host = { files: [], logged: [], identify: () => [{ label: "txt", score: 0.5, isText: true }] };
world({
  "hansa:agent/log@0.1.0": { log: (level, message) => host.logged.push([level, message]) },
  "commons:files/identifier@0.1.0": { identify: (files) => (host.files.push(files.length), host.identify()) },
});
const { converter } = await import("../src/component.js");
const bytes = (text) => new TextEncoder().encode(text);

test("bytes of a named format are converted without a purchase", async () => {
  const table = await converter.convert(bytes("a,b\n1,x\n"), "csv");
  assert.deepEqual(JSON.parse(table.json), [{ a: 1, b: "x" }]);
  assert.deepEqual(host.files, []);
});

test("for bytes of unknown kind one purchase is made", async () => {
  const table = await converter.convert(bytes("a\tb\n1\tx\n"), "unknown");
  assert.equal(table.format, "tsv");
  assert.deepEqual(host.files, [1]);
});

test("a market without an offer keeps nobody from a table", async () => {
  host.identify = () => { throw failure({ tag: "no-offer", val: "nobody sells it" }); };
  const table = await converter.convert(bytes('[{"a":1}]'), "unknown");
  assert.equal(table.format, "json");
  assert.deepEqual(table.remarks, ["the format was told by looks alone"]);
  assert.deepEqual(host.logged, [["info", "the format is told by looks alone: no offer: nobody sells it"]]);
});

test("what is no text or too much is refused", async () => {
  const refused = async (content, reason) => assert.rejects(converter.convert(content, "csv"), { kind: "invalid-input", reason });
  await refused(new Uint8Array(), /`content` is empty/);
  await refused(new Uint8Array(1024 * 1024 + 1), /has `1048577` bytes/);
  await refused(new Uint8Array([0xff, 0xfe]), /not UTF-8 text/);
});
