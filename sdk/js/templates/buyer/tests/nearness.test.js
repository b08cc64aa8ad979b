/** node --test tests/*.test.js */

import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXTS_MAX, check, nearest } from "../src/nearness.js";

test("the text with the greatest cosine is nearest", () => {
  assert.deepEqual(nearest([1, 0, 0, 1, 0.6, 0.8], 2, 2), [1, 0.6]);
});

test("vectors that do not fit are a failure", () => {
  for (const [data, dims] of [[[1, 0], 2], [[], 0], [[1, 0, 0], 1]]) {
    assert.throws(() => nearest(data, dims, 1), { kind: "failed", reason: /do not fit/ });
  }
});

test("what is too much is refused", () => {
  check("x", Array(TEXTS_MAX).fill("x"));
  assert.throws(() => check("x", []), { kind: "invalid-input", reason: /`texts` has `0` texts/ });
  assert.throws(() => check("x", ["x", "x".repeat(4097)]), { kind: "invalid-input", reason: /`texts\[1\]` has `4097` bytes/ });
});
