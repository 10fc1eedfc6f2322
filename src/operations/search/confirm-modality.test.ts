import { expect, it } from "vitest";
import type { Archive } from "../../archive/archive.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { dataSetOfTexts, textOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { confirmModality, isUnsure } from "./confirm-modality.ts";

const ROW = ["1.2.3", "A1", "P1", "20260101", "", "Thorax", "2"];

/** Answers a search for series with one for each modality. */
function archiveWith(...modalities: string[]): Archive {
  const archive: Pick<Archive, "find"> = {
    async *find(identifier) {
      expect(textOf(identifier, tags.QueryRetrieveLevel)).toBe("SERIES");
      expect(textOf(identifier, tags.StudyInstanceUID)).toBe("1.2.3");
      for (const modality of modalities) yield dataSetOfTexts([[tags.Modality, modality]]);
    },
  };
  return archive as Archive;
}

it("is unsure of a row that came for a modality and tells none", () => {
  expect(isUnsure(ROW, ["CT"])).toBe(true);
  expect(isUnsure(ROW.with(4, "CT"), ["CT"])).toBe(false);
  expect(isUnsure(ROW, undefined)).toBe(false);
});

it.each([
  ["keeps a study that has a series of it, with all its modalities", ["SR", "CT", "CT"], ROW.with(4, "CT/SR")],
  ["passes over a study that has none", ["MR"], undefined],
  ["keeps a study as it is whose series tell nothing", ["", " "], ROW],
  ["keeps a study as it is that no series are told of", [], ROW],
])("%s", async (_, modalities, expected) => {
  expect(await confirmModality(archiveWith(...modalities), ROW, ["CT"], neverAborted())).toEqual(expected);
});
