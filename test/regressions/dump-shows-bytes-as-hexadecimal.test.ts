import { expect, it } from "vitest";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { dumpLines } from "../../src/dicom/dump.ts";
import { dataSetOf, element, numbersOf } from "../../src/dicom/values.ts";

it("bytes without a layout are no numbers: they were listed as NaN", () => {
  const dataSet = dataSetOf([element(tags.FileMetaInformationVersion, "OB", Uint8Array.of(0, 1))]);
  expect(numbersOf(dataSet, tags.FileMetaInformationVersion)).toEqual([]);
  expect([...dumpLines(dataSet)]).toEqual(["(0002,0001) OB 0001 # 2 FileMetaInformationVersion"]);
});
