import { expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { POISON, rehearseKills } from "../support/pixl-kills.ts";

const hasPeers = [requirePeer("Orthanc"), requirePeer("rabbitmq-server"), requirePeer("initdb")].every(Boolean);

it.skipIf(!hasPeers)(
  "hands every study over though service, orthanc-raw and broker are killed in between",
  async () => {
    const report = await rehearseKills({
      seed: 1,
      studies: 12,
      killsOfEach: 1,
      rate: 4,
      longestPauseMs: 800,
      timeoutMs: 40_000,
    });
    expect(report).toMatchObject({ handedOver: 12, lost: 0, left: 0, parked: [...POISON].sort() });
    expect(report.kills.some(({ handedOver }) => handedOver > 0)).toBe(true);
  },
  120_000,
);
