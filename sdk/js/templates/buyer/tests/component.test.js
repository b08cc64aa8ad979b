/** The component as a whole, with a stand-in for its supplier. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, world } from "../vendor/hansa-sdk/testing.js";

let supplier = () => ({ dims: 1, data: [1, -1, 1], truncated: [false, false, false], model: "any@1" });
world({ "commons:embedding/embedder@0.1.0": { embed: (texts) => supplier(texts) } });
const { myAgent } = await import("../src/component.js");

test("what is bought decides", async () => {
  assert.deepEqual(await myAgent.nearest("q", ["a", "b"]), [1, 1]);
});

test("a supplier's trouble is told in our own name", async () => {
  supplier = () => { throw failure({ tag: "no-offer", val: "nobody sells it" }); };
  const fault = { kind: "failed", reason: "could not buy the vectors of the texts: no offer: nobody sells it" };
  await assert.rejects(myAgent.nearest("q", ["a"]), fault);
});
