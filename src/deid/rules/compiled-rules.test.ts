import { describe, expect, it } from "vitest";
import { CONFIDENTIALITY_TABLE } from "../tables/confidentiality-table.generated.ts";
import { type AttributeType, attributeTypesOf, fallbackFor } from "./attribute-type.ts";
import { compileRules } from "./compiled-rules.ts";

const basic = compileRules(["basic"]);
const research = compileRules(["basic", "retain-longitudinal-modified-dates", "retain-patient-characteristics"]);
const CT = "1.2.840.10008.5.1.4.1.1.2";
const PET = "1.2.840.10008.5.1.4.1.1.128";

describe("combined codes of PS3.15 E.1.1 by the attribute's Type", () => {
  it.each([
    ["Z/D", 0x00080023, { 3: "empty", 2: "empty", 1: "dummy", unknown: "dummy" }],
    ["X/Z", 0x00080022, { 3: "remove", 2: "empty", 1: "empty", unknown: "empty" }],
    ["X/D", 0x00080021, { 3: "remove", 2: "dummy", 1: "dummy", unknown: "dummy" }],
    ["X/Z/D", 0x00080080, { 3: "remove", 2: "empty", 1: "dummy", unknown: "dummy" }],
    ["X", 0x00081030, { 3: "remove", 2: "remove", 1: "remove", unknown: "remove" }],
    ["Z", 0x00080050, { 3: "empty", 2: "empty", 1: "empty", unknown: "empty" }],
    ["D", 0x00120020, { 3: "dummy", 2: "dummy", 1: "dummy", unknown: "dummy" }],
  ])("%s", (code, tag, expected) => {
    expect(CONFIDENTIALITY_TABLE.find((row) => row.tag === tag)?.basic).toBe(code);
    for (const [type, action] of Object.entries(expected)) {
      expect(fallbackFor(basic.ruleOf(tag).fallback, type as AttributeType)).toBe(action);
    }
    expect(fallbackFor(basic.ruleOf(tag).fallback, "1C")).toBe(expected[1]);
    expect(fallbackFor(basic.ruleOf(tag).fallback, "2C")).toBe(expected[2]);
  });

  it("X/Z/U* keeps the sequence, its UIDs replaced, unless the IOD can do without", () => {
    expect(basic.ruleOf(0x00081140).treatment).toEqual({ kind: "walk", unlessOptional: true });
  });
});

it("knows the Type of an attribute in the IOD", () => {
  expect(attributeTypesOf(CT)(0, 0x00080021)).toBe("3");
  expect(attributeTypesOf(PET)(0, 0x00080021)).toBe("1");
  expect(attributeTypesOf(CT)(0, 0x00080050)).toBe("2");
  expect(attributeTypesOf("1.2.3")(0, 0x00080050)).toBe("unknown");
});

it("has a rule for every row of the table that never keeps what the basic profile removes", () => {
  for (const row of CONFIDENTIALITY_TABLE) {
    const { kind } = basic.ruleOf(row.tag).treatment;
    // Content is judged item by item where the object and its profile allow any.
    expect(["content", "none", "uid", "walk", "pseudonym", "numbered", "mark"], row.keyword).toContain(kind);
  }
});

it("moves dates and keeps sex, size, weight and age only where the options say so", () => {
  expect(basic.ruleOf(0x00080020).treatment.kind).toBe("none");
  expect(research.ruleOf(0x00080020).treatment.kind).toBe("shift");
  expect(basic.ruleOf(0x00101030).treatment.kind).toBe("none");
  expect(research.ruleOf(0x00101030).treatment.kind).toBe("number");
  expect(research.ruleOf(0x00101010).treatment.kind).toBe("age");
  // The birth date has no option that keeps it.
  expect(research.ruleOf(0x00100030).treatment.kind).toBe("none");
});

it("does with dates that the table has no row for as with those it has", () => {
  const full = compileRules(["basic", "retain-longitudinal-full-dates"]);
  for (const tag of [0x00143076, 0x00143077, 0x00080416]) {
    expect(CONFIDENTIALITY_TABLE.some((row) => row.tag === tag)).toBe(false);
    expect([basic, research, full].map((rules) => rules.ruleOf(tag).treatment.kind)).toEqual(["none", "shift", "date"]);
  }
});

it.each([
  ["OF", 0x00660016],
  ["OD", 0x00660022],
  ["OL", 0x00660042],
  ["OV", 0x00720081],
  ["UV", 0x0008040c],
  ["SV", 0x00720082],
  ["AT", 0x00280009],
])("keeps numbers of VR %s that nothing removes", (_vr, tag) => {
  expect(basic.ruleOf(tag).treatment).toEqual({ kind: "number" });
});

it.each([
  ["private", 0x00191001, "private"],
  ["a group length", 0x00100000, "structure"],
  ["a command element", 0x00000100, "structure"],
  ["an overlay", 0x60003000, "structure"],
  ["a curve", 0x50003000, "structure"],
  ["padding", 0xfffcfffc, "structure"],
  ["a source image's id of old", 0x00203101, "structure"],
  ["a coefficient of a compression of old", 0x00280410, "structure"],
  ["a code table of old", 0x00280802, "structure"],
  ["a run length of old", 0x10000011, "structure"],
  ["a zonal map of old", 0x10100001, "structure"],
  ["variable pixel data", 0x7f020010, "structure"],
  ["a MAC's parameters", 0x4ffe0001, "structure"],
  ["a retired number", 0x00181146, "unlisted"],
  ["a sequence that nothing lists", 0x00080220, "unlisted"],
  ["an unknown tag", 0x00180001, "unlisted"],
  ["a text that nothing lists", 0x00189999, "unlisted"],
])("removes %s", (_name, tag, reason) => {
  const rule = research.ruleOf(tag);
  expect(rule.treatment.kind).toBe("none");
  expect(rule.reason).toBe(reason);
  expect(rule.fallback.unknown).toBe("remove");
});

it("has another hash for other options, and the same for the same", () => {
  expect(basic.hash).not.toBe(research.hash);
  expect(compileRules(["basic"]).hash).toBe(basic.hash);
});
