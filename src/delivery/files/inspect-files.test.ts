import { expect, it } from "vitest";
import { parseSeriesInstanceUid, parseSopInstanceUid } from "../../dicom/uid.ts";
import { inspectionOf, standingOf } from "./inspect-files.ts";

const file = {
  ...{ seriesInstanceUid: parseSeriesInstanceUid("2.25.2"), sopInstanceUid: parseSopInstanceUid("2.25.3") },
  ...{ sizeBytes: 100, sha256: "ab" },
};

it.each([
  ["absent", undefined, undefined],
  ["listed", 100, undefined],
  ["differs", 99, undefined],
  ["same", 100, "ab"],
  ["differs", 100, "cd"],
] as const)("calls %s a file of which %s bytes of the sum %s are there", async (standing, sizeBytes, sum) => {
  expect(await standingOf(file, sizeBytes, sum && (() => Promise.resolve(sum)))).toBe(standing);
});

it("fetches nothing back of what has another length", async () => {
  const fetching = () => Promise.reject(new Error("fetched"));
  expect(await standingOf(file, 99, fetching)).toBe("differs");
});

it("calls absent what was not found", () => {
  expect(inspectionOf(new Map([["2.25.3", "same"]]), true).standing(file)).toBe("same");
  expect(inspectionOf(new Map(), true).standing(file)).toBe("absent");
});
