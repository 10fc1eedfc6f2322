import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { keepLease } from "./keep-lease.ts";

/** A store that answers each renewal as it is told; `undefined`: it is away. */
function keeping(answer: (nowMs: number) => boolean | undefined, code: "STORE_UNAVAILABLE" | "STORE_DAMAGED") {
  const clock = createManualClock();
  const lost = new AbortController();
  let renewals = 0;
  const store = {
    async renew(_lease: object, _leaseMs: number, nowMs: number): Promise<boolean> {
      renewals += 1;
      const isOurs = answer(nowMs);
      if (isOurs === undefined) throw new GatewayError(code);
      return isOurs;
    },
  };
  const lease = keepLease({ store, clock }, { jobId: "1", token: "t" }, lost);
  return { clock, lost: lost.signal, lease, renewals: () => renewals };
}

const away = (fromMs: number, untilMs: number) => (nowMs: number) =>
  nowMs >= fromMs && nowMs < untilMs ? undefined : true;

it("keeps a job's work up while the store is away for a moment", async () => {
  const { clock, lost, lease, renewals } = keeping(away(5_000, 25_000), "STORE_UNAVAILABLE");
  await clock.advance(120_000);
  expect([lost.aborted, renewals()]).toEqual([false, 120]);
  await lease[Symbol.asyncDispose]();
  await clock.advance(10_000);
  expect(renewals()).toBe(120);
});

it("ends it well before another may have the job, when the store stays away", async () => {
  const { clock, lost, lease } = keeping(away(5_000, Number.POSITIVE_INFINITY), "STORE_UNAVAILABLE");
  await clock.advance(33_000);
  expect(lost.aborted).toBe(false);
  await clock.advance(1_000);
  expect(lost.reason).toMatchObject({ code: "STORE_UNAVAILABLE" });
  await lease[Symbol.asyncDispose]();
});

const REFUSALS: readonly (readonly [string, boolean | undefined, string])[] = [
  ["the job is another's", false, "LEASE_LOST"],
  ["the store says what does not pass", undefined, "STORE_DAMAGED"],
];

it.each(REFUSALS)("ends it at once when %s", async (_, answer, code) => {
  const { clock, lost, lease } = keeping(() => answer, "STORE_DAMAGED");
  await clock.advance(1_000);
  expect(lost.reason).toMatchObject({ code });
  await lease[Symbol.asyncDispose]();
});
