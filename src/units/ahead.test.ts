import { expect, it } from "vitest";
import { ahead } from "./ahead.ts";

it("gives results in the order of the list, whichever was first, and begins no more than allowed", async () => {
  const begun: number[] = [];
  const doors = [0, 1, 2, 3].map(() => Promise.withResolvers<string>());
  const results = ahead(doors.entries(), 2, ([index, { promise }]) => {
    begun.push(index);
    return promise;
  });
  const first = results.next();
  doors[1]?.resolve("second");
  doors[0]?.resolve("first");
  expect(await first).toEqual({ done: false, value: "first" });
  expect(begun).toEqual([0, 1]);
  doors[2]?.resolve("third");
  doors[3]?.resolve("fourth");
  expect(await Array.fromAsync(results)).toEqual(["second", "third", "fourth"]);
});

it("waits for what is under way before it fails", async () => {
  const slow = Promise.withResolvers<void>();
  let isOver = false;
  const results = ahead([true, false], 2, async (fails) => {
    if (fails) throw new Error("no");
    await slow.promise;
    isOver = true;
  });
  const failed = expect(results.next()).rejects.toThrow("no");
  slow.resolve();
  await failed;
  expect(isOver).toBe(true);
});
