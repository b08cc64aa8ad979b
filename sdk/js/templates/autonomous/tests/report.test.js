/** node --test tests/*.test.js */

import assert from "node:assert/strict";
import { test } from "node:test";
import { likeness, sentence } from "../src/report.js";

test("a report is a sentence", () => {
  assert.equal(sentence(likeness([1, 0, 0.6, 0.8], 2)), "the price of bread and the price of wheat are 60 % alike");
});

test("length is no likeness", () => {
  assert.equal(likeness([3, 4, 6, 8], 2), 1);
  assert.equal(likeness([3, 4, -3, -4], 2), -1);
  assert.equal(likeness([0, 1], 1), 0);
});

test("vectors that do not fit are a failure", () => {
  for (const [data, dims] of [[[1, 0], 2], [[], 0], [[1, 0, 0], 1]]) {
    assert.throws(() => likeness(data, dims), { kind: "failed", reason: /do not fit the themes/ });
  }
});
