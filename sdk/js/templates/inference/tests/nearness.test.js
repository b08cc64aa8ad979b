/** node --test tests/*.test.js */

import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXTS_MAX, check, cosine, nearest } from "../src/nearness.js";

test("the text with the greatest cosine is nearest", () => {
  assert.deepEqual(nearest([3, 4, 0, 2, 6, 8, -3, -4], 2, 3), { index: 1, likeness: 1 });
});

test("the same is one and the opposite minus one", () => {
  assert.equal(cosine([3, 4], [6, 8]), 1);
  assert.equal(cosine([3, 4], [-3, -4]), -1);
  assert.equal(cosine([0], [0]), 0);
});

test("vectors that do not fit are a failure", () => {
  for (const [data, dims] of [[[1, 0], 2], [[], 0], [[1, 0, 0], 1]]) {
    assert.throws(() => nearest(data, dims, 1), { kind: "failed", reason: /do not fit/ });
  }
});

test("nothing and too much are refused", () => {
  check(Array(TEXTS_MAX).fill("x"));
  assert.throws(() => check([]), { kind: "invalid-input", reason: /at least one text/ });
  assert.throws(() => check(Array(101).fill("x")), { kind: "invalid-input", reason: /`texts` has `101` texts; send at most 100/ });
});
