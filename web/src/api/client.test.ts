import { afterEach, expect, it, vi } from "vitest";
import { ask, LONG_WORK_MS } from "./client.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** How long an answer is waited for. */
async function patienceOf(options: Parameters<typeof ask>[1]): Promise<number | undefined> {
  const timeout = vi.spyOn(AbortSignal, "timeout");
  vi.stubGlobal("fetch", async () => Response.json({}));
  await ask("/here", options);
  return timeout.mock.lastCall?.[0];
}

it("waits a minute for what is looked up, and longer for a file on a slow line and for what takes its time by nature", async () => {
  expect(await patienceOf({})).toBe(60_000);
  expect(await patienceOf({ method: "POST", body: { name: "a" } })).toBe(60_000);
  expect(await patienceOf({ method: "POST", body: new Blob(["study_instance_uid\n"]) })).toBe(LONG_WORK_MS);
  expect(await patienceOf({ method: "POST", timeoutMs: LONG_WORK_MS })).toBe(LONG_WORK_MS);
});
