/**
 * The agent's own state on its node: bytes under keys, kept over calls and restarts.
 * The world needs `import wasi:keyvalue/store@0.2.0-draft2;`, and `agent.toml` asks for `keyvalue.bytes-max`.
 *
 * Writes of one call are seen by the next; two calls that run at once can overwrite each other's values, so read a value again just
 * before writing what was made from it.
 */

import * as keyvalue from "wasi:keyvalue/store@0.2.0-draft2";
import { Fault } from "./fault.js";
import { decode, encode } from "./utf8.js";

/** Open the agent's store; the only one it has. */
export function open() {
  return new Bucket(told(() => keyvalue.open("")));
}

/** The agent's store. What goes wrong is thrown as the fault `failed`. */
export class Bucket {
  #bucket;

  /** For `open`. */
  constructor(/** @type {any} */ bucket) {
    this.#bucket = bucket;
  }

  /** Give the handle back. The end of the call does so too. */
  close() {
    this.#bucket[Symbol.dispose]();
  }

  /**
   * The value under `key`, if there is one.
   * @param {string} key
   * @returns {Uint8Array | undefined}
   */
  get(key) {
    return told(() => this.#bucket.get(key)) ?? undefined;
  }

  /** Put `value` under `key`, in place of what was there. Fails where `keyvalue.bytes-max` is used up. */
  set(/** @type {string} */ key, /** @type {Uint8Array} */ value) {
    told(() => this.#bucket.set(key, value));
  }

  /** Take away the value under `key`; nothing happens where there is none. */
  delete(/** @type {string} */ key) {
    told(() => this.#bucket.delete(key));
  }

  /**
   * Is there a value under `key`?
   * @param {string} key
   * @returns {boolean}
   */
  exists(key) {
    return told(() => this.#bucket.exists(key));
  }

  /**
   * All keys that begin with `prefix`. Walks over every key of the agent.
   * @param {string} prefix
   * @returns {string[]}
   */
  list(prefix = "") {
    const keys = [];
    let cursor = null;
    do {
      const page = told(() => this.#bucket.listKeys(cursor));
      keys.push(...page.keys.filter((/** @type {string} */ key) => key.startsWith(prefix)));
      cursor = page.cursor;
    } while (cursor !== null && cursor !== undefined);
    return keys;
  }

  /** The value under `key` as text. Fails where it is not UTF-8. */
  getText(/** @type {string} */ key) {
    const value = this.get(key);
    if (!value) return undefined;
    const text = decode(value);
    if (text === undefined) throw Fault.failed(`the agent's store failed: the value under \`${key}\` is not UTF-8 text`);
    return text;
  }

  /** Put text under `key`. */
  setText(/** @type {string} */ key, /** @type {string} */ text) {
    this.set(key, encode(text));
  }

  /**
   * The number under `key`, as `setNumber` wrote it. Fails where it is none, or larger than JavaScript counts exactly.
   * @param {string} key
   * @returns {number | undefined}
   */
  getNumber(key) {
    const value = this.get(key);
    if (!value) return undefined;
    const number = value.length === 8 ? value.reduceRight((high, low) => high * 256 + low, 0) : NaN;
    if (!Number.isSafeInteger(number)) throw Fault.failed(`the agent's store failed: the value under \`${key}\` is not a number up to 2 ** 53 - 1`);
    return number;
  }

  /** Put a whole number from 0 to 2 ** 53 - 1 under `key`, little-endian in 8 bytes, as the Rust SDK does. */
  setNumber(/** @type {string} */ key, /** @type {number} */ value) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`\`value\` is \`${value}\`; keep a whole number from 0 to 2 ** 53 - 1`);
    this.set(key, Uint8Array.from({ length: 8 }, (_, at) => Math.floor(value / 256 ** at) % 256));
  }
}

/**
 * @template T
 * @param {() => T} work
 * @returns {T}
 */
function told(work) {
  try {
    return work();
  } catch (error) {
    throw Fault.failed(explain(Object(error).payload));
  }
}

/** What went wrong in the store, in words for the agent's author. */
export function explain(/** @type {{ tag: string, val?: string } | undefined} */ error) {
  if (error?.tag === "no-such-store") return "the agent has no such store; open the default one";
  if (error?.tag === "access-denied") return "the agent's store may not be used; ask for `keyvalue.bytes-max` in agent.toml";
  return `the agent's store failed: ${error?.val ?? "no reason given"}`;
}
