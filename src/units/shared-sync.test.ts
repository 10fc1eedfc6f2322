import { expect, it } from "vitest";
import { createSharedSync } from "./shared-sync.ts";

/** Syncs that end when they are told to. */
function startSyncs() {
  const begun: { readonly folder: string; readonly end: PromiseWithResolvers<void> }[] = [];
  const shared = createSharedSync((folder) => {
    const end = Promise.withResolvers<void>();
    begun.push({ folder, end });
    return end.promise;
  });
  return { begun, shared };
}

it("syncs once more for all who asked while one was under way, and not for them by that one", async () => {
  const { begun, shared } = startSyncs();
  const ended: string[] = [];
  const ask = (name: string) => shared("a").then(() => ended.push(name));
  const first = ask("first");
  const others = [ask("second"), ask("third"), ask("fourth")];
  expect(begun).toHaveLength(1);
  begun[0]?.end.resolve();
  await first;
  await expect.poll(() => begun.length).toBe(2);
  expect(ended).toEqual(["first"]);
  begun[1]?.end.resolve();
  await Promise.all(others);
  expect([begun.length, ended]).toEqual([2, ["first", "second", "third", "fourth"]]);
});

it("tells of a sync that failed whom it was for, and syncs for the next one", async () => {
  const { begun, shared } = startSyncs();
  const first = shared("a");
  const second = shared("a");
  begun[0]?.end.reject(new Error("no disk"));
  await expect(first).rejects.toThrow("no disk");
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.end.resolve();
  await second;
});

it("lets one folder not wait for another", () => {
  const { begun, shared } = startSyncs();
  void shared("a");
  void shared("b");
  expect(begun.map(({ folder }) => folder)).toEqual(["a", "b"]);
});
