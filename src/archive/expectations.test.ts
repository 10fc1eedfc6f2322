import { describe, expect, it } from "vitest";
import { parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { neverAborted } from "../units/abort.ts";
import type { Clock } from "../units/clock.ts";
import { createExpectations } from "./expectations.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const FIRST = parseSopInstanceUid("1.2.3.1");
const PATIENCE = { quietMs: 3_000, longestMs: 20_000 };
const SECOND = parseSopInstanceUid("1.2.3.2");

/** A clock that moves only when somebody sleeps, by a millisecond at a time, and does what is due then. */
function scriptedClock(script: ReadonlyMap<number, () => void>): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    async sleep(durationMs, signal) {
      for (let passed = 0; passed < durationMs; passed += 1) {
        signal?.throwIfAborted();
        nowMs += 1;
        script.get(nowMs)?.();
      }
    },
  };
}

describe("a study", () => {
  it("is expected as long as a retrieval waits for it, however many do", () => {
    const expectations = createExpectations(scriptedClock(new Map()));
    {
      using _one = expectations.expect(STUDY);
      {
        using _other = expectations.expect(STUDY);
      }
      expect(expectations.isExpected(STUDY)).toBe(true);
    }
    expect(expectations.isExpected(STUDY)).toBe(false);
  });

  it("is told to be asked of the archive that is to send it, as long as it is", () => {
    const expectations = createExpectations(scriptedClock(new Map()));
    using _ours = expectations.expect(STUDY);
    expect(expectations.askedOf(STUDY)).toBe(undefined);
    {
      using _theirs = expectations.expect(STUDY, { archive: "pacs" });
      expect(expectations.askedOf(STUDY)).toBe("pacs");
    }
    expect(expectations.askedOf(STUDY)).toBe(undefined);
  });
});

describe("the wait behind a final answer", () => {
  it("ends with the last of what is wanted", async () => {
    const script = new Map<number, () => void>();
    const clock = scriptedClock(script);
    const expectations = createExpectations(clock);
    script.set(100, () => expectations.noteArrival(STUDY, FIRST));
    script.set(900, () => expectations.noteArrival(STUDY, SECOND));
    using expectation = expectations.expect(STUDY);
    await expectation.settled(new Set([FIRST, SECOND]), PATIENCE, neverAborted());
    expect([...expectation.arrived]).toEqual([FIRST, SECOND]);
    expect(clock.nowMs()).toBe(900);
  });

  it("ends when nothing at all has come for the quiet time", async () => {
    const script = new Map<number, () => void>();
    const clock = scriptedClock(script);
    const expectations = createExpectations(clock);
    script.set(2_000, () => expectations.noteActivity(undefined));
    script.set(3_000, () => expectations.noteActivity("pacs"));
    script.set(4_000, () => expectations.noteActivity("another"));
    using expectation = expectations.expect(STUDY, { archive: "pacs" });
    await expectation.settled(new Set([FIRST]), PATIENCE, neverAborted());
    expect(clock.nowMs()).toBe(6_000);
  });

  it("ends when nothing of its study has come for long, whatever else the archive sends", async () => {
    const script = new Map<number, () => void>();
    const clock = scriptedClock(script);
    const expectations = createExpectations(clock);
    for (let ms = 1_000; ms <= 60_000; ms += 1_000) script.set(ms, () => expectations.noteActivity("pacs"));
    script.set(5_000, () => expectations.noteArrival(STUDY, FIRST));
    using expectation = expectations.expect(STUDY, { archive: "pacs" });
    await expectation.settled(new Set([FIRST, SECOND]), PATIENCE, neverAborted());
    expect(clock.nowMs()).toBe(5_000 + PATIENCE.longestMs);
  });

  it("ends with the signal's reason", async () => {
    const stop = new AbortController();
    const clock = scriptedClock(new Map([[50, () => stop.abort(new Error("stopped"))]]));
    using expectation = createExpectations(clock).expect(STUDY);
    await expect(expectation.settled(new Set([FIRST]), PATIENCE, stop.signal)).rejects.toThrow("stopped");
  });
});

describe("an instance that could not be taken", () => {
  const other = parseStudyInstanceUid("9.9");
  const unknown = { sopInstanceUids: ["7.7"], studyInstanceUid: undefined, isMoved: true };

  it("is of the study that lists it, else of the one it names, else of the only one that is moved", () => {
    const expectations = createExpectations(scriptedClock(new Map()));
    using _ours = expectations.expect(STUDY, { archive: "pacs", job: "job-1", wanted: new Set([FIRST]) });
    const ours = { study: STUDY, job: "job-1" };
    expect(expectations.whose(unknown)).toEqual(ours);
    using _others = expectations.expect(other, { archive: "pacs", job: "job-2" });
    expect(expectations.whose({ ...unknown, sopInstanceUids: ["7.7", FIRST], studyInstanceUid: other })).toEqual(ours);
    expect(expectations.whose({ ...unknown, studyInstanceUid: other })).toEqual({ study: other, job: "job-2" });
    expect(expectations.whose(unknown)).toBeUndefined();
  });

  it("is nobody's when it names a study that nobody asked for, or was sent by itself", () => {
    const expectations = createExpectations(scriptedClock(new Map()));
    using _ours = expectations.expect(STUDY, { archive: "pacs" });
    expect(expectations.whose({ ...unknown, studyInstanceUid: "9.9" })).toBeUndefined();
    expect(expectations.whose({ ...unknown, isMoved: false })).toBeUndefined();
  });
});
