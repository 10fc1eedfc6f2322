import { expect, it } from "vitest";
import { dataSetOf } from "../../dicom/values.ts";
import { text } from "../testing/objects.ts";
import { isBirthDateTellable } from "./patient-age.ts";

it.each([
  ["on the last day of the 89th year", "19340302", "20240301", "", true],
  ["on the 90th birthday", "19340301", "20240301", "", false],
  ["where the age says 89 and the dates agree", "19340302", "20240301", "089Y", true],
  ["where the age says more than the dates", "19840302", "20240301", "090Y", false],
  ["where there is no date to reckon to", "19840302", "", "", false],
])("tells a birth date only of a patient known to be no older than 89 years: %s", (_name, birth, study, age, told) => {
  const dataSet = dataSetOf([text(0x00080020, study), text(0x00100030, birth), text(0x00101010, age)]);
  expect(isBirthDateTellable(dataSet)).toBe(told);
});
