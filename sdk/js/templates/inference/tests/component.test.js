/** The component as a whole, with a stand-in for the model. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, world } from "../vendor/hansa-sdk/testing.js";

let embed = (model, texts) => ({ dims: 1, data: texts.map((text) => (text === "near" ? 1 : text === "q" ? 2 : -1)), truncated: [] });
world({
  "hansa:inference/models@0.1.0": { list: () => [], info() {}, countTokens() {} },
  "hansa:inference/text@0.1.0": { embed: (...given) => embed(...given), classify() {}, rerank() {} },
});
const { myAgent } = await import("../src/component.js");

test("the model decides", async () => {
  assert.deepEqual(await myAgent.nearest("q", ["far", "near"]), { index: 1, likeness: 1 });
});

test("without the model the customer hears why", async () => {
  embed = (model) => { throw failure({ tag: "not-found", val: model }); };
  await assert.rejects(myAgent.nearest("q", ["far"]), { kind: "failed", reason: "the node has no such model: minilm" });
});
