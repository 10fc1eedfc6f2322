import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { part10Bytes, text } from "../../../src/deid/testing/objects.ts";
import { code, content, report } from "../../../src/deid/testing/reports.ts";
import type { DataSet } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, itemsOf, sequenceElement, textOf } from "../../../src/dicom/values.ts";
import { deidentify, expectGone } from "./support/engine.ts";
import { valuesIn } from "./support/objects.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const DEPTH = 30;
const COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33";
const PROFILES = {
  "clean-structured-content": profileWith(["clean-structured-content"], { sr: "keep" }),
  "clean-structured-content and clean-descriptors": profileWith(["clean-structured-content", "clean-descriptors"], {
    sr: "keep",
  }),
  research: "research",
} as const;
/** Diameter in millimetres; a mass. */
const [DIAMETER, MILLIMETRE, FINDING, MASS] = ["81827009 SCT", "mm UCUM", "121071 DCM", "4147007 SCT"];

const named = (tokens: Tokens): string => `${tokens.text()}^${tokens.text()}`;

/** Somebody's name wherever a content item can have one. */
function items(tokens: Tokens): DataSet[] {
  const measured = dataSetOf([
    sequenceElement(tagOf(0x004008ea), [code(MILLIMETRE, tokens.text())]),
    text(0x0040a30a, "12.5"),
  ]);
  return [
    content("PNAME", "121008 DCM", [text(0x0040a123, named(tokens))]),
    content("PNAME", "X1 99LOCAL", [text(0x0040a123, named(tokens))]),
    content("TEXT", FINDING, [text(0x0040a160, `Mass of ${tokens.text()} in the lung, Dr ${tokens.text()}`)]),
    content("TEXT", "X2 99LOCAL", [text(0x0040a160, tokens.text())]),
    content("CODE", FINDING, [sequenceElement(tagOf(0x0040a168), [code(MASS, tokens.text())])]),
    content("CODE", FINDING, [sequenceElement(tagOf(0x0040a168), [code(`${tokens.text()} 99LOCAL`, tokens.text())])]),
    content("CODE", FINDING, [sequenceElement(tagOf(0x0040a168), [code(`${tokens.text()} SCT`, tokens.text())])]),
    content("DATETIME", "113809 DCM", [text(0x0040a120, `20240229101500\0${tokens.text()}`)]),
    content("DATETIME", FINDING, [text(0x0040a120, tokens.text())]),
    content("DATE", "121031 DCM", [text(0x0040a121, tokens.text())]),
    content("TIME", FINDING, [text(0x0040a122, tokens.text())]),
    content("UIDREF", "112040 DCM", [text(0x0040a124, tokens.uid())]),
    content("NUM", DIAMETER, [sequenceElement(tagOf(0x0040a300), [measured])]),
    content("TABLE", FINDING, [text(0x0040a160, tokens.text())]),
    content(tokens.text(), FINDING, [text(0x0040a160, tokens.text())]),
  ];
}

/** The items at every level, down to the last. */
function tree(tokens: Tokens): DataSet[] {
  let below: DataSet[] = items(tokens);
  for (let level = 1; level < DEPTH; level += 1) {
    const container = content("CONTAINER", "121070 DCM", [], below);
    below = level % 10 === 0 ? [...items(tokens), container] : [container];
  }
  return below;
}

/** Value type and depth of every item that has it. */
function found(dataSet: DataSet, valueType: string, depth = 1): { readonly item: DataSet; readonly depth: number }[] {
  return itemsOf(dataSet, tagOf(0x0040a730)).flatMap(({ dataSet: item }) => [
    ...(valuesIn(item, 0x0040a040)?.[0] === valueType ? [{ item, depth }] : []),
    ...found(item, valueType, depth + 1),
  ]);
}

const first = (dataSet: DataSet | undefined, tag: number): DataSet | undefined =>
  dataSet === undefined ? undefined : itemsOf(dataSet, tagOf(tag))[0]?.dataSet;

