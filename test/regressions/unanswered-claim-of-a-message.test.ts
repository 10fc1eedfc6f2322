import { expect, it } from "vitest";
import { type LaneOptions, startLane } from "../../src/compat/pixl/processing/lane.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { createManualClock } from "../../src/units/manual-clock.testing.ts";

it("looks for a message again whose claim the store carried out and did not answer", async () => {
  const clock = createManualClock();
  const claimedAtMs: number[] = [];
  let isDue = true;
  const store = {
    nextInboxDueAtMs: async () => (isDue ? 0 : undefined),
    async claimInboxMessage(_queue: string, _leaseMs: number, nowMs: number) {
      claimedAtMs.push(nowMs);
      const isFirst = isDue;
      // It is claimed, and nothing waits any more.
      isDue = false;
      if (isFirst) throw new GatewayError("STORE_UNAVAILABLE");
      return undefined;
    },
  };
  const lane = startLane("imaging-primary", {
    store,
    buckets: { rate: 1, take: async () => undefined },
    processing: { clock, logger: silentLogger, settings: { maximumInFlight: 1 } },
    onSettled: () => undefined,
  } as unknown as LaneOptions);
  await clock.advance(50_000);
  expect(claimedAtMs).toEqual([0]);
  await clock.advance(20_000);
  expect(claimedAtMs.length).toBeGreaterThan(1);
  expect(claimedAtMs[1]).toBeGreaterThanOrEqual(60_000);
  await lane.drain(0);
});
