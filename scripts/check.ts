/** `npm run check`: format, lint, types and dead code, without the tests. */
import { runChecks } from "./checks.ts";

process.exitCode = (await runChecks()) === 0 ? 0 : 1;
