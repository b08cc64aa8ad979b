/** The component: what the world exports, one object for each interface (its name in camel case) with its functions. */

import { currentCall } from "../vendor/hansa-sdk/context.js";
import * as log from "../vendor/hansa-sdk/log.js";
import { check, counted } from "./words.js";

export const myAgent = {
  async count(text, top) {
    // Faults thrown in here reach the customer as such and cost nothing; any other error ends the instance.
    check(text, top);
    log.info(`counting ${text.length} characters for ${currentCall().buyer}`);
    return counted(text, top);
  },
};
