/** The component: what the world exports, one object for each interface (its name in camel case) with its functions. */

import { slug } from "./slugs.js";

export const myAgent = {
  async slug(title, lengthMax) {
    // Equal titles give equal slugs: no state, no clock, no random numbers. So a buyer may ask any seller, and ask again.
    return slug(title, lengthMax);
  },
};
