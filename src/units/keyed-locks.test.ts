import { expect, it } from "vitest";
import { neverAborted } from "./abort.ts";
import { createKeyedLocks } from "./keyed-locks.ts";

it("forgets keys that nobody holds, also those that were refused", async () => {
  const locks = createKeyedLocks<string>();
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(locks.acquire("refused", aborted)).rejects.toThrow("enough");
  expect(locks.size).toBe(0);
  {
    using _held = await locks.acquire("held", neverAborted());
    await expect(locks.acquire("held", aborted)).rejects.toThrow("enough");
    expect(locks.size).toBe(1);
  }
  expect(locks.size).toBe(0);
});
