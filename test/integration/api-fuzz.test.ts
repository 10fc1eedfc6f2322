import { describe, expect, it } from "vitest";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { fuzzApi } from "../peers/schemathesis.ts";
import { openFuzzedSite } from "../support/fuzzed-site.ts";

describe.skipIf(!requirePythonPeers())("the API, asked by chance", () => {
  it("answers as its own OpenAPI document says, and never with a failure of its own", async () => {
    await using site = await openFuzzedSite();
    // Who follows the events is answered for as long as he stays; who revokes tokens may revoke the fuzzer's own.
    const withoutPaths = ["/api/v1/events", "/api/v1/tokens/{token}"];
    const options = { url: site.url, token: site.admin, withoutPaths };
    const { exitCode, output } = await fuzzApi({ ...options, phases: ["fuzzing"], examples: 3, seed: 1 });
    expect(output).toMatch(/\d+ generated, \d+ passed/);
    expect(exitCode, output).toBe(0);
  }, 180_000);
});
