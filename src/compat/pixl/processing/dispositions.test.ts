import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { seededRandom } from "../../../units/random.ts";
import { dispositionOf, RETRY } from "./dispositions.ts";
import { DiscardError, OutOfHoursError, processingError, type Stage, StudyNotInPrimaryArchiveError } from "./errors.ts";

const NOW_MS = 1_000_000;

function disposed(failure: GatewayError, { failures = 0, attempts = 0 } = {}) {
  return dispositionOf(failure, { failures, attempts, nowMs: NOW_MS }, RETRY, seededRandom(1));
}

const failed = (code: ErrorCode, stage: Stage, details = {}): GatewayError =>
  processingError(new GatewayError(code, details), stage);

describe("what becomes of a message", () => {
  it.each([
    ["the primary archive does not have it", new StudyNotInPrimaryArchiveError(), { kind: "forward" }],
    [
      "the secondary is the primary",
      new DiscardError("PIXL_SECONDARY_IS_PRIMARY"),
      { kind: "discard", code: "PIXL_SECONDARY_IS_PRIMARY" },
    ],
    ["no archive has it", new DiscardError("PIXL_STUDY_NOT_FOUND"), { kind: "discard", code: "PIXL_STUDY_NOT_FOUND" }],
    [
      "it is out of hours",
      new OutOfHoursError(NOW_MS + 7),
      { kind: "wait", code: "PIXL_OUT_OF_HOURS", untilMs: NOW_MS + 7, counts: false },
    ],
    [
      "its archive rests after failures",
      failed("ARCHIVE_RESTING", "asking", { untilMs: NOW_MS + 9 }),
      { kind: "wait", code: "ARCHIVE_RESTING", untilMs: NOW_MS + 9, counts: false },
    ],
    ["its keys are unsafe", failed("PIXL_MESSAGE_KEY_UNSAFE", "asking"), { kind: "park" }],
    ["its keys lead to too many studies", failed("TOO_MANY_STUDIES", "asking"), { kind: "park" }],
    ["instances stay missing", failed("INSTANCES_MISSING", "retrieving"), { kind: "wait", counts: true }],
    ["anon is down", failed("CONNECTION_FAILED", "handing-over"), { kind: "wait", counts: false }],
    ["anon fails at it", failed("HTTP_SERVER_FAILED", "handing-over"), { kind: "wait", counts: true }],
    ["the password of raw is wrong", failed("HTTP_UNAUTHORISED", "retrieving"), { kind: "wait", counts: false }],
    ["the archive cannot be asked", failed("ORTHANC_MODALITY_FAILED", "asking"), { kind: "wait", counts: false }],
    ["the archive will not search for it", failed("DIMSE_FAILED", "asking"), { kind: "wait", counts: true }],
    ["a search is not understood", processingError(new Error("bug"), "asking"), { kind: "wait", counts: true }],
    ["what should be raw is none", failed("HTTP_JSON_INVALID", "asking"), { kind: "wait", counts: false }],
    ["the unexpected happens", processingError(new Error("bug"), "retrieving"), { kind: "wait", counts: true }],
  ])("when %s", (_, failure, expected) => {
    expect(disposed(failure)).toMatchObject(expected);
  });

  it("is to be parked with its reason once its own tries are used up, some two minutes after the first", () => {
    const failure = failed("INSTANCES_MISSING", "retrieving", { missing: 3 });
    let nowMs = NOW_MS;
    for (let failures = 0; failures < RETRY.own.attempts - 1; failures += 1) {
      const next = dispositionOf(failure, { failures, attempts: failures, nowMs }, RETRY, seededRandom(failures));
      if (next.kind !== "wait") throw new Error(`it is ${next.kind}`);
      nowMs = next.untilMs;
    }
    expect(nowMs - NOW_MS).toBeGreaterThan(60_000);
    expect(nowMs - NOW_MS).toBeLessThan(180_000);
    expect(disposed(failure, { failures: RETRY.own.attempts - 1 })).toEqual({ kind: "park", failure });
  });

  it("waits on for a service that stays away, however often it tried", () => {
    expect(disposed(failed("CONNECTION_FAILED", "handing-over"), { attempts: 9_999 })).toMatchObject({ kind: "wait" });
  });

  it("waits no shorter than it was asked to", () => {
    const busy = failed("HTTP_TOO_MANY_REQUESTS", "handing-over", { retryAfterMs: 90_000 });
    expect(disposed(busy)).toMatchObject({ untilMs: NOW_MS + 90_000 });
  });
});
