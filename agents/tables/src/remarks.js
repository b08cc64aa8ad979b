/** What was not as it should be. */

import { REMARKS_MAX } from "./limits.js";

/** Collects remarks; those beyond the limit are only counted. */
export class Remarks {
  #said = [];
  #more = 0;

  /** Say one. */
  add(/** @type {string} */ remark) {
    if (this.#said.length < REMARKS_MAX - 1) this.#said.push(remark);
    else this.#more += 1;
  }

  /** All of them. */
  list() {
    return this.#more > 0 ? [...this.#said, `and ${this.#more} more of the kind`] : this.#said;
  }
}
