import { describe, expect, it } from "vitest";
import { tags } from "../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { dataSetOf, textElement } from "../dicom/values.ts";
import { exactMatch, listedInstance } from "./answers.ts";
import type { StudyQuery } from "./archive.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const SERIES = parseSeriesInstanceUid("1.2.3.4");

function answer(studyInstanceUid: string, patientId: string, accessionNumber: string) {
  return dataSetOf([
    textElement(tags.StudyInstanceUID, studyInstanceUid),
    textElement(tags.PatientID, patientId),
    textElement(tags.AccessionNumber, accessionNumber),
  ]);
}

describe("an archive's answer", () => {
  const byUid: StudyQuery = { by: "study-uid", studyInstanceUid: STUDY };
  const byAccession: StudyQuery = { by: "accession-number", accessionNumber: "0042", patientId: undefined };
  const ofPatient: StudyQuery = { by: "accession-number", accessionNumber: "0042", patientId: "P1" };

  it.each<[string, StudyQuery, ReturnType<typeof answer>, boolean]>([
    ["the study asked for", byUid, answer("1.2.3", "P1", "0042"), true],
    ["padded as UIDs are", byUid, answer("1.2.3\0", "P1", ""), true],
    ["another study", byUid, answer("1.2.33", "P1", "0042"), false],
    ["no UID at all", byUid, answer("", "P1", "0042"), false],
    ["a path for a UID", byUid, answer("../3", "P1", "0042"), false],
    ["the accession number asked for", byAccession, answer("1.2.9", "P7", "0042"), true],
    ["a number with the zeros eaten", byAccession, answer("1.2.9", "P7", "42"), false],
    ["a longer number, matched loosely", byAccession, answer("1.2.9", "P7", "00421"), false],
    ["the same number of another patient", ofPatient, answer("1.2.9", "P2", "0042"), false],
    ["the same number of the patient", ofPatient, answer("1.2.9", "P1 ", "0042"), true],
  ])("%s", (_, query, given, isTaken) => {
    expect(exactMatch(query, given) !== undefined).toBe(isTaken);
  });

  it("describes the study where that was asked for, with dates that are dates", () => {
    const given = (date: string) =>
      dataSetOf([
        ...answer("1.2.9", "P1", "0042").values(),
        textElement(tags.StudyDate, date),
        textElement(tags.StudyDescription, "Knee "),
      ]);
    const described = (date: string) => exactMatch({ ...ofPatient, described: true }, given(date))?.described;
    expect(described("20240229")).toEqual({ studyDate: "20240229", studyTime: "", studyDescription: "Knee" });
    expect(described("2024-02-29")).toMatchObject({ studyDate: "" });
    expect(exactMatch(ofPatient, given("20240229"))).not.toHaveProperty("described");
  });

  it("to an image query must be of the series that was asked", () => {
    const given = (series: string) =>
      dataSetOf([textElement(tags.SeriesInstanceUID, series), textElement(tags.SOPInstanceUID, "1.2.3.4.5")]);
    expect(listedInstance(STUDY, SERIES, given("1.2.3.4"))).toMatchObject({ sopInstanceUid: "1.2.3.4.5" });
    expect(listedInstance(STUDY, SERIES, given("1.2.3.9"))).toBeUndefined();
    expect(listedInstance(STUDY, undefined, given("1.2.3.9"))).toMatchObject({ seriesInstanceUid: "1.2.3.9" });
    expect(listedInstance(STUDY, undefined, given(""))).toBeUndefined();
  });
});
