import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkKey, type KeyKind, splitSeries } from "./identifiers.ts";

describe("checkKey", () => {
  it.each<[KeyKind, string]>([
    ["accession-number", "0001234567890123"],
    ["accession-number", "12E4567"],
    ["accession-number", "1E10"],
    ["patient-id", "x".repeat(64)],
    ["patient-id", "𝄞".repeat(64)],
    ["patient-id", "O'Hara 12/3"],
    ["patient-id", "12.5"],
    ["study-uid", "1.0"],
    ["study-uid", "1.2.840.113619.2.55.3"],
    ["study-uid", "1.2.040.1"],
  ])("lets the %s %s be used", (kind, text) => {
    expect(checkKey(kind, text)).toBeUndefined();
  });

  it.each<[KeyKind, string, string]>([
    ["accession-number", "12345678901234567", "KEY_TOO_LONG"],
    ["patient-id", "x".repeat(65), "KEY_TOO_LONG"],
    ["accession-number", "12*", "KEY_HAS_WILDCARD"],
    ["accession-number", "12?4", "KEY_HAS_WILDCARD"],
    ["patient-id", "1\\2", "KEY_HAS_WILDCARD"],
    ["study-uid", "1.2.*", "KEY_HAS_WILDCARD"],
    ["study-uid", "1.2\\1.3", "KEY_HAS_WILDCARD"],
    ["patient-id", "12\n34", "KEY_HAS_CONTROL_CHARACTER"],
    ["patient-id", "12\u200b34", "KEY_HAS_CONTROL_CHARACTER"],
    ["patient-id", "12\u202834", "KEY_HAS_CONTROL_CHARACTER"],
    ["patient-id", "12\u202934", "KEY_HAS_CONTROL_CHARACTER"],
    ["accession-number", "1.2E+10", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["accession-number", "1,23456E+12", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", "5e+15", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["accession-number", "1.0E12", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["accession-number", "12345E+7", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["accession-number", "12345678.0", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", "1234,00", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", "#####", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", "#NAME?", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", '="00123"', "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", "=A1&A2", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["patient-id", '00123"', "KEY_DAMAGED_BY_SPREADSHEET"],
    ["study-uid", "1.2E+10", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["study-uid", "12345", "UID_INVALID"],
    ["study-uid", "1.2.", "UID_INVALID"],
    ["study-uid", "1..2", "UID_INVALID"],
    ["study-uid", "1.2.a", "UID_INVALID"],
    ["series-uid", `1.${"2".repeat(63)}`, "UID_INVALID"],
  ])("refuses the %s %j: %s", (kind, text, code) => {
    expect(checkKey(kind, text)).toBe(code);
  });

  it("never refuses plain digits for their leading zeros", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^0[0-9]{0,15}$/), (text) => checkKey("accession-number", text) === undefined),
    );
  });
});

it.each([
  ["1.2\\1.3", ["1.2", "1.3"]],
  ["1.2; 1.3 ;", ["1.2", "1.3"]],
  ["1.2\\1.2", ["1.2"]],
  [" \\ ", []],
])("splits the series of %j", (text, series) => {
  expect(splitSeries(text)).toEqual(series);
});
