/** `npm run long`: the tests that take minutes. Arguments go to vitest. */
import { providePeers, thisMachine } from "./install-peers.ts";
import { closingLine, runVitest } from "./run-vitest.ts";

const canRun = providePeers(thisMachine);
const args = ["--config", "vitest.long.config.ts", ...process.argv.slice(2)];
const tests = canRun ? await runVitest("long tests (vitest)", args) : { ok: false, passed: 0, failed: 1, skipped: 0 };
process.exitCode = tests.ok ? 0 : 1;
console.log(closingLine(tests));
