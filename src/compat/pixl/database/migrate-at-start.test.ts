import { expect, it } from "vitest";
import { freePort } from "../../../../test/peers/free-port.ts";
import { neverAborted } from "../../../units/abort.ts";
import { silentLogger } from "../../../units/logger.ts";
import { migrateAtStart } from "./migrate-at-start.ts";

const options = async () => ({ host: "127.0.0.1", port: await freePort(), database: "d", user: "u", password: "" });

/** Time passes by sleeping alone. */
function sleepingClock(onSleep: () => void = () => undefined) {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    async sleep(durationMs: number, signal?: AbortSignal) {
      onSleep();
      signal?.throwIfAborted();
      nowMs += durationMs;
    },
  };
}

it("waits ten seconds for a database that is not there, then says so", async () => {
  const clock = sleepingClock();
  const starting = migrateAtStart(await options(), { clock, logger: silentLogger, signal: neverAborted() });
  await expect(starting).rejects.toMatchObject({ code: "PIXL_DATABASE_UNAVAILABLE" });
  expect(clock.nowMs()).toBe(10_000);
});

it("stops waiting when it is told to", async () => {
  const ending = new AbortController();
  const clock = sleepingClock(() => ending.abort("enough"));
  const starting = migrateAtStart(await options(), { clock, logger: silentLogger, signal: ending.signal });
  await expect(starting).rejects.toBe("enough");
});
