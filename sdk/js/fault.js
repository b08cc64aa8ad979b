/**
 * The error of every traded function: say why there is no answer, and read why a purchase gave none.
 *
 * A traded function returns `result<…, fault>`. In JavaScript it returns the answer, or throws a `Fault`:
 *
 *     if (number % 2) throw Fault.invalidInput(`\`number\` is \`${number}\`; send an even one`);
 *
 * A purchase throws likewise; `faultOf(error)` reads it. Any other error that leaves a traded function ends the instance, and the customer
 * reads `seller-failed` with its message.
 */

/** What each kind is called in words. The keys are the kinds as the contract names them. */
const WORDS = {
  "no-offer": "no offer",
  "over-budget": "over budget",
  deadline: "deadline passed",
  unavailable: "unavailable",
  "seller-failed": "seller failed",
  refused: "refused",
  "invalid-input": "invalid input",
  failed: "failed",
};

/** @typedef {"no-offer"|"over-budget"|"deadline"|"unavailable"|"seller-failed"|"refused"|"invalid-input"|"failed"} Kind */

/** Why a traded call gave no answer. */
export class Fault extends Error {
  /**
   * @param {Kind} kind
   * @param {string} reason
   */
  constructor(kind, reason) {
    if (!Object.hasOwn(WORDS, kind)) throw new RangeError(`\`${kind}\` is no kind of fault; choose from ${Object.keys(WORDS).join(", ")}`);
    super(`${WORDS[kind]}: ${reason}`);
    this.name = "Fault";
    /** @type {Kind} */
    this.kind = kind;
    /** The reason, without its kind. */
    this.reason = reason;
    /** What the component hands over: a case of the contract's `fault`. */
    this.payload = { tag: kind, val: reason };
  }

  /** The seller's own: these arguments cannot be served. Say what was offending and what to send instead. */
  static invalidInput(/** @type {string} */ reason) {
    return new Fault("invalid-input", reason);
  }

  /** The seller's own: anything else that kept it from answering. */
  static failed(/** @type {string} */ reason) {
    return new Fault("failed", reason);
  }

  /** The seller declines; trying again will not help. */
  static refused(/** @type {string} */ reason) {
    return new Fault("refused", reason);
  }

  /** The seller is full and did no work; the call may be sent to another. */
  static unavailable(/** @type {string} */ reason) {
    return new Fault("unavailable", reason);
  }
}

/**
 * The fault in what a purchase threw; nothing where it is some other error.
 * @param {unknown} error
 * @returns {Fault | undefined}
 */
export function faultOf(error) {
  if (error instanceof Fault) return error;
  const { tag, val } = Object(Object(error).payload ?? error);
  return typeof tag === "string" && Object.hasOwn(WORDS, tag) && typeof val === "string" ? new Fault(/** @type {Kind} */ (tag), val) : undefined;
}

/**
 * Buy, and tell a supplier's fault in the seller's own name.
 *
 * Passed on as it is, a supplier's `no-offer` or `invalid-input` would tell the customer something untrue about *its* call. Said in the
 * seller's name it is `failed`, with the cause; only `deadline` stays what it is.
 *
 *     const kinds = bought("the kind of the file", () => identify([content]));
 *
 * @template T
 * @param {string} what names the purchase, for example `an embedding of the question`
 * @param {() => T} purchase
 * @returns {T}
 */
export function bought(what, purchase) {
  try {
    return purchase();
  } catch (error) {
    const fault = faultOf(error);
    if (!fault) throw error;
    if (fault.kind === "deadline") throw new Fault("deadline", `buying ${what}: ${fault.reason}`);
    throw Fault.failed(`could not buy ${what}: ${fault.message}`);
  }
}

/**
 * A failure that is a text, which is what functions that are not sold fail with: those of `lifecycle`, `autonomy` and `pricing`.
 *
 *     if (block === "granite") throw new Failure("granite is too hard");
 */
export class Failure extends Error {
  constructor(/** @type {string} */ reason) {
    super(reason);
    this.name = "Failure";
    /** What the component hands over. */
    this.payload = reason;
  }
}

/**
 * Tells a fault as a text, for functions that are not sold: `async wake(why) { await inWords(() => report(why)); }`.
 * @template T
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function inWords(work) {
  try {
    return await work();
  } catch (error) {
    const fault = faultOf(error);
    throw fault ? new Failure(fault.message) : error;
  }
}
