/** Text to bytes and back, strictly. A component has no `TextDecoder`. */

/** Code points joined at a time: what one call of `String.fromCodePoint` takes. */
const CHUNK = 4096;

/** What the first byte begins with where so many follow. */
const FIRST = [0, 0xc0, 0xe0, 0xf0];

/** Lowest code point that needs so many bytes after the first: what is lower was written too long. */
const LOWEST = [0, 0x80, 0x800, 0x10000];

/**
 * The text in `bytes`; nothing where they are not UTF-8. A byte order mark at the beginning is left out.
 * @param {Uint8Array} bytes
 * @returns {string | undefined}
 */
export function decode(bytes) {
  let text = "";
  /** @type {number[]} */
  let points = [];
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length) {
    const first = bytes[at++];
    const more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : -1;
    if (more < 0 || at + more > bytes.length) return undefined;
    let point = more === 0 ? first : first & (0x3f >> more);
    for (const end = at + more; at < end; at++) {
      if ((bytes[at] & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (bytes[at] & 0x3f);
    }
    if (point < LOWEST[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined;
    points.push(point);
    if (points.length === CHUNK) {
      text += String.fromCodePoint(...points);
      points = [];
    }
  }
  return text + String.fromCodePoint(...points);
}

/**
 * The bytes of `text`; what is no character (a lone surrogate) becomes U+FFFD.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function encode(text) {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (const character of text) {
    const code = /** @type {number} */ (character.codePointAt(0));
    const point = code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
    if (point < 0x80) {
      bytes[at++] = point;
      continue;
    }
    const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    bytes[at++] = FIRST[more] | (point >> (6 * more));
    for (let left = more - 1; left >= 0; left--) bytes[at++] = 0x80 | ((point >> (6 * left)) & 0x3f);
  }
  return bytes.slice(0, at);
}
