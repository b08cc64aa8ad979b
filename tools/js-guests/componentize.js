/** The command line of componentize-qjs, straight from its native part: its npm package only chooses among platforms. */

import { createRequire } from "node:module";

const { runCli } = createRequire(import.meta.url)(`@andreiltd/componentize-qjs-binding-linux-${process.arch}-gnu`);

process.exitCode = (await runCli(process.argv.slice(2))) ? 0 : 1;
