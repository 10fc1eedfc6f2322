import { join } from "node:path";
import { DateTime } from "luxon";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { openSqliteStore } from "../../store/sqlite/open.ts";
import type { Store } from "../../store/store.ts";
import { neverAborted } from "../../units/abort.ts";
import { silentLogger } from "../../units/logger.ts";
import { createManualClock, type ManualClock } from "../../units/manual-clock.testing.ts";
import type { Archive, RetrieveOutcome } from "../archive.ts";
import { governArchive } from "./govern-archive.ts";
import { createPace } from "./pace.ts";
import type { AvailabilityPolicy } from "./policy.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const DONE: RetrieveOutcome = { status: 0, completed: 1, failed: 0 };
const ALWAYS: AvailabilityPolicy = {
  windows: undefined,
  timeZone: undefined,
  studiesPerMinute: undefined,
  bytesPerSecond: undefined,
};

/** An archive that counts what it is asked, and answers as `answer` says. */
interface CountingArchive {
  readonly archive: Archive;
  /** When each study was begun. */
  readonly studies: readonly number[];
  readonly askedForMissing: number;
  readonly queries: number;
  answer: (signal: AbortSignal) => Promise<void>;
  outcome: RetrieveOutcome;
}

function countingArchive(clock: ManualClock): CountingArchive {
  const studies: number[] = [];
  let queries = 0;
  let askedForMissing = 0;
  const counting: CountingArchive = {
    studies,
    get askedForMissing() {
      return askedForMissing;
    },
    get queries() {
      return queries;
    },
    answer: () => Promise.resolve(),
    outcome: DONE,
    archive: {
      name: "vna",
      kind: "dimse",
      capabilities: { search: "itself", retrieves: "instance", connects: "us" },
      associations: 2,
      echo: (signal) => counting.answer(signal),
      async findStudies(_query, signal) {
        queries += 1;
        await counting.answer(signal);
        return [];
      },
      find: () => {
        throw new Error("not asked here");
      },
      listStudy: async () => ({ kind: "unknown" }),
      async retrieve({ instances }, signal) {
        if (instances === undefined) studies.push(clock.nowMs());
        else askedForMissing += 1;
        await counting.answer(signal);
        return counting.outcome;
      },
      rehearseRetrieval: async () => ({ kind: "nothing-to-try" }),
      async [Symbol.asyncDispose]() {},
    },
  };
  return counting;
}

interface Scene extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly counting: CountingArchive;
  readonly archive: Archive;
}

async function scene(policy: Partial<AvailabilityPolicy> = {}, startMs = Date.UTC(2026, 10, 18)): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const store = stack.use(await openSqliteStore({ path: join(folder.path, "radferry.db"), logger: silentLogger }));
  const clock = createManualClock(startMs);
  const counting = countingArchive(clock);
  const governance = { policy: { ...ALWAYS, ...policy }, store, clock, pace: createPace(clock) };
  const archive = governArchive(counting.archive, governance);
  return { clock, store, counting, archive, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const retrieve = ({ archive }: Scene) => archive.retrieve({ studyInstanceUid: STUDY }, neverAborted());
const find = ({ archive }: Scene) => archive.findStudies({ by: "study-uid", studyInstanceUid: STUDY }, neverAborted());

async function refusal(work: Promise<unknown>): Promise<readonly [code: string, untilMs: unknown]> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof GatewayError)) throw new Error("it was not refused", { cause: thrown });
  return [thrown.code, thrown.details.untilMs];
}

test("outside of its windows an archive is not asked, and the next opening is told", async () => {
  const london = { windows: ["Mon-Fri 20:00-08:00"], timeZone: "Europe/London" };
  await using at = await scene(london, Date.UTC(2026, 10, 18, 12));
  expect(await refusal(find(at))).toEqual(["ARCHIVE_CLOSED", Date.UTC(2026, 10, 18, 20)]);
  expect(await refusal(retrieve(at))).toEqual(["ARCHIVE_CLOSED", Date.UTC(2026, 10, 18, 20)]);
  await at.clock.advance(8 * 3_600_000);
  await retrieve(at);
  expect(at.counting.queries).toBe(0);
  expect(at.counting.studies).toHaveLength(1);
});

