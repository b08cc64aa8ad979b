/** node --test tests/*.test.js */

import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXT_BYTES_MAX, TOP_MAX, check, counted } from "../src/words.js";

test("words are counted in whatever case", () => {
  assert.deepEqual(counted("The hare, the hedgehog and the hare's wife", 2), [["the", 3], ["hare", 2]]);
});

test("what is too much is refused", () => {
  check("x".repeat(TEXT_BYTES_MAX), TOP_MAX);
  assert.throws(() => check("x".repeat(TEXT_BYTES_MAX + 1), 1), { kind: "invalid-input", reason: /`text` has `65537` bytes/ });
  assert.throws(() => check("x", 0), { kind: "invalid-input", reason: /`top` is `0`/ });
});
