/** UTF-8 against the platform's own coder. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../utf8.js";

const platform = new TextDecoder("utf-8", { fatal: true });

/** What the platform makes of bytes; nothing where it refuses them. */
function expected(bytes) {
  try {
    return platform.decode(bytes);
  } catch {
    return undefined;
  }
}

test("texts come back as they were", () => {
  for (const text of ["", "plain", "Größe", "€ 5", "日本語", "😀 and more", "\u0000", "x".repeat(10_000) + "é"]) {
    assert.deepEqual(encode(text), new TextEncoder().encode(text));
    assert.equal(decode(encode(text)), text);
  }
});

test("lone surrogates become the sign of what cannot be written", () => {
  assert.equal(decode(encode("a\ud800b")), "a\ufffdb");
});

test("every sequence of up to three telling bytes is taken or refused as the platform does", () => {
  const bytes = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbb, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];
  for (const first of bytes) {
    for (const second of bytes) {
      for (const third of bytes) {
        for (const tail of [[], [0x80], [0xbf]]) {
          const all = new Uint8Array([first, second, third, ...tail]);
          assert.equal(decode(all), expected(all), `${[...all]}`);
        }
      }
    }
  }
});

test("a byte order mark is left out", () => {
  assert.equal(decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x41])), "A");
});
