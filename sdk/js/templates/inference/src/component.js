/** The component: runs a model that the node lends, sells which text is nearest. */

import { embed } from "../vendor/hansa-sdk/inference.js";
import { check, nearest } from "./nearness.js";

/** As `inference.models` of `agent.toml` names it. */
const MODEL = "minilm";

export const myAgent = {
  async nearest(question, texts) {
    check(texts);
    // One request for all: the node batches its rows, with those of other agents too. What fails, a model that is not there for
    // example, is thrown as the fault that says so to the customer.
    const { data, dims } = embed(MODEL, [question, ...texts]);
    return nearest(data, dims, texts.length);
  },
};
