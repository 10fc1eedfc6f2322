import { describe, expect, it } from "vitest";
import { abortAfter, neverAborted } from "./abort.ts";
import { systemClock } from "./clock.ts";

describe("abortAfter", () => {
  it("aborts with TIMED_OUT when the time is over", async () => {
    using signal = abortAfter(1);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    expect(signal.reason).toMatchObject({ code: "TIMED_OUT", details: { timeoutMs: 1 } });
  });

  it("waits when the time is longer than a timer of Node's", async () => {
    using signal = abortAfter(1e12);
    await systemClock.sleep(20);
    expect(signal.aborted).toBe(false);
  });

  it("passes an outer abort on, with its reason", () => {
    const outer = new AbortController();
    using signal = abortAfter(60_000, outer.signal);
    outer.abort("enough");
    expect(signal.reason).toBe("enough");
    using late = abortAfter(60_000, outer.signal);
    expect(late.aborted).toBe(true);
  });

  it("is not needed by who has no signal", () => {
    expect(neverAborted().aborted).toBe(false);
  });
});
