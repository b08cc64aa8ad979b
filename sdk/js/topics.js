/**
 * Topics on the bus: whoever follows one hears what is published while it listens.
 * The world needs `import hansa:agent/topics@0.1.0;`, and `agent.toml` asks for `topics.publish`.
 */

import * as topics from "hansa:agent/topics@0.1.0";
import { Fault } from "./fault.js";
import { encode } from "./utf8.js";

/**
 * Publish at most 256 KiB on `topic`, words joined by dots. Throws the fault `failed`: the topic is not granted, or the bus cannot be reached.
 * @param {string} topic
 * @param {string | Uint8Array} payload a text goes as UTF-8
 */
export function publish(topic, payload) {
  try {
    topics.publish(topic, typeof payload === "string" ? encode(payload) : payload);
  } catch (error) {
    throw Fault.failed(`could not publish on \`${topic}\`: ${Object(error).payload ?? error}`);
  }
}
