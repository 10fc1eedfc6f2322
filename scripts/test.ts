/** `npm test`: provides the test peers, then format, lint, types, dead code and all tests. Arguments go to vitest: `npm test -- src/dicom`. */
import { runChecks } from "./checks.ts";
import { providePeers, thisMachine } from "./install-peers.ts";
import { closingLine, runVitest } from "./run-vitest.ts";

if (providePeers(thisMachine)) {
  const failedChecks = await runChecks();
  const tests = await runVitest("tests (vitest)", process.argv.slice(2));
  process.exitCode = failedChecks === 0 && tests.ok ? 0 : 1;
  // A failed check counts as one failure, so that this line never says less than the exit code.
  console.log(closingLine({ ...tests, failed: tests.failed + failedChecks }));
} else {
  process.exitCode = 1;
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
}
