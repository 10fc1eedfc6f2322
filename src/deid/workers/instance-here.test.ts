import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Deidentifier, InstanceTask } from "../deidentifier.ts";
import { createStudyVerification } from "../verification/study-verification.ts";
import { createInstanceHere } from "./instance-here.ts";
import type { StudyTask } from "./protocol.ts";

const LIMITS = { workTimeoutMs: 1_000, abortTimeoutMs: 100 };
const MEBIBYTE = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const task = (path: string, sizeBytes?: number): StudyTask => ({
  path,
  outputPath: `${path}.out`,
  participantId: undefined,
  seriesInstanceCount: 1,
  ...(sizeBytes === undefined ? {} : { sizeBytes }),
});

/** A disk that never answers, but for what it was asked before. */
function engineOn(told: AbortSignal[]): Deidentifier {
  return {
    instance({ path }: InstanceTask, stop) {
      told.push(stop);
      return path === "answers" ? Promise.resolve({ kind: "excluded", reason: "modality" }) : new Promise(() => {});
    },
    verify: () => Promise.reject(new Error("nobody asks")),
  };
}

const TIMED_OUT = { kind: "rejected", code: "DEIDENTIFICATION_UNPROVEN", reason: "instance-timed-out" };

it("rejects an instance that the disk never gives, tells it to stop, and goes on with the others", async () => {
  const told: AbortSignal[] = [];
  const here = createInstanceHere(engineOn(told), createStudyVerification(), LIMITS, new AbortController().signal);
  const hung = here(task("hangs"));
  expect(await here(task("answers"))).toEqual({ kind: "excluded", reason: "modality" });
  await vi.advanceTimersByTimeAsync(LIMITS.workTimeoutMs);
  expect(await hung).toEqual(TIMED_OUT);
  expect(told.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(await here(task("answers"))).toEqual({ kind: "excluded", reason: "modality" });
  expect(vi.getTimerCount()).toBe(0);
});

it("gives a large instance the time it takes to read it", async () => {
  const here = createInstanceHere(engineOn([]), createStudyVerification(), LIMITS, new AbortController().signal);
  const outcomes: unknown[] = [];
  void here(task("hangs", 50 * MEBIBYTE)).then((outcome) => outcomes.push(outcome));
  await vi.advanceTimersByTimeAsync(LIMITS.workTimeoutMs + 10_000);
  expect(outcomes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(outcomes).toEqual([TIMED_OUT]);
});

it("ends with the run, though the disk does not", async () => {
  const run = new AbortController();
  const here = createInstanceHere(engineOn([]), createStudyVerification(), LIMITS, run.signal);
  const hung = here(task("hangs"));
  const refused = expect(hung).rejects.toThrow("enough");
  run.abort(new Error("enough"));
  await vi.advanceTimersByTimeAsync(LIMITS.abortTimeoutMs);
  await refused;
});
