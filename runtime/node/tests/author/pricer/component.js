/** Counts items for its customer, and names the price of a call, by the SDK for JavaScript. */

import { Failure, Fault, inWords } from "../vendor/hansa-sdk/fault.js";
import { count } from "../vendor/hansa-sdk/metering.js";

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
};

export const pricing = {
  async price(service, functionName, argumentsJson) {
    const { text } = JSON.parse(argumentsJson);
    if (service === "acme:pricer/pricer@0.1.0" && functionName === "carve" && text === "granite") throw new Failure("granite is too hard");
    if (text === "marble") await inWords(() => { throw Fault.refused("marble is kept for others"); });
    return 10 * text.length;
  },
};
