/** Faults: thrown, read, and told in one's own name. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure, Fault, bought, faultOf, inWords } from "../fault.js";

test("a fault hands over its case of the contract", () => {
  const fault = Fault.invalidInput("`text` is empty; send something");
  assert.deepEqual(fault.payload, { tag: "invalid-input", val: "`text` is empty; send something" });
  assert.equal(fault.message, "invalid input: `text` is empty; send something");
});

test("an unknown kind is refused with those that there are", () => {
  assert.throws(() => new Fault("broken", "x"), /`broken` is no kind of fault; choose from no-offer, over-budget/);
});

test("what a purchase throws is read as a fault, and nothing else is", () => {
  const thrown = Object.assign(new Error("[object Object] (see error.payload)"), { payload: { tag: "no-offer", val: "nobody sells it" } });
  assert.equal(faultOf(thrown)?.kind, "no-offer");
  assert.equal(faultOf({ tag: "deadline", val: "after 5 ms" })?.reason, "after 5 ms");
  for (const other of [new TypeError("x"), undefined, null, "no-offer", { tag: "toString", val: "x" }, { payload: "why" }]) {
    assert.equal(faultOf(other), undefined);
  }
});

test("a supplier's trouble is told in the seller's name", () => {
  const fails = (kind, reason) => () => bought("a summary", () => { throw { payload: { tag: kind, val: reason } }; });
  assert.throws(fails("no-offer", "nobody sells it"), { kind: "failed", reason: "could not buy a summary: no offer: nobody sells it" });
  assert.throws(fails("deadline", "after 500 ms"), { kind: "deadline", reason: "buying a summary: after 500 ms" });
  assert.equal(bought("a summary", () => 7), 7);
});

test("an error of the agent's own is not blamed on a supplier", () => {
  assert.throws(() => bought("a summary", () => { throw new TypeError("mine"); }), TypeError);
});

test("where nothing is sold a fault becomes a text", async () => {
  assert.equal(await inWords(() => 7), 7);
  await assert.rejects(inWords(() => { throw new Fault("no-offer", "nobody sells it"); }), { payload: "no offer: nobody sells it" });
  await assert.rejects(inWords(async () => { throw { payload: { tag: "deadline", val: "after 5 ms" } }; }), { payload: "deadline passed: after 5 ms" });
  await assert.rejects(inWords(() => { throw new Failure("granite is too hard"); }), { payload: "granite is too hard" });
  await assert.rejects(inWords(() => { throw new TypeError("mine"); }), TypeError);
});
