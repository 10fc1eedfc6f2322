import { describe, expect, it } from "vitest";
import { parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { neverAborted } from "../units/abort.ts";
import type { Clock } from "../units/clock.ts";
import { createExpectations, createRefusals } from "./expectations.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const FIRST = parseSopInstanceUid("1.2.3.1");
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
      using _theirs = expectations.expect(STUDY, "pacs");
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
    await expectation.settled(new Set([FIRST, SECOND]), 3_000, neverAborted());
    expect([...expectation.arrived]).toEqual([FIRST, SECOND]);
    expect(clock.nowMs()).toBe(900);
  });

  it("ends when nothing at all has come for the quiet time", async () => {
    const script = new Map<number, () => void>();
    const clock = scriptedClock(script);
    const expectations = createExpectations(clock);
    script.set(2_000, () => expectations.noteActivity());
    using expectation = expectations.expect(STUDY);
    await expectation.settled(new Set([FIRST]), 3_000, neverAborted());
    expect(clock.nowMs()).toBe(5_000);
  });

  it("ends with the signal's reason", async () => {
    const stop = new AbortController();
    const clock = scriptedClock(new Map([[50, () => stop.abort(new Error("stopped"))]]));
    using expectation = createExpectations(clock).expect(STUDY);
    await expect(expectation.settled(new Set([FIRST]), 3_000, stop.signal)).rejects.toThrow("stopped");
  });
});

it("remembers why an instance was refused, told once, within bounds", () => {
  const refusals = createRefusals();
  refusals.noteRefusal("1.2", "INSTANCE_MISMATCH");
  refusals.noteRefusal("1.2", "INSTANCE_UNREADABLE");
  expect(refusals.takeReason(["1.1", "1.2"])).toBe("INSTANCE_UNREADABLE");
  expect(refusals.takeReason(["1.1", "1.2"])).toBeUndefined();
  refusals.noteRefusal("1.2", "INSTANCE_MISMATCH");
  for (let number = 0; number < 10_000; number += 1) refusals.noteRefusal(`9.${number}`, "INSTANCE_MISMATCH");
  expect(refusals.takeReason(["1.2"])).toBeUndefined();
});
