/**
 * Text from models that generate, as it is made. The world needs `import hansa:inference/generate@0.1.0;`.
 *
 *     const made = generate("tiny-llama", [["system", "Be brief."], ["user", question]], { maxTokens: 64 });
 *     for (const chunk of made) text += chunk.text;
 *     if (made.finish !== "stop") …
 */

import { start } from "hansa:inference/generate@0.1.0";
import { faultOfInferencePayload } from "./inference-errors.js";

/**
 * @typedef {object} Sampling
 * @property {number} maxTokens tokens at most; the model's own limit may end it sooner
 * @property {number} [temperature] 0 (the default) takes the likeliest token each time; 1 samples as the model was trained
 * @property {number} [topP] sample among the likeliest tokens that together have this probability; 1 takes all
 * @property {number} [topK] sample among this many likeliest tokens; 0 takes all
 * @property {number} [seed] equal seeds give equal texts
 * @property {string[]} [stop] texts that end the generation
 */

/**
 * @typedef {object} Chunk
 * @property {string} text all chunks' texts, put together, are the whole; one may be empty, as none ends within a character
 * @property {number[]} tokens
 * @property {any} soFar the contract's `usage`: what is charged if it ends here
 */

/**
 * Begin to generate. Throws the fault `invalid-input` for a model that does not generate or settings out of range, `over-budget` where
 * the prompt alone would cost more than `options.maxCost`.
 * @param {string} model
 * @param {string | [string, string][] | number[]} prompt text to go on from, a conversation of [role, content] with roles `system`, `user`,
 *   `assistant` and `tool`, or token ids
 * @param {Sampling} sampling
 * @param {import("./inference.js").Options} [options]
 */
export function generate(model, prompt, { maxTokens, temperature = 0, topP = 1, topK = 0, seed, stop = [] }, options = {}) {
  const sampling = { maxTokens, temperature, topP, topK, seed: seed ?? null, stop };
  const opts = { deadlineMs: options.deadlineMs ?? null, maxCost: options.maxCost ?? null, priority: options.priority ?? null, exclusive: options.exclusive ?? false };
  try {
    return new Generation(start(model, promptOf(prompt), sampling, opts));
  } catch (error) {
    throw faultOfInferencePayload(Object(error).payload) ?? error;
  }
}

/** A generation that runs on the node: iterate over its chunks. Leaving the loop early cancels what has not come yet. */
export class Generation {
  /** The node's handle; nothing after the end, as it is given back then: a call may have only 16 open. */
  #running;
  #usage;
  /**
   * Why it ended: `stop`, `length`, `cancelled`, `budget` or `deadline`. Nothing while it runs, and where it broke.
   * @type {string | undefined}
   */
  finish;

  /** For `generate`. */
  constructor(/** @type {any} */ running) {
    this.#running = running;
  }

  /** @returns {Iterator<Chunk>} */
  [Symbol.iterator]() {
    return {
      next: () => {
        const value = this.#next();
        return value ? { value, done: false } : { value: undefined, done: true };
      },
      return: () => {
        this.#close();
        return { value: undefined, done: true };
      },
    };
  }

  #next() {
    const event = this.#running?.next();
    if (event?.tag === "chunk") return event.val;
    this.#close();
    if (event?.tag === "done") this.finish = event.val.finish;
    if (event?.tag === "error") throw faultOfInferencePayload(event.val) ?? new Error("the node's inference broke");
    return undefined;
  }

  /** Giving the handle back cancels what has not come yet. */
  #close() {
    this.#usage ??= this.#running?.usage();
    this.#running?.[Symbol.dispose]();
    this.#running = undefined;
  }

  /** All the text that is still to come. It ends where the generation ends, for whatever reason: see `finish`. */
  text() {
    let text = "";
    for (const chunk of this) text += chunk.text;
    return text;
  }

  /** End it before its time. Parts that were made already still come, then the end with `cancelled`. */
  cancel() {
    this.#running?.cancel();
  }

  /** What it has taken so far, measured by the node (the contract's `usage`). */
  usage() {
    return this.#usage ?? this.#running.usage();
  }
}

/** @param {string | [string, string][] | number[]} prompt */
function promptOf(prompt) {
  if (typeof prompt === "string") return { tag: "text", val: prompt };
  if (prompt.every((token) => typeof token === "number")) return { tag: "tokens", val: prompt };
  return { tag: "chat", val: prompt.map((message) => ({ role: Object(message)[0], content: Object(message)[1] })) };
}
