import { describe, expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { rehearseNodeKills } from "../support/several-gateways.ts";

const SEED = 11;

describe.runIf(requirePeer("initdb"))("several gateways on one PostgreSQL", () => {
  it(`deliver every study once though each is killed, seed ${SEED}`, async () => {
    const report = await rehearseNodeKills(
      { gateways: 2, studies: 12, associations: 2 },
      { seed: SEED, kills: 1, lifeMs: [100, 600], timeoutMs: 60_000 },
    );
    expect(report).toMatchObject({ kills: 2, peakAssociations: expect.any(Number) });
    expect(report.underWay).toBeGreaterThanOrEqual(1);
  }, 90_000);
});