describe("item 15: a structured report with names at every level", () => {
  it.each(Object.entries(PROFILES))("%s: the names are gone, numbers and public codes stay", async (_, profile) => {
    const tokens = createTokens(1500);
    const source = report(COMPREHENSIVE_SR, tree(tokens), [
      text(0x00100010, named(tokens)),
      sequenceElement(tagOf(0x0040a078), [dataSetOf([text(0x0040a123, named(tokens))])]),
      sequenceElement(tagOf(0x0040a07a), [dataSetOf([text(0x0040a123, named(tokens))])]),
      sequenceElement(tagOf(0x0040a07c), [dataSetOf([text(0x00080080, tokens.text())])]),
    ]);
    expect(
      found(source, "NUM")
        .map(({ depth }) => depth)
        .sort((a, b) => a - b),
    ).toEqual([10, 20, 30]);
    const result = await deidentify(await part10Bytes(source), profile);
    expectGone(result, tokens);

    const numbers = found(result.dataSet, "NUM");
    expect(Math.max(...numbers.map(({ depth }) => depth))).toBe(DEPTH);
    expect(numbers).toHaveLength(found(source, "NUM").length);
    for (const { item } of numbers) {
      const measured = first(item, 0x0040a300);
      expect(valuesIn(measured, 0x0040a30a)).toEqual(["12.5"]);
      const unit = first(measured, 0x004008ea);
      expect([valuesIn(unit, 0x00080100), valuesIn(unit, 0x00080102)]).toEqual([["mm"], ["UCUM"]]);
      expect(valuesIn(first(item, 0x0040a043), 0x00080100)).toEqual(["81827009"]);
    }
    const codes = found(result.dataSet, "CODE").map(({ item }) => first(item, 0x0040a168));
    expect(codes.map((each) => valuesIn(each, 0x00080100)?.[0])).toContain("4147007");
    for (const { item } of found(result.dataSet, "PNAME")) expect(valuesIn(item, 0x0040a123)).toEqual(["Anonymous"]);
  });

  /** Procedure DateTime, which table E.3.4-1 removes; start of irradiation, which is replaced; one that it does not name. */
  const [PROCEDURE, IRRADIATION, UNLISTED] = ["122165 DCM", "113809 DCM", FINDING];
  const START = "20240229101500.25+0100";
  const END = "20240301094500";
  const times = [
    content("DATETIME", PROCEDURE, [text(0x0040a120, START)]),
    content("DATETIME", IRRADIATION, [text(0x0040a120, START)]),
    content("DATETIME", UNLISTED, [text(0x0040a120, END)]),
    content("DATE", UNLISTED, [text(0x0040a121, "20240229")]),
    content("TIME", UNLISTED, [text(0x0040a122, "101500")]),
    // The patient's own date of birth is one of no option.
    content("DATE", "121031 DCM", [text(0x0040a121, "19310704")]),
  ];
  const DATED = ["DATETIME", "DATE", "TIME"];
  const timesIn = (dataSet: DataSet): string[] =>
    DATED.flatMap((valueType, index) =>
      found(dataSet, valueType).map(({ item }) => {
        const concept = valuesIn(first(item, 0x0040a043), 0x00080100)?.[0];
        return `${concept} ${valuesIn(item, 0x0040a120 + index)?.join("\\")}`;
      }),
    );

  it("without a dates option its dates and times go, those that it cannot be without become dummies", async () => {
    const source = await part10Bytes(report(COMPREHENSIVE_SR, times));
    const { dataSet } = await deidentify(source, PROFILES["clean-structured-content"]);
    expect(timesIn(dataSet)).toEqual(["113809 19000101000000"]);
    expect(textOf(dataSet, tagOf(0x00280303))).toBe("REMOVED");
  });

  it("with full dates they stay as they are", async () => {
    const profile = profileWith(["clean-structured-content", "retain-longitudinal-full-dates"], { sr: "keep" });
    const { dataSet } = await deidentify(await part10Bytes(report(COMPREHENSIVE_SR, times)), profile);
    expect(timesIn(dataSet)).toEqual([
      ...[`122165 ${START}`, `113809 ${START}`, `121071 ${END}`],
      ...["121071 20240229", "121071 101500"],
    ]);
    expect(textOf(dataSet, tagOf(0x00280303))).toBe("UNMODIFIED");
  });

  it("with modified dates all move by the same days, and their times stay", async () => {
    const profile = profileWith(["clean-structured-content", "retain-longitudinal-modified-dates"], { sr: "keep" });
    const { dataSet } = await deidentify(await part10Bytes(report(COMPREHENSIVE_SR, times)), profile);
    const moved = timesIn(dataSet).map((time) => time.split(" ")[1] ?? "");
    expect(moved.map((time) => time.slice(8))).toEqual(["101500.25+0100", "101500.25+0100", "094500", "", ""]);
    const dayOf = (time = ""): number => Date.parse(time.replace(/^(....)(..)(..).*/, "$1-$2-$3")) / 86_400_000;
    const days = [START, START, END, "20240229"].map((time, index) => dayOf(moved[index]) - dayOf(time));
    expect(new Set(days).size).toBe(1);
    expect(days[0]).toBeLessThan(0);
    expect(moved[4]).toBe("101500");
    expect(textOf(dataSet, tagOf(0x00280303))).toBe("MODIFIED");
  });

  it("nobody's name stays: it becomes a dummy where the item may be needed, otherwise the item goes", async () => {
    const name = [text(0x0040a123, "Harcourt^Philippa")];
    // Table E.3.4-1 replaces the first two, removes the next two and does not name the last.
    const persons = ["121008 DCM", "113850 DCM", "121036 DCM", "121088 DCM", FINDING].map((concept) =>
      content("PNAME", concept, name),
    );
    const source = await part10Bytes(report(COMPREHENSIVE_SR, persons));
    for (const profile of Object.values(PROFILES)) {
      const { dataSet } = await deidentify(source, profile);
      const named = found(dataSet, "PNAME").map(
        ({ item }) => `${valuesIn(first(item, 0x0040a043), 0x00080100)} ${valuesIn(item, 0x0040a123)}`,
      );
      expect(named).toEqual(["121008 Anonymous", "113850 Anonymous"]);
    }
  });

  it("without the option it is left out", async () => {
    const { outcome } = await deidentify(
      await part10Bytes(report(COMPREHENSIVE_SR, tree(createTokens(1501)))),
      "basic",
    );
    expect(outcome).toEqual({ kind: "excluded", reason: "sop-class" });
  });

  it("as a skeleton it is a root with a dummy", async () => {
    const tokens = createTokens(1502);
    const source = await part10Bytes(report(COMPREHENSIVE_SR, tree(tokens)));
    const result = await deidentify(source, profileWith([], { sr: "skeleton" }));
    expectGone(result, tokens);
    expect(found(result.dataSet, "NUM")).toEqual([]);
    expect(itemsOf(result.dataSet, tagOf(0x0040a730))).toHaveLength(1);
  });
});
