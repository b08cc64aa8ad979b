/** The component as a whole, with stand-ins for its supplier and its host. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, world } from "../vendor/hansa-sdk/testing.js";

const kept = new Map();
const published = [];
let supplier = () => ({ dims: 2, data: [1, 0, 0.6, 0.8], truncated: [false, false], model: "any@1" });
const bucket = { get: (key) => kept.get(key) ?? null, set: (key, value) => kept.set(key, value) };
world({
  "commons:embedding/embedder@0.1.0": { embed: (texts) => supplier(texts) },
  "hansa:agent/log@0.1.0": { log() {} },
  "hansa:agent/topics@0.1.0": { publish: (topic) => published.push(topic) },
  "hansa:wallet/wallet@0.1.0": { look: () => ({ available: 9, spentToday: 0, leftToday: 9 }), pay() {} },
  "wasi:keyvalue/store@0.2.0-draft2": { open: () => bucket },
});
const { autonomy, myAgent } = await import("../src/component.js");

test("before the first waking there is no report, after it there is", async () => {
  await assert.rejects(myAgent.latest(), { kind: "failed", reason: /no report yet/ });
  await autonomy.wake({ tag: "start" });
  assert.match(await myAgent.latest(), /60 % alike/);
  assert.deepEqual(published, ["my-agent.reports"]);
});

test("a waking fails with a text", async () => {
  supplier = () => { throw failure({ tag: "no-offer", val: "nobody sells it" }); };
  const payload = "failed: could not buy vectors of the themes: no offer: nobody sells it";
  await assert.rejects(autonomy.wake({ tag: "time", val: "every 600 s" }), { payload });
});