test.each([
  ["2026-03-29T00:59:59Z", "closed", "before the clocks go forward"],
  ["2026-03-29T01:00:00Z", "open", "after: 02:00 is skipped"],
  ["2026-10-25T00:29:59Z", "closed", "before 01:30 is shown first, as the clocks go back"],
  ["2026-10-25T01:10:00Z", "open", "as 01:10 is shown again"],
])("at %s it is %s: %s", async (instant, expected) => {
  const policy = { windows: ["Sun 01:30-06:00"], timeZone: "Europe/London" };
  await using at = await scene(policy, DateTime.fromISO(instant).toMillis());
  const outcome = await find(at).then(
    () => "open",
    (error: unknown) => (error instanceof GatewayError && error.code === "ARCHIVE_CLOSED" ? "closed" : error),
  );
  expect(outcome).toBe(expected);
});

test("windows set by an operator take the place of the settings', until they are taken back", async () => {
  await using at = await scene({}, Date.UTC(2026, 10, 18, 12));
  const overrides = { windows: ["Wed 13:00-14:00"], timeZone: "UTC" };
  await at.store.setArchiveControls("vna", { overrides }, 0);
  expect(await refusal(find(at))).toEqual(["ARCHIVE_CLOSED", Date.UTC(2026, 10, 18, 13)]);
  await at.store.setArchiveControls("vna", { overrides: { windows: null } }, 0);
  await find(at);
});

test("no minute holds more studies than the rate, and asking for what is missing takes no turn", async () => {
  await using at = await scene({ studiesPerMinute: 20 });
  let left = 45;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      const error = await retrieve(at).then(
        () => undefined,
        (thrown: GatewayError) => thrown,
      );
      if (error === undefined) {
        left -= 1;
        await at.archive.retrieve({ studyInstanceUid: STUDY, instances: [] }, neverAborted());
      } else await at.clock.sleep(Number(error.details.untilMs) - at.clock.nowMs());
    }
  };
  const workers = Promise.all(Array.from({ length: 5 }, worker));
  let isOver = false;
  const over = workers.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await at.store.archiveCondition("vna");
    await at.clock.advance(100);
  }
  await over;
  const { studies, askedForMissing } = at.counting;
  expect(studies.length).toBeGreaterThanOrEqual(45);
  expect(askedForMissing).toBe(studies.length);
  // The clock goes on a little between a turn and the study that takes it.
  const minuteMs = 59_000;
  for (const begunMs of studies) {
    expect(studies.filter((each) => each >= begunMs && each < begunMs + minuteMs).length).toBeLessThanOrEqual(20);
  }
});

/** When each of so many studies may be asked for, as it is told now: minutes from the scene's beginning. */
async function turnsOf(at: Scene, studies: number): Promise<readonly number[]> {
  const turns: number[] = [];
  for (let number = 1; number <= studies; number += 1) {
    const studyInstanceUid = parseStudyInstanceUid(`1.2.3.${number}`);
    const [code, untilMs] = await refusal(at.archive.retrieve({ studyInstanceUid }, neverAborted()));
    expect(code).toBe("ARCHIVE_RATE_LIMITED");
    turns.push((Number(untilMs) - at.clock.nowMs()) / 60_000);
  }
  return turns;
}

test("turns that were told at one rate do not hold at another", async () => {
  await using at = await scene({ studiesPerMinute: 0.1 });
  await retrieve(at);
  expect(await turnsOf(at, 3)).toEqual([10, 20, 30]);
  await at.store.setArchiveControls("vna", { overrides: { studiesPerMinute: 1 } }, at.clock.nowMs());
  await retrieve(at);
  expect(await turnsOf(at, 3)).toEqual([1, 2, 3]);
});

test("studies that are woken before their turn keep it: it does not move behind those of all others", async () => {
  await using at = await scene({ studiesPerMinute: 1 });
  await retrieve(at);
  expect(await turnsOf(at, 3)).toEqual([1, 2, 3]);
  expect(await turnsOf(at, 4)).toEqual([1, 2, 3, 4]);
});

