import { expect, it } from "vitest";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOfTexts } from "../../dicom/values.ts";
import { searchOf } from "./search-of-identifier.ts";

const search = (level: string, ...keys: readonly (readonly [Tag, string])[]) =>
  searchOf(dataSetOfTexts([[tags.QueryRetrieveLevel, level], ...keys]), 10);

it("matches on keys with a value, and has those without returned", () => {
  expect(search("STUDY", [tags.PatientID, "47*"], [tags.AccessionNumber, ""], [tags.StudyInstanceUID, ""])).toEqual({
    level: "STUDY",
    studyInstanceUid: undefined,
    seriesInstanceUid: undefined,
    matching: [[tags.PatientID, "47*"]],
    including: [tags.AccessionNumber, tags.StudyInstanceUID],
    maximumAnswers: 10,
  });
});

it("writes lists with commas, as PS3.18 8.3.4.1 has it", () => {
  const { matching } = search("STUDY", [tags.StudyInstanceUID, "1.2\\1.3"]);
  expect(matching).toEqual([[tags.StudyInstanceUID, "1.2,1.3"]]);
});

it("looks within the one study and series that are named", () => {
  const named = [
    [tags.StudyInstanceUID, "1.2"],
    [tags.SeriesInstanceUID, "1.3"],
  ] as const;
  expect(search("IMAGE", ...named, [tags.SOPInstanceUID, ""])).toMatchObject({
    studyInstanceUid: "1.2",
    seriesInstanceUid: "1.3",
    matching: [],
    including: [tags.SOPInstanceUID],
  });
  expect(search("SERIES", ...named)).toMatchObject({
    studyInstanceUid: "1.2",
    seriesInstanceUid: undefined,
    matching: [[tags.SeriesInstanceUID, "1.3"]],
  });
});

it.each([
  ["several studies", "1.2\\1.3"],
  ["a wildcard", "*"],
  ["a path", "../../1"],
])("looks everywhere for %s", (_, uid) => {
  const { studyInstanceUid, matching } = search("SERIES", [tags.StudyInstanceUID, uid]);
  expect({ studyInstanceUid, keys: matching.length }).toEqual({ studyInstanceUid: undefined, keys: 1 });
});

it("leaves out private keys, which no service is asked for", () => {
  expect(search("STUDY", [tagOf(0x0009_1001), "secret"])).toMatchObject({ matching: [], including: [] });
});
