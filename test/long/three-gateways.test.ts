import { describe, expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { rehearseNodeKills } from "../support/several-gateways.ts";

const SEED = Number(process.env.KILL_SEED ?? 2_026);
const STUDIES = 300;
const GATEWAYS = 3;
const KILLS = 10;

describe.runIf(requirePeer("initdb"))("three gateways on one PostgreSQL", () => {
  it(`deliver every study once though each is killed ${KILLS} times, seed ${SEED}`, async () => {
    const report = await rehearseNodeKills(
      { gateways: GATEWAYS, studies: STUDIES, associations: 3 },
      { seed: SEED, kills: KILLS, lifeMs: [500, 6_000], timeoutMs: 20 * 60_000 },
    );
    process.stdout.write(`three gateways, seed ${SEED}: ${JSON.stringify(report)}\n`);
    expect(report.kills).toBe(GATEWAYS * KILLS);
    expect(report.underWay, "most kills hit work under way").toBeGreaterThanOrEqual(report.kills / 2);
  });
});