test("turns of studies that could go on meanwhile are free again", async () => {
  await using at = await scene({ studiesPerMinute: 1 });
  await retrieve(at);
  await turnsOf(at, 3);
  const setRate = (studiesPerMinute: number | null) =>
    at.store.setArchiveControls("vna", { overrides: { studiesPerMinute } }, at.clock.nowMs());
  await setRate(null);
  for (const number of [1, 2, 3])
    await at.archive.retrieve({ studyInstanceUid: parseStudyInstanceUid(`1.2.3.${number}`) }, neverAborted());
  await setRate(1);
  await retrieve(at);
  expect(await turnsOf(at, 2)).toEqual([1, 2]);
});

test("a paused archive is not asked; what runs ends; resumed, it is asked at once", async () => {
  await using at = await scene();
  at.counting.answer = (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const running = refusal(retrieve(at));
  while (at.clock.sleeping === 0) await at.store.archiveCondition("vna");
  await at.store.setArchiveControls("vna", { paused: true }, at.clock.nowMs());
  await at.clock.advance(1_000);
  expect(await running).toEqual(["ARCHIVE_PAUSED", expect.any(Number)]);
  expect((await refusal(find(at)))[0]).toBe("ARCHIVE_PAUSED");
  expect(at.counting.queries).toBe(0);
  // A pause is no failure of the archive's.
  expect((await at.store.archiveCondition("vna")).breaker).toEqual({ state: "closed", failures: 0 });
  at.counting.answer = () => Promise.resolve();
  await at.store.setArchiveControls("vna", { paused: false }, at.clock.nowMs());
  await retrieve(at);
});

test("after five failures in a row the archive rests, one probe asks it again, and an answer ends it", async () => {
  await using at = await scene();
  const down = new GatewayError("ASSOCIATION_REJECTED_TRANSIENT");
  at.counting.answer = () => Promise.reject(down);
  for (let failure = 0; failure < 5; failure += 1) await expect(find(at)).rejects.toBe(down);
  const restMs = at.clock.nowMs() + 30_000;
  expect(await refusal(find(at))).toEqual(["ARCHIVE_RESTING", restMs]);
  expect(at.counting.queries).toBe(5);
  await at.clock.advance(30_000);
  const [probe, other] = await Promise.allSettled([find(at), find(at)]);
  expect([probe.status, other.status]).toEqual(["rejected", "rejected"]);
  expect(at.counting.queries).toBe(6);
  expect(await refusal(find(at))).toEqual(["ARCHIVE_RESTING", restMs + 60_000]);
  at.counting.answer = () => Promise.resolve();
  await at.archive.echo(neverAborted());
  await Promise.all([find(at), find(at)]);
  expect(at.counting.queries).toBe(8);
});

test("what was given up by us is no failure of the archive, nor is what it may rightly refuse", async () => {
  await using at = await scene();
  for (let time = 0; time < 6; time += 1) {
    at.counting.answer = () => Promise.reject(new GatewayError("ARCHIVE_REFUSED_REQUEST"));
    await expect(find(at)).rejects.toMatchObject({ code: "ARCHIVE_REFUSED_REQUEST" });
  }
  expect((await at.store.archiveCondition("vna")).breaker).toEqual({ state: "closed", failures: 0 });
});

test("an archive that asks to be left alone, in an answer or besides what it sent, is so by all who would ask it", async () => {
  await using at = await scene();
  const startMs = at.clock.nowMs();
  at.counting.outcome = { ...DONE, retryAfterMs: 30_000 };
  expect(await retrieve(at)).toMatchObject({ completed: 1 });
  expect(await refusal(find(at))).toEqual(["ARCHIVE_ASKED_TO_WAIT", startMs + 30_000]);
  await at.clock.advance(30_000);
  at.counting.answer = () =>
    Promise.reject(new GatewayError("HTTP_UNAVAILABLE", { status: 503, retryAfterMs: 60_000 }));
  expect(await refusal(find(at))).toEqual(["HTTP_UNAVAILABLE", undefined]);
  expect(await refusal(retrieve(at))).toEqual(["ARCHIVE_ASKED_TO_WAIT", startMs + 90_000]);
  expect(at.counting.queries).toBe(1);
  expect(at.counting.studies).toEqual([startMs]);
});

test("an answered echo ends such a wait", async () => {
  await using at = await scene();
  at.counting.outcome = { ...DONE, retryAfterMs: 3_600_000 };
  await retrieve(at);
  await at.archive.echo(neverAborted());
  await find(at);
  expect(at.counting.queries).toBe(1);
});
