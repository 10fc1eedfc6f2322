import { expect, it } from "vitest";
import { type LaneOptions, startLane } from "../../src/compat/pixl/processing/lane.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { createManualClock } from "../../src/units/manual-clock.testing.ts";

it.each([
  ["goes on", 0],
  ["is set back by a minute and a half", -90_000],
  ["is set back by an hour", -3_600_000],
])(
  "looks for a message again whose claim the store carried out and did not answer, when the clock %s",
  async (_, setByMs) => {
    const manual = createManualClock(10_000_000);
    const claimedAtMs: number[] = [];
    const nowMs = () => manual.nowMs() + (claimedAtMs.length > 0 ? setByMs : 0);
    let dueAtMs = 0;
    const store = {
      nextInboxDueAtMs: async () => dueAtMs,
      async claimInboxMessage(_queue: string, leaseMs: number, atMs: number) {
        if (atMs < dueAtMs) return undefined;
        claimedAtMs.push(atMs);
        dueAtMs = atMs + leaseMs;
        throw new GatewayError("STORE_UNAVAILABLE");
      },
    };
    const lane = startLane("imaging-primary", {
      store,
      buckets: { rate: 1, take: async () => undefined },
      processing: { clock: { ...manual, nowMs }, logger: silentLogger, settings: { maximumInFlight: 1 } },
      onSettled: () => undefined,
    } as unknown as LaneOptions);
    await manual.advance(50_000);
    expect(claimedAtMs).toHaveLength(1);
    await manual.advance(20_000 - setByMs);
    expect(claimedAtMs.length).toBeGreaterThan(1);
    await lane.drain(0);
  },
);
