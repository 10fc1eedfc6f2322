import { expect, it } from "vitest";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { fuzzApi } from "../peers/schemathesis.ts";
import { openFuzzedSite } from "../support/fuzzed-site.ts";

/** `npm run long`: the edges of every parameter, and requests that `npm test` has not seen. */
const SEEDS = [1, 2, 3];

it.skipIf(!requirePythonPeers()).each(SEEDS)("answers as its own document says, seed %i", async (seed) => {
  await using site = await openFuzzedSite();
  // A search that is as it should be asks the archive, which is away: 503 is the right answer, and a failure to the fuzzer.
  const withoutPaths = ["/api/v1/events", "/api/v1/tokens/{token}", "/api/v1/cohorts/search"];
  const { exitCode, output } = await fuzzApi({
    ...{ url: site.url, token: site.admin, withoutPaths, seed },
    phases: ["coverage", "fuzzing", "stateful"],
    examples: 60,
  });
  expect(exitCode, output).toBe(0);
});
