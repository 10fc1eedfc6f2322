import { expect, it } from "vitest";
import { createBodyQueue } from "./body-queue.ts";

const PIECE = new Uint8Array(128 * 1024);

function recorded() {
  const calls: string[] = [];
  const socket = {
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
    stop: () => calls.push("stop"),
  };
  return { calls, queue: createBodyQueue(socket) };
}

it("holds the socket back when the reader is behind, and lets it go on when half of it is read", async () => {
  const { calls, queue } = recorded();
  const pieces = queue[Symbol.asyncIterator]();
  queue.push(PIECE);
  expect(calls).toEqual([]);
  queue.push(PIECE);
  expect(calls).toEqual(["pause"]);
  await pieces.next();
  expect(calls).toEqual(["pause", "resume"]);
});

it("counts pieces too: tiny ones cost more than their bytes", () => {
  const { calls, queue } = recorded();
  for (let count = 0; count < 1_024; count += 1) queue.push(Uint8Array.of(1));
  expect(calls).toEqual(["pause"]);
});

it("gives what came before a failure, then the failure", async () => {
  const { queue } = recorded();
  queue.push(PIECE);
  queue.end(new Error("cut"));
  const pieces = queue[Symbol.asyncIterator]();
  expect((await pieces.next()).value).toBe(PIECE);
  await expect(pieces.next()).rejects.toThrow("cut");
});

it("stops the socket when the reader leaves before the end, not after it", async () => {
  const early = recorded();
  early.queue.push(PIECE);
  for await (const _ of early.queue) break;
  expect(early.calls).toEqual(["stop"]);
  const late = recorded();
  late.queue.end();
  for await (const _ of late.queue) break;
  expect(late.calls).toEqual([]);
});
