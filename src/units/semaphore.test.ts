import { expect, it } from "vitest";
import { createSemaphore } from "./semaphore.ts";

it("holds as many as its limit, and serves who waits in order", async () => {
  const semaphore = createSemaphore(2);
  const first = await semaphore.acquire();
  await semaphore.acquire();
  const served: string[] = [];
  const third = semaphore.acquire().then(() => served.push("third"));
  const fourth = semaphore.acquire().then(() => served.push("fourth"));
  expect(semaphore).toMatchObject({ inUse: 2, waiting: 2 });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await third;
  expect(served).toEqual(["third"]);
  expect(semaphore).toMatchObject({ inUse: 2, waiting: 1 });
  void fourth;
});

it("lets go of who stops waiting", async () => {
  const semaphore = createSemaphore(1);
  const held = await semaphore.acquire();
  const stop = new AbortController();
  const waiting = semaphore.acquire(stop.signal);
  stop.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  expect(semaphore.waiting).toBe(0);
  held[Symbol.dispose]();
  using _next = await semaphore.acquire();
  expect(semaphore.inUse).toBe(1);
});

it("gives nothing to who has stopped already", () => {
  expect(() => createSemaphore(1).acquire(AbortSignal.abort())).toThrow();
});
