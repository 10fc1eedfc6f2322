import { afterEach, beforeEach, expect, it } from "vitest";
import { neverAborted } from "../../units/abort.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import type { Work } from "./protocol.ts";
import { recipeOf } from "./recipe.ts";
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

/** Answers as a thread of ours does; a path says what goes wrong. */
const THREAD = `
  import { parentPort } from "node:worker_threads";
  const calls = [];
  const engines = new Set();
  let isCalledOff = false;
  const answer = () => {
    if (calls[0] === undefined || (calls[0].work.task.path === "waits" && !isCalledOff)) return;
    setImmediate(answer);
    const { call, work } = calls.shift();
    const { path } = work.task;
    if (path === "ends") process.exit(1);
    if (path === "hangs") for (;;);
    if (path === "engines") parentPort.postMessage({ call, result: { kind: "instance", outcome: { kind: "excluded", reason: [...engines].join() } } });
    else
    if (path === "fails") parentPort.postMessage({ call, failure: { kind: "gateway", code: "STAGING_FULL", details: {}, stack: "" } });
    else parentPort.postMessage({ call, result: { kind: "instance", outcome: { kind: "excluded", reason: path } } });
  };
  parentPort.on("message", (message) => {
    if (message.abort !== undefined) isCalledOff = true;
    if (message.recipe !== undefined) engines.add(message.engine);
    if (message.forgetEngine !== undefined) engines.delete(message.forgetEngine);
    if (message.work !== undefined) calls.push(message);
    setImmediate(answer);
  });
  parentPort.postMessage({ ready: true });
`;

let pool: WorkerPool | undefined;
beforeEach(() => {
  pool = undefined;
});
afterEach(() => pool?.[Symbol.asyncDispose]());

function open(options: WorkerPoolOptions, thread = THREAD): WorkerPool {
  const main = new URL(`data:text/javascript,${encodeURIComponent(thread)}`);
  pool = createWorkerPool({ threads: 1, ...options, main });
  return pool;
}

function work(path: string, engine = 0): Work {
  const task = { path, outputPath: `${path}.dcm`, participantId: undefined, seriesInstanceCount: 1 };
  return { kind: "instance", engine, study: 1, task };
}

/** What became of each, done at once. */
async function ends(
  of: WorkerPool,
  paths: readonly string[],
  { signal = neverAborted(), engine = 0 } = {},
): Promise<readonly string[]> {
  const all = await Promise.all(paths.map((path) => of.work(work(path, engine), signal)));
  return all.map((end) => {
    if (end.kind === "thrown") return end.error.message;
    if (end.kind === "lost") return end.why;
    return end.kind === "done" && end.result.kind === "instance" && end.result.outcome.kind === "excluded"
      ? end.result.outcome.reason
      : end.kind;
  });
}

it("gives every piece of work to a thread, and has few under way", async () => {
  const all = open({ threads: 2 });
  const paths = Array.from({ length: 20 }, (_, index) => `${index}`);
  expect(await ends(all, paths)).toEqual(paths);
  expect(all.capacity).toBe(4);
});

it("passes errors on", async () => {
  expect(await ends(open({}), ["fails", "next"])).toEqual([
    "The staging disk is full or below its reserve; retrieval pauses.",
    "next",
  ]);
});

it.each([
  ["ends", "worker-ended"],
  ["hangs", "worker-timed-out"],
])("loses the work over which a thread %s, and no other", async (path, why) => {
  const paths = ["before", path, "after", path, "last"];
  expect(await ends(open({ workTimeoutMs: 1_000 }), paths)).toEqual(["before", why, "after", why, "last"]);
});

it("calls off work that does not give way", async () => {
  const all = open({ abortTimeoutMs: 50 });
  const controller = new AbortController();
  const called = all.work(work("hangs"), controller.signal);
  expect(await all.start()).toBe(true);
  controller.abort(new Error("enough"));
  expect(await called).toEqual({ kind: "lost", why: "worker-ended" });
  await expect(all.work(work("late"), controller.signal)).rejects.toThrow("enough");
  expect(await ends(all, ["next"])).toEqual(["next"]);
});

it("says that it has no threads when none can be had", async () => {
  const none = open({}, "process.exit(1)");
  expect(await none.start()).toBe(false);
  expect(await ends(none, ["anything"])).toEqual(["not-begun"]);
});

it("has small work done beside a large one, by one thread more until the large one is done", async () => {
  const all = open({ helpAfterMs: 1 });
  const controller = new AbortController();
  const large = all.work(work("waits"), controller.signal);
  // Given to the same thread: it waits its turn there.
  const behind = all.work(work("behind"), neverAborted());
  expect(await ends(all, ["a", "b", "c"])).toEqual(["a", "b", "c"]);
  controller.abort();
  expect([(await large).kind, (await behind).kind]).toEqual(["done", "done"]);
  expect(await ends(all, ["d", "e", "f"])).toEqual(["d", "e", "f"]);
});

it("ends its threads when there is nothing to do, and starts them again", async () => {
  const all = open({ restAfterMs: 1 });
  await ends(all, ["first"]);
  while (all.isReady) await new Promise(setImmediate);
  expect(await ends(all, ["second"])).toEqual(["second"]);
});

it("has its threads make an engine once, and forget it when it is closed", async () => {
  const all = open({});
  const recipe = recipeOf({ profile: loadProfile("basic"), key: projectKeyOf(Buffer.alloc(32, 1)), filters: {} });
  if (recipe === undefined) throw new Error("it can be passed on");
  const [first, second] = [all.openEngine(recipe), all.openEngine(recipe)];
  for (const engine of [first, second, first]) await ends(all, ["used"], { engine });
  expect(await ends(all, ["engines"])).toEqual([`${first},${second}`]);
  all.closeEngine(first);
  expect(await ends(all, ["engines"])).toEqual([`${second}`]);
});
