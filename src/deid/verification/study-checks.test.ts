import { expect, it } from "vitest";
import { checkStudy, type StudyMember } from "./study-checks.ts";

function member(name: string, changes: Partial<StudyMember["evidence"]> = {}, series = "1.1"): StudyMember {
  const evidence = {
    ...{ pseudonym: "P1", studyInstanceUid: "2.25.1", seriesInstanceUid: `2.25.${series.replaceAll(".", "")}` },
    ...{ sopInstanceUid: `2.25.9${name}`, references: new Set<string>(), shiftDays: -12 },
    ...changes,
  };
  return { outputPath: name, original: { studyInstanceUid: "1", seriesInstanceUid: series }, evidence };
}

it.each<[string, readonly StudyMember[], string]>([
  ["two shifts of dates", [member("1"), member("2", { shiftDays: -13 })], "study-date-shift-differs"],
  ["two study UIDs", [member("1"), member("2", { studyInstanceUid: "2.25.2" })], "study-uid-differs"],
  ["a series torn in two", [member("1"), member("2", { seriesInstanceUid: "2.25.3" })], "series-uid-differs"],
  ["two series made one", [member("1"), member("2", { seriesInstanceUid: "2.25.11" }, "1.2")], "series-uid-shared"],
])("refuses %s", (_name, members, reason) => {
  expect(checkStudy(members).failures.map((failure) => failure.reason)).toEqual([reason, reason]);
});

it("lets instances without dates be, and several series", () => {
  expect(checkStudy([member("1"), member("2", { shiftDays: undefined }, "1.2")]).failures).toEqual([]);
});
