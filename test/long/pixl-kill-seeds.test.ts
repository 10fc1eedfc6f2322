import { expect, it } from "vitest";
import { requirePeer } from "../peers/require-peer.ts";
import { POISON, rehearseKills } from "../support/pixl-kills.ts";

const STUDIES = 50;
const hasPeers = [requirePeer("Orthanc"), requirePeer("rabbitmq-server"), requirePeer("initdb")].every(Boolean);

it.skipIf(!hasPeers).each([1, 2, 3])("hands 50 PIXL studies over through 15 kills, seed %i", async (seed) => {
  const report = await rehearseKills({
    seed,
    studies: STUDIES,
    killsOfEach: 5,
    rate: 4,
    longestPauseMs: 1_500,
    timeoutMs: 120_000,
  });
  const { handedOver, lost, duplicates, parked, parkedAgain, left, kills, seconds } = report;
  const moments = kills.map((kill) => `${kill.victim} after ${kill.handedOver}`).join(", ");
  process.stdout.write(
    `seed ${seed}: ${handedOver} of ${STUDIES} handed over, ${lost} lost, ${duplicates} told twice, ${parked.length} parked (${parkedAgain} again), ` +
      `${left} left in the queues, ${seconds.toFixed(1)} s; killed: ${moments}\n`,
  );
  expect(report).toMatchObject({ handedOver: STUDIES, lost: 0, left: 0, parked: [...POISON].sort() });
});
