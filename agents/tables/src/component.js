/** The component: sells tables, and buys the kind of bytes that nobody named. */

import { identify } from "commons:files/identifier@0.1.0";
import * as log from "../../../sdk/js/log.js";
import { formatBought, formatOfText } from "./format.js";
import { Remarks } from "./remarks.js";
import { check, textOf } from "./request.js";
import { tableOf } from "./table.js";

/** `commons:tables/converter` */
export const converter = {
  async convert(content, format) {
    check(content);
    const remarks = new Remarks();
    const named = format === "unknown" ? formatBought(content, identify, remarks, log.info) : format;
    const text = textOf(content);
    return tableOf(text, named ?? formatOfText(text), remarks);
  },
};
