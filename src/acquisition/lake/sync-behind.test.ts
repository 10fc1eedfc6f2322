import { expect, it, vi } from "vitest";
import { createSyncBehind } from "./sync-behind.ts";

it("syncs when so much was written, once at a time", async () => {
  const under = Promise.withResolvers<void>();
  const sync = vi.fn(() => under.promise);
  const syncs = createSyncBehind(sync, 10);
  for (const sizeBytes of [9, 1, 20]) syncs.wrote(sizeBytes);
  await vi.waitFor(() => expect(sync).toHaveBeenCalledTimes(1));
  under.resolve();
  await syncs.settled();
  expect(sync).toHaveBeenCalledTimes(1);
  syncs.wrote(1);
  await syncs.settled();
  expect(sync).toHaveBeenCalledTimes(2);
});

it("remembers a sync that failed, whatever a later one says", async () => {
  const sync = vi.fn(async () => {}).mockRejectedValueOnce(new Error("EIO"));
  const syncs = createSyncBehind(sync, 10);
  syncs.wrote(10);
  await expect(syncs.settled()).rejects.toThrow("EIO");
  syncs.wrote(10);
  await expect(syncs.settled()).rejects.toThrow("EIO");
});
