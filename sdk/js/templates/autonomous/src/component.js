/** The component: wakes up by itself, buys on its own account within its daily limit, publishes what it made, and sells the last report. */

import { embed } from "commons:embedding/embedder@0.1.0";
import { Fault, bought, inWords } from "../vendor/hansa-sdk/fault.js";
import * as log from "../vendor/hansa-sdk/log.js";
import { open } from "../vendor/hansa-sdk/store.js";
import { publish } from "../vendor/hansa-sdk/topics.js";
import { look } from "../vendor/hansa-sdk/wallet.js";
import { THEMES, likeness, sentence } from "./report.js";

/** As `topics.publish` of `agent.toml` names it. */
const TOPIC = "my-agent.reports";

/** Where the last report is kept. */
const REPORT = "report";

export const autonomy = {
  /** `why` is `{ tag, val }`: `start`; `time` with what `[runs]` says; `topic` with `{ topic, payload }`; `balance` with what is left. */
  async wake(why) {
    // A waking fails with a text, for the agent's log; any other error ends the instance. After several failures in a row the node waits
    // before it wakes the agent again.
    await inWords(() => make(why));
  },
};

export const myAgent = {
  async latest() {
    const text = open().getText(REPORT);
    if (text === undefined) throw Fault.failed("there is no report yet; ask again in ten minutes");
    return text;
  },
};

function make(why) {
  // Nobody pays for this call: what it buys comes from its own account.
  log.info(`woken by ${why.tag}; ${look().leftToday} of today's limit left`);
  const vectors = bought("vectors of the themes", () => embed(THEMES));
  const text = sentence(likeness(vectors.data, vectors.dims));
  open().setText(REPORT, text);
  publish(TOPIC, text);
}
