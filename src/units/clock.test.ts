import { expect, it } from "vitest";
import { neverAborted } from "./abort.ts";
import { LONGEST_TIMER_MS, systemClock } from "./clock.ts";

/** Thirty years: Node's own timers would fire at once. */
const FAR_MS = 1e12;

it("sleeps for longer than a timer of Node's can", async () => {
  for (const longMs of [LONGEST_TIMER_MS + 1, FAR_MS, Number.POSITIVE_INFINITY]) {
    const over = new AbortController();
    const long = systemClock.sleep(longMs, over.signal).then(
      () => "over",
      () => "aborted",
    );
    const first = await Promise.race([long, systemClock.sleep(20, neverAborted())]);
    over.abort();
    expect([first, await long]).toEqual([undefined, "aborted"]);
  }
});
