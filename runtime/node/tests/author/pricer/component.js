/** Counts items for its customer, names the price of a call, bids and lets bid, by the SDK for JavaScript. */

import { fetch } from "acme:wood/yard@0.1.0";
import { Failure, Fault, bought, inWords } from "../vendor/hansa-sdk/fault.js";
import { count } from "../vendor/hansa-sdk/metering.js";
import { tender } from "../vendor/hansa-sdk/tenders.js";

export const pricer = {
  async pack(items) {
    count(Math.floor(items / 2));
    count(items - Math.floor(items / 2));
    if (items === 13) throw Fault.invalidInput("13 is not packed");
    return items;
  },

  async carve(text) {
    return text;
  },

  async haggle(kind) {
    const bids = tender("acme:wood/yard@0.1.0", "fetch", [kind], 50);
    const wood = bought("the wood", () => fetch(kind));
    return [...bids.map(({ price, out }) => out ?? `${price}`), wood];
  },
};

export const bidding = {
  async bid({ listPrice }) {
    return listPrice === null ? null : Math.floor((listPrice * 4) / 5);
  },
};

export const pricing = {
  async price(service, functionName, argumentsJson) {
    const { text } = JSON.parse(argumentsJson);
    if (service === "acme:pricer/pricer@0.1.0" && functionName === "carve" && text === "granite") throw new Failure("granite is too hard");
    if (text === "marble") await inWords(() => { throw Fault.refused("marble is kept for others"); });
    return 10 * text.length;
  },
};
