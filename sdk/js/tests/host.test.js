/** The files over the host's interfaces, with stand-ins for those. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, world } from "../testing.js";

const host = { call: { id: new Uint8Array(32), buyer: "did:key:zBuyer", deadlineMs: 250 }, logged: [], narrowed: [], asked: [], kept: new Map(), counted: 0, published: [], paid: [] };

// Node.js 20 does not know it yet; components do.
Symbol.dispose ??= Symbol.for("dispose");

class Bucket {
  get(key) {
    return host.kept.get(key) ?? null;
  }
  set(key, value) {
    if (key === "full") throw failure({ tag: "other", val: "`keyvalue.bytes-max` is used up" });
    host.kept.set(key, value);
  }
  delete(key) {
    host.kept.delete(key);
  }
  exists(key) {
    return host.kept.has(key);
  }
  listKeys(cursor) {
    const keys = [...host.kept.keys()].sort().filter((key) => cursor === null || key > cursor);
    return { keys: keys.slice(0, 2), cursor: keys.length > 2 ? keys[1] : null };
  }
}

world({
  "hansa:agent/context@0.1.0": { whoami: () => ({ name: "acme/agent" }), currentCall: () => host.call },
  "hansa:agent/log@0.1.0": { log: (...line) => host.logged.push(line) },
  "hansa:agent/metering@0.1.0": { count: (items) => (host.counted += items) },
  "hansa:agent/topics@0.1.0": {
    publish(topic, payload) {
      if (topic !== "acme.prices") throw failure(`\`${topic}\` is not granted`);
      host.published.push(payload);
    },
  },
  "hansa:wallet/wallet@0.1.0": {
    look() {
      if (host.paid.length > 1) throw failure("the ledger does not answer");
      return { available: 900, spentToday: 0, leftToday: 100 };
    },
    pay(account, amount) {
      if (amount > 100) throw failure("beyond the daily limit");
      host.paid.push([account, amount]);
    },
  },
  "hansa:market/terms@0.1.0": {
    narrow(service, limits) {
      if (service === "a:b/c@0.1.0") throw failure("`a:b/c@0.1.0` is no import");
      host.narrowed.push([service, limits]);
    },
  },
  "hansa:market/tenders@0.1.0": {
    open(...put) {
      if (put[0] === "a:b/c@0.1.0") throw failure("nobody sells it");
      host.put = put;
      return [{ seller: "did:key:zA", price: 7, out: null }];
    },
  },
  "hansa:market/offers@0.1.0": { search: () => [{ seller: "did:key:zA", priceMax: 40 }] },
  "hansa:inference/models@0.1.0": { list: () => [{ model: { name: "minilm" } }], info() {}, countTokens: (_, texts) => texts.map(() => 4) },
  "hansa:inference/text@0.1.0": {
    embed(model, texts, opts) {
      if (model !== "minilm") throw failure({ tag: "not-found", val: model });
      host.asked.push(opts);
      return { dims: 1, data: texts.map(() => 1), truncated: texts.map(() => false) };
    },
    classify: (_, examples) => ({ rows: [examples] }),
    rerank: () => ({ rows: [{ index: 1, score: 0.5 }] }),
  },
  "hansa:inference/generate@0.1.0": {
    start(model, prompt, sampling) {
      host.asked = [prompt, sampling];
      return { next: () => host.events.shift() ?? null, cancel() {}, usage: () => ({ cost: 3 }), [Symbol.dispose]: () => host.events.splice(0) };
    },
  },
  "wasi:keyvalue/store@0.2.0-draft2": { open: () => new Bucket() },
});
const names = ["context", "log", "market", "inference", "store", "generation", "metering", "topics", "wallet", "tenders"];
const [context, log, market, inference, store, generation, metering, topics, wallet, tenders] = await Promise.all(names.map((name) => import(`../${name}.js`)));

test("the call being served is told, and outside of one that there is none", () => {
  assert.equal(context.whoami().name, "acme/agent");
  assert.equal(context.currentCall().buyer, "did:key:zBuyer");
  host.call = null;
  assert.throws(() => context.currentCall(), { kind: "failed", reason: /no call is being served/ });
});

test("lines are logged with their level", () => {
  log.info("bought");
  log.error("lost");
  assert.deepEqual(host.logged, [["info", "bought"], ["error", "lost"]]);
});

test("items are counted", () => {
  metering.count(2);
  metering.count(3);
  assert.equal(host.counted, 5);
});

test("texts and bytes are published, and a refusal is told", () => {
  topics.publish("acme.prices", "é");
  topics.publish("acme.prices", new Uint8Array([1]));
  assert.deepEqual(host.published, [new Uint8Array([0xc3, 0xa9]), new Uint8Array([1])]);
  assert.throws(() => topics.publish("a.b", "x"), { kind: "failed", reason: "could not publish on `a.b`: `a.b` is not granted" });
});

test("the wallet shows funds and pays, and a refusal is told", () => {
  assert.equal(wallet.look().leftToday, 100);
  wallet.pay("5f3a", 40);
  assert.throws(() => wallet.pay("5f3a", 101), { kind: "failed", reason: "could not pay: beyond the daily limit" });
  wallet.pay("5f3a", 1);
  assert.deepEqual(host.paid, [["5f3a", 40], ["5f3a", 1]]);
  assert.throws(() => wallet.look(), { kind: "failed", reason: "could not look at the wallet: the ledger does not answer" });
});

test("terms are narrowed by what is said, and a refusal is told", () => {
  market.narrow("a:b/d@0.1.0", { maxPrice: 5, prefer: "fastest" });
  assert.deepEqual(host.narrowed, [["a:b/d@0.1.0", { maxPrice: 5, deadlineMs: null, prefer: "fastest", sellers: null }]]);
  assert.throws(() => market.narrow("a:b/c@0.1.0", {}), { kind: "failed", reason: "could not narrow the terms for `a:b/c@0.1.0`: `a:b/c@0.1.0` is no import" });
  assert.equal(market.offers("a:b/d@0.1.0", "e")[0].priceMax, 40);
});

test("a call is put out to tender with its arguments, and a refusal is told", () => {
  assert.equal(tenders.tender("a:b/d@0.1.0", "e", ["ä", "1"], 50)[0].price, 7);
  assert.deepEqual(host.put, ["a:b/d@0.1.0", "e", '["ä","1"]', 50]);
  const reason = "could not put `e` of `a:b/c@0.1.0` out to tender: nobody sells it";
  assert.throws(() => tenders.tender("a:b/c@0.1.0", "e", []), { kind: "failed", reason });
});

test("inference passes limits on and tells errors as faults", () => {
  assert.equal(inference.embed("minilm", ["a", "b"], { maxCost: 7 }).data.length, 2);
  assert.deepEqual(host.asked, [{ deadlineMs: null, maxCost: 7, priority: null, exclusive: false }]);
  assert.throws(() => inference.embed("other", ["a"]), { kind: "failed", reason: "the node has no such model: other" });
  assert.deepEqual(inference.classify("minilm", ["a", new Uint8Array([1])], 1)[0].map(({ tag }) => tag), ["text", "bytes"]);
  assert.deepEqual([inference.names(), inference.countTokens("minilm", ["a"])], [["minilm"], [4]]);
  assert.equal(inference.rerank("minilm", "a", ["b", "c"], 1)[0].index, 1);
});

test("errors of inference keep their meaning", () => {
  const cases = [
    [{ tag: "budget", val: 7 }, "over-budget", /would cost `7`/],
    [{ tag: "overloaded", val: 40 }, "unavailable", /retry after 40 ms/],
    [{ tag: "out-of-memory" }, "unavailable", /out of memory/],
    [{ tag: "deadline" }, "deadline", /not done before/],
  ];
  for (const [payload, kind, reason] of cases) {
    const fault = inference.faultOfInference(failure(payload));
    assert.equal(fault.kind, kind);
    assert.match(fault.reason, reason);
  }
  const own = new TypeError("mine");
  assert.equal(inference.faultOfInference(own), own);
});

test("a generation is read to its end", () => {
  const chunk = (text) => ({ tag: "chunk", val: { text, tokens: [1], soFar: {} } });
  host.events = [chunk("good "), chunk("day"), { tag: "done", val: { finish: "length", usage: {} } }];
  const made = generation.generate("m", [["user", "Greet me."]], { maxTokens: 2, stop: ["!"] });
  assert.deepEqual([made.text(), made.finish, made.usage().cost], ["good day", "length", 3]);
  assert.deepEqual(host.asked[0], { tag: "chat", val: [{ role: "user", content: "Greet me." }] });
  assert.deepEqual(host.asked[1], { maxTokens: 2, temperature: 0, topP: 1, topK: 0, seed: null, stop: ["!"] });

  host.events = [chunk("a"), chunk("b")];
  for (const { text } of generation.generate("m", [1, 2], { maxTokens: 2 })) {
    assert.equal(text, "a");
    break;
  }
  assert.deepEqual([host.events, host.asked[0].tag], [[], "tokens"]);

  host.events = [chunk("a"), { tag: "error", val: { tag: "backend", val: "no memory" } }];
  const broken = generation.generate("m", "Once", { maxTokens: 2 });
  assert.throws(() => broken.text(), { kind: "failed", reason: "the node's inference broke: no memory" });
  assert.equal(broken.finish, undefined);
});

test("the store keeps numbers as other languages do", () => {
  const bucket = store.open();
  for (const number of [0, 1, 255, 256, 2 ** 32, 2 ** 53 - 1]) {
    bucket.setNumber("n", number);
    assert.equal(new DataView(bucket.get("n").buffer).getBigUint64(0, true), BigInt(number));
    assert.equal(bucket.getNumber("n"), number);
  }
  assert.equal(bucket.getNumber("none"), undefined);
  for (const wrong of [new Uint8Array(7), new Uint8Array(8).fill(255), Uint8Array.of(0, 0, 0, 0, 0, 0, 32, 0)]) {
    bucket.set("n", wrong);
    assert.throws(() => bucket.getNumber("n"), { kind: "failed", reason: /the value under `n` is not a number up to/ });
  }
  for (const wrong of [-1, 0.5, 2 ** 53, NaN]) assert.throws(() => bucket.setNumber("n", wrong), RangeError);
  bucket.delete("n");
});

test("the store keeps bytes and text, lists over pages and tells what is wrong", () => {
  const bucket = store.open();
  for (const key of ["a/1", "a/2", "a/3", "b"]) bucket.setText(key, "Größe");
  assert.deepEqual(bucket.list("a/"), ["a/1", "a/2", "a/3"]);
  assert.equal(bucket.getText("a/1"), "Größe");
  assert.deepEqual([bucket.get("none"), bucket.getText("none"), bucket.exists("b")], [undefined, undefined, true]);
  bucket.delete("b");
  assert.equal(bucket.exists("b"), false);
  bucket.set("bytes", new Uint8Array([255]));
  assert.throws(() => bucket.getText("bytes"), { kind: "failed", reason: /is not UTF-8 text/ });
  assert.throws(() => bucket.set("full", new Uint8Array()), { kind: "failed", reason: "the agent's store failed: `keyvalue.bytes-max` is used up" });
});
