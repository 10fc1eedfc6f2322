import { describe, expect, it } from "vitest";
import { ctImage, part10Bytes } from "../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../src/dicom/data-set.ts";
import { ELEMENT_LINES } from "../../../src/dicom/dictionary/elements.generated.ts";
import { formatTag, tagOf } from "../../../src/dicom/tag.ts";
import { element } from "../../../src/dicom/values.ts";
import type { Vr } from "../../../src/dicom/vr.ts";
import { deidentify, expectGone } from "./support/engine.ts";
import { itemAt, nested, valuesIn } from "./support/objects.ts";
import { confidentialityTable } from "./support/table.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const TEXT_VRS = new Set(["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"]);
const tabled = new Set(confidentialityTable().map(({ tag }) => tag));
/** What decides how the rest is read, and whether it may leave. */
const DECIDING = new Set([0x00080005, 0x00080060, 0x00280004, 0x00280301, 0x00280302]);
/** Written by the engine for every object. */
const OWN = new Set([0x00120062, 0x00120063, 0x00280303]);
/** Values that mean something by their place, and names that others refer to: each becomes another one that says nothing. */
const REPLACED = new Map([
  [0x00080008, "OTHER"],
  [0x00089007, "OTHER"],
  [0x00700002, "LAYER_1"],
]);
/** What an attribute becomes that this IOD, or one it may be of, cannot be without: empty, or a dummy. */
const NOTHING_SAID = new Set(["", "ANON", "ANONYMIZED", "Anonymized", "LABEL", "DCMR"]);
/** Retired repeating groups, curves, overlays: dropped as groups. */
const isStructural = (tag: number): boolean =>
  [0x5000, 0x6000].includes(tag >>> 16) || tag === 0x00203100 || (tag >= 0x00280400 && tag <= 0x002808ff);

/** Every attribute of PS3.6 with a VR of text that is not in Table E.1-1; of repeating groups the first. */
const unlisted = ELEMENT_LINES.trim()
  .split("\n")
  .map((line) => line.split(" "))
  .map(([pattern = "", , vr = ""]) => ({ tag: Number.parseInt(pattern.replaceAll("x", "0"), 16), vr }))
  .filter(({ tag, vr }) => TEXT_VRS.has(vr) && tag > 0x0008_0000 && !tabled.has(tag) && !DECIDING.has(tag));

const planted = (tokens: Tokens): DataElement[] =>
  unlisted.map(({ tag, vr }) => element(tagOf(tag), vr as Vr, Buffer.from(tokens.text())));

describe("item 3: every attribute of text in the registry that Table E.1-1 does not have", () => {
  it("is gone, and counted as unlisted", async () => {
    const tokens = createTokens(31);
    const result = await deidentify(await part10Bytes(ctImage(planted(tokens))));
    expect(unlisted.length).toBeGreaterThan(900);
    expectGone(result, tokens);
    const { unlisted: counts, actions } = result.summary ?? { unlisted: new Map(), actions: new Map() };
    const expected = unlisted.map(({ tag }) => tag).filter((tag) => !OWN.has(tag) && !REPLACED.has(tag));
    const isCounted = (tag: number): boolean => {
      const key = formatTag(tagOf(tag));
      return isStructural(tag) ? actions.get(key)?.removed === 1 : counts.get(key) === 1;
    };
    expect(expected.filter((tag) => !isCounted(tag)).map((tag) => formatTag(tagOf(tag)))).toEqual([]);
    expect(remaining(result.dataSet)).toEqual([]);
    // A few are of Type 1 or 2 in the IOD: the others are not there at all.
    expect(expected.filter((tag) => result.dataSet.has(tagOf(tag))).length).toBeLessThan(20);
  });

  it("is gone within a sequence", async () => {
    const tokens = createTokens(32);
    const result = await deidentify(await part10Bytes(ctImage([nested(planted(tokens), 3)])));
    expectGone(result, tokens);
    expect(remaining(itemAt(result.dataSet, 3))).toEqual([]);
  });

  it("is gone where the registry has no such attribute", async () => {
    const tokens = createTokens(33);
    const unknown = [...TEXT_VRS].map((vr, index) =>
      element(tagOf(0x0018ff00 + index), vr as Vr, Buffer.from(tokens.text())),
    );
    const result = await deidentify(await part10Bytes(ctImage(unknown)));
    expectGone(result, tokens);
    for (const { tag } of unknown) {
      expect(result.dataSet.has(tag)).toBe(false);
      expect(result.summary?.unlisted.get(formatTag(tag))).toBe(1);
    }
  });
});

/** What is there although it should have gone. */
function remaining(dataSet: DataSet | undefined): string[] {
  return unlisted
    .filter(({ tag }) => dataSet?.has(tagOf(tag)) === true && !OWN.has(tag))
    .map(({ tag }) => ({ tag, text: valuesIn(dataSet, tag)?.join("\\") ?? "" }))
    .filter(({ tag, text }) => text !== REPLACED.get(tag) && !NOTHING_SAID.has(text))
    .map(({ tag, text }) => `${formatTag(tagOf(tag))} ${text}`);
}
