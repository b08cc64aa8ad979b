/** The component: buys vectors, sells which text is nearest. */

import { embed } from "commons:embedding/embedder@0.1.0";
import { bought } from "../vendor/hansa-sdk/fault.js";
import { check, nearest } from "./nearness.js";

export const myAgent = {
  async nearest(query, texts) {
    check(query, texts);
    // To buy is to call the import; it waits for the answer, so purchases of one call run one after another.
    // `bought` tells a supplier's trouble in our own name: the customer knows nothing of our suppliers.
    const vectors = bought("the vectors of the texts", () => embed([query, ...texts]));
    return nearest(vectors.data, vectors.dims, texts.length);
  },
};
