import { describe, expect, it } from "vitest";
import { numberValue } from "./cell-value.ts";
import { type NumberFormat, numberFormat } from "./number-format.ts";

const REFUSED = "doubtful";
const formatOf = (code: string): NumberFormat => numberFormat(164, new Map([[164, code]]));
const keyOf = (written: string, format: NumberFormat): string | undefined => {
  const value = numberValue(written, format, false);
  return value?.isDoubtful ? REFUSED : value?.text;
};

describe("a number of a workbook, as an identifier", () => {
  it.each([
    ["00000000", "00001234"],
    ["0000", "1234"],
    ["000", "1234"],
    ["General", "1234"],
    ["@", "1234"],
    ["0", "1234"],
    ["#,##0_);[Red](#,##0)", "1234"],
    ["[$-409]000000;-000000", "001234"],
    ["0.00E+00", REFUSED],
    ["##0.0E+0", REFUSED],
    ["yyyy-mm-dd", REFUSED],
    ["[h]:mm", REFUSED],
    ["[h]", REFUSED],
    ["0%", REFUSED],
    ["000-000", REFUSED],
    ['"ACC"000000', REFUSED],
    ["[>9]00000;0", REFUSED],
  ])("that is shown as %s is %s", (code, expected) => {
    expect(keyOf("1234", formatOf(code))).toBe(expected);
  });

  it.each([
    [0, "1234"],
    [3, "1234"],
    [49, "1234"],
    [11, REFUSED],
    [14, REFUSED],
    [46, REFUSED],
    [57, REFUSED],
    [99, REFUSED],
  ])("in the format that everyone knows as %d is %s", (id, expected) => {
    expect(keyOf("1234", numberFormat(id, new Map()))).toBe(expected);
  });

  it.each([
    ["999999999999999", "999999999999999"],
    ["1000000000000000", REFUSED],
    ["12345678901234567", REFUSED],
    ["12345678.0", "12345678"],
    ["1.2345678E7", "12345678"],
    ["1E+12", REFUSED],
    ["1.23457E+11", REFUSED],
    ["1234.5", REFUSED],
  ])("that is held as %s is %s", (held, expected) => {
    expect(keyOf(held, formatOf("General"))).toBe(expected);
  });

  it("with a fraction or a sign is not filled with zeros", () => {
    expect(keyOf("12.5", formatOf("0000"))).toBe(REFUSED);
    expect(keyOf("-12", formatOf("0000"))).toBe(REFUSED);
  });

  it("is none when it is something else", () => {
    expect(numberValue("0x10", formatOf("General"), false)).toBeUndefined();
    expect(numberValue("Infinity", formatOf("General"), false)).toBeUndefined();
  });
});

it.each([
  ["1", false, "1900-01-01"],
  ["59", false, "1900-02-28"],
  ["61", false, "1900-03-01"],
  ["46056", false, "2026-02-03"],
  ["44594", true, "2026-02-03"],
  ["46056.5", false, "2026-02-03T12:00:00.000Z"],
  ["99999999", false, "99999999"],
  ["-1", false, "-1"],
])("has %s for a day (from 1904: %s): %s", (serial, isFrom1904, text) => {
  expect(numberValue(serial, formatOf("dd/mm/yyyy"), isFrom1904)).toEqual({ text, isDoubtful: true });
});
