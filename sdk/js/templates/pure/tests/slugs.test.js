/** node --test tests/*.test.js */

import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slugs.js";

const TITLES = ["Hello, Market!", "snake_case  and-dashes", "Zürich 2026: Предложение", "İstanbul", "हिन्दी में", "𝒙".repeat(50), "a b c d e f g h i j k l m n"];

test("whole words that fit are joined", () => {
  for (const [lengthMax, wanted] of [[40, "hello-market"], [12, "hello-market"], [11, "hello"], [5, "hello"]]) {
    assert.equal(slug("Hello, Market!", lengthMax), wanted);
  }
  assert.equal(slug("snake_case  and-dashes", 40), "snake-case-and-dashes");
});

test("no slug is too long, and the slug of a slug is itself", () => {
  for (const title of TITLES) {
    for (let lengthMax = 50; lengthMax < 80; lengthMax++) {
      const made = slug(title, lengthMax);
      assert.ok([...made].length <= lengthMax, made);
      assert.equal(slug(made, lengthMax), made);
    }
  }
});

test("what gives no slug is refused, and says why", () => {
  for (const title of ["", "¿?", "_"]) {
    assert.throws(() => slug(title, 40), { kind: "invalid-input", reason: /`title` has no letter or digit/ });
  }
  for (const lengthMax of [0, 4]) {
    const reason = new RegExp(`\`length-max\` is \`${lengthMax}\`, the first word of \`title\` has \`5\` characters`);
    assert.throws(() => slug("Hello, Market!", lengthMax), { kind: "invalid-input", reason });
  }
});
