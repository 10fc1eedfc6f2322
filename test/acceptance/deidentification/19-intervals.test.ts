import { describe, expect, it } from "vitest";
import { text } from "../../../src/deid/testing/objects.ts";
import type { DataSet } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, itemsOf, sequenceElement, textOf } from "../../../src/dicom/values.ts";
import { deidentified, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";

const DATES = ["20240229", "20231231", "19991231", "20000101", "20000229", "19000301", "20240301"];
const [STUDY_DATE, SERIES_DATE, ACQUISITION_DATE, CONTENT_DATE] = [0x00080020, 0x00080021, 0x00080022, 0x00080023].map(
  tagOf,
);
const [STUDY_TIME, SERIES_TIME, ACQUISITION_TIME] = [0x00080030, 0x00080031, 0x00080032].map(tagOf);
const ACQUISITION_DATE_TIME = tagOf(0x0008002a);
const RADIOPHARMACEUTICALS = tagOf(0x00540016);
const INJECTED_AT = tagOf(0x00181078);
const OFFSET = tagOf(0x00080201);
const TIMES = ["101500", "235959.999999", "000000"];

/** An object for each date, the dates of its attributes one after the other. */
function objectsOfOnePatient(): readonly DataSet[] {
  const tokens = createTokens(19);
  const study = studyIdentity(tokens);
  return DATES.map((_, index) => {
    const at = (offset: number): string => DATES[(index + offset) % DATES.length] ?? "";
    const injected = dataSetOf([text(0x00181078, `${at(4)}101500.123+0100`)]);
    return slice(study, index + 1, tokens, [
      text(0x00080020, at(0)),
      text(0x00080021, at(1)),
      text(0x00080022, at(2)),
      text(0x00080023, at(3)),
      text(0x0008002a, `${at(0)}235959.5-0530`),
      ...[0x00080030, 0x00080031, 0x00080032].map((tag, position) => text(tag, TIMES[position] ?? "")),
      text(0x00080201, "+0100"),
      sequenceElement(RADIOPHARMACEUTICALS, [injected]),
    ]);
  });
}

const injectionOf = (object: DataSet): string =>
  textOf(itemsOf(object, RADIOPHARMACEUTICALS)[0]?.dataSet ?? new Map(), INJECTED_AT) ?? "";

/** All dates of an object, those of dates with times as well. */
function datesOf(object: DataSet): readonly string[] {
  const dates = [STUDY_DATE, SERIES_DATE, ACQUISITION_DATE, CONTENT_DATE, ACQUISITION_DATE_TIME];
  return [...dates.map((tag) => (tag === undefined ? "" : (textOf(object, tag) ?? ""))), injectionOf(object)].map(
    (value) => value.slice(0, 8),
  );
}

const dayNumber = (date: string): number =>
  Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8))) / 86_400_000;

function intervals(objects: readonly DataSet[]): readonly number[] {
  const days = objects.flatMap(datesOf).map(dayNumber);
  return days.flatMap((day, index) => days.slice(index + 1).map((other) => other - day));
}

describe("given one patient's objects with leap days, ends of years and of centuries, when dates are moved", async () => {
  const originals = objectsOfOnePatient();
  const { files } = await deidentified(originals, { profile: "research" });
  const number = (object: DataSet): number => Number(textOf(object, tagOf(0x00200013)));
  const outputs = files.map(({ dataSet }) => dataSet).sort((a, b) => number(a) - number(b));

  it("then every pair of dates is as far apart as before, and no date is what it was", () => {
    expect(intervals(outputs)).toEqual(intervals(originals));
    const [before, after] = [originals, outputs].map((objects) => objects.flatMap(datesOf));
    expect(after).toHaveLength(DATES.length * 6);
    expect(after?.filter((date, index) => date === before?.[index])).toEqual([]);
    expect(after?.every((date) => /^[0-9]{8}$/.test(date))).toBe(true);
  });

  it("then times, fractions and offsets from UTC are as they were", () => {
    for (const [index, output] of outputs.entries()) {
      const times = [STUDY_TIME, SERIES_TIME, ACQUISITION_TIME].map((tag) => tag && textOf(output, tag));
      expect(times, String(index)).toEqual(TIMES);
      expect(textOf(output, ACQUISITION_DATE_TIME)?.slice(8)).toBe("235959.5-0530");
      expect(injectionOf(output).slice(8)).toBe("101500.123+0100");
      expect(textOf(output, OFFSET)).toBe("+0100");
    }
  });
});
