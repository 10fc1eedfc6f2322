import { expect, it } from "vitest";
import { codeMeaning, currentCode, isCodeMeaning } from "./code-meanings.ts";

it("tells what a code means, by its scheme", () => {
  expect(codeMeaning("109002", "DCM")).toBe("ECG-based gating signal, processed");
  expect(codeMeaning("mm", "UCUM")).toBe("millimeter");
  for (const [value, scheme] of [
    ["109002", "SCT"],
    ["", "DCM"],
    ["109002 x", "DCM"],
    ["x", "toString"],
  ] as const)
    expect(codeMeaning(value, scheme)).toBeUndefined();
});

it("takes a code of the retired scheme for the concept that it became", () => {
  expect(currentCode("T-A0100", "SRT")).toBe("12738006 SCT");
  expect(codeMeaning("T-A0100", "SRT")).toBe(codeMeaning("12738006", "SCT"));
  expect(currentCode("T-A0100", "DCM")).toBe("T-A0100 DCM");
});

it("knows the words that it would write, and not those that a code had before: what else they are could not be told", () => {
  for (const text of ["ECG-based gating signal, processed", "millimeter", "35% of thermal/dye dilution CO"])
    expect(isCodeMeaning(text)).toBe(true);
  for (const text of ["35% of thermal CO", "109002 ECG-based gating signal, processed", "ECG-based gating", "", "DCM"])
    expect(isCodeMeaning(text)).toBe(false);
});
