import { expect, it } from "vitest";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { neverAborted } from "../../../units/abort.ts";
import { createManualClock } from "../../../units/manual-clock.testing.ts";
import { holdLease } from "./lease.ts";

const LEASE = { messageId: "message-1", token: "token" };

/** A store whose answers to renewals are given; `undefined` is a store that is away. */
function holding(answers: readonly (boolean | undefined)[], stop = neverAborted()) {
  const clock = createManualClock();
  const renewals: (readonly [atMs: number, progress: string | undefined])[] = [];
  const store = {
    renewInboxMessage: (_: object, __: number, nowMs: number, progress?: string) => {
      const answer = answers[renewals.length];
      renewals.push([nowMs, progress]);
      return answer === undefined ? Promise.reject(new GatewayError("STORE_UNAVAILABLE")) : Promise.resolve(answer);
    },
  };
  return { clock, renewals, lease: holdLease(LEASE, { store, clock, leaseMs: 60_000 }, stop) };
}

it("renews a claim three times as often as it needs, and through a moment without the store", async () => {
  const { clock, renewals, lease } = holding([true, undefined, true]);
  await clock.advance(60_000);
  expect(renewals.map(([atMs]) => atMs)).toEqual([20_000, 40_000, 60_000]);
  expect([lease.isLost, lease.signal.aborted]).toEqual([false, false]);
  await lease[Symbol.asyncDispose]();
  await clock.advance(60_000);
  expect(renewals).toHaveLength(3);
});

it("ends the work when another has the message", async () => {
  const { clock, lease } = holding([false]);
  await clock.advance(20_000);
  expect(lease.isLost).toBe(true);
  expect(lease.signal.reason).toMatchObject({ code: "LEASE_LOST" });
  await lease[Symbol.asyncDispose]();
});

it("writes progress down at once, and says when the message is another's", async () => {
  const { renewals, lease } = holding([true, false]);
  await lease.renew("{}");
  expect(renewals).toEqual([[0, "{}"]]);
  await expect(lease.renew("{}")).rejects.toMatchObject({ code: "LEASE_LOST" });
  await lease[Symbol.asyncDispose]();
});

it("ends the work when it is told to, without losing the message", async () => {
  const stop = new AbortController();
  const { lease } = holding([], stop.signal);
  stop.abort(new Error("stopped"));
  expect(lease.signal.reason).toMatchObject({ message: "stopped" });
  expect(lease.isLost).toBe(false);
  await lease[Symbol.asyncDispose]();
});
