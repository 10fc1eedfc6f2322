import { describe, expect, it } from "vitest";
import { ctImage, part10Bytes } from "../../../src/deid/testing/objects.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { textElement } from "../../../src/dicom/values.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { itemAt, nested, RETAINED_SEQUENCE, valuesIn } from "./support/objects.ts";
import { confidentialityTable, type PlantedValues, soundValues, textValues } from "./support/table.ts";
import { createTokens } from "./support/tokens.ts";

/** Kept wherever it stands. */
const SLICE_THICKNESS = textElement(tagOf(0x00180050), "1.25", "DS");
const isNestable = ({ tag }: { readonly tag: number }): boolean => tag > 0x0008_0000;
const rows = confidentialityTable().filter(isNestable);
/** A sequence among them makes one more level, of which there are 64. */
const everyAttribute = (values: PlantedValues, depth: number) => [
  ...rows.filter(({ vr }) => depth < 64 || vr !== "SQ").map(({ tag, vr }) => values(tag, vr)),
  SLICE_THICKNESS,
];

/** Sequences that stay, that no list names, that Table E.1-1 names, that are private. */
const SEQUENCES = {
  retained: RETAINED_SEQUENCE,
  unlisted: 0x00189999,
  "in the Table": 0x00081110,
  private: 0x00091010,
};

describe("item 2: every attribute of Table E.1-1 within sequences", () => {
  it.each([1, 10, 60, 64])("at depth %i gives nothing away", async (depth) => {
    const tokens = createTokens(200 + depth);
    const { values, planted } = soundValues(tokens, 300 + depth);
    const result = await deidentify(await part10Bytes(ctImage([nested(everyAttribute(values, depth), depth)])));
    expectGone(result, tokens, planted);
    expect(valuesIn(itemAt(result.dataSet, depth), SLICE_THICKNESS.tag)).toEqual(["1.25"]);
    const texts = createTokens(400 + depth);
    expectGone(
      await deidentify(await part10Bytes(ctImage([nested(everyAttribute(textValues(texts), depth), depth)]))),
      texts,
    );
  });

  it.each(Object.entries(SEQUENCES))("at depth 65 of sequences that are %s the object is refused", async (_, tag) => {
    const tokens = createTokens(265);
    const source = ctImage([nested(everyAttribute(textValues(tokens), 65), 65, tag)]);
    expect(expectRefused(await deidentify(await part10Bytes(source)), tokens)).toMatch(/ depth$/);
  });
});
