import { expect, it } from "vitest";
import { splitValues } from "../../src/deid/rules/value-forms.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { toDicomJson } from "../../src/dicom/json.ts";
import { formatPersonName, parsePersonName } from "../../src/dicom/person-name.ts";
import { dataSetOf, element, textOf } from "../../src/dicom/values.ts";

// Trimmed by a pattern that ends in `$`, these took time by the square of their length: hours.
const LENGTH = 2 ** 21;

it("a value of blanks with something behind them is read as fast as any other", () => {
  const bytes = Buffer.alloc(LENGTH, " ");
  bytes.write("x", LENGTH - 1);
  const dataSet = dataSetOf([element(tags.PatientID, "LO", bytes), element(tags.PatientName, "PN", bytes)]);
  expect(textOf(dataSet, tags.PatientID)).toBe("x");
  expect(splitValues(bytes)).toEqual(["x"]);
  expect(toDicomJson(dataSet)["00100010"]).toEqual({ vr: "PN", Value: [{ Alphabetic: "x" }] });
});

it("a name of delimiters with something behind them is read as fast as any other", () => {
  const name = `${"^".repeat(LENGTH)}x`;
  expect(formatPersonName(parsePersonName(name))).toHaveLength(name.length);
});
