import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { refusal } from "../contract/support.testing.ts";
import { followThread } from "./thread.ts";

it("is not ready, and has ended, when the thread dies before its first word", async () => {
  const { ready, ended } = followThread(new Worker("throw new Error('no disk')", { eval: true }));
  await expect(ready).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
  expect(await ended).toMatchObject({ message: "no disk" });
});

it("passes a refusal on once the thread is gone", async () => {
  const text =
    "require('node:worker_threads').parentPort.postMessage({ refused: { code: 'STORE_NOT_OURS', details: {} } })";
  const thread = new Worker(text, { eval: true });
  await expect(followThread(thread).ready).rejects.toEqual(refusal("STORE_NOT_OURS"));
  expect(thread.threadId).toBe(-1);
});

it("says what ended a thread that was ready", async () => {
  const text =
    "require('node:worker_threads').parentPort.once('message', () => { throw new Error('gone') }).postMessage({ ready: true })";
  const thread = new Worker(text, { eval: true });
  const { ready, ended } = followThread(thread);
  await ready;
  thread.postMessage("die");
  expect(await ended).toMatchObject({ message: "gone" });
});
