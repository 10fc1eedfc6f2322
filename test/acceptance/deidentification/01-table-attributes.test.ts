import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ctImage, part10Bytes } from "../../../src/deid/testing/objects.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { bytesOf } from "../../../src/dicom/values.ts";
import { deidentify, expectGone } from "./support/engine.ts";
import { valuesIn } from "./support/objects.ts";
import { confidentialityTable, type PlantedValues, soundValues, textValues } from "./support/table.ts";
import { createTokens } from "./support/tokens.ts";

/** File meta and commands are no part of a data set; a document makes the object one (item 14). */
const NOT_IN_AN_IMAGE = new Set([0x00000000, 0x00020000, 0x00420011]);
const isInAnImage = ({ tag }: { readonly tag: number }): boolean =>
  !NOT_IN_AN_IMAGE.has(tag) && !NOT_IN_AN_IMAGE.has((tag & 0xffff0000) >>> 0);

const GEOMETRY = [0x00180050, 0x00185100, 0x00200032, 0x00200037, 0x00280010, 0x00280011, 0x00280030];
const PHYSICS = [0x00080008, 0x00080060, 0x00180060, 0x00181210, 0x00281052, 0x00281053, 0x00281054];
const PIXEL_DATA = tagOf(0x7fe00010);

const rows = confidentialityTable();
const planted = (values: PlantedValues) => ctImage(rows.filter(isInAnImage).map(({ tag, vr }) => values(tag, vr)));

describe("item 1: a CT with every attribute of Table E.1-1 at the top level, basic profile", () => {
  it("is built from 656 rows", () => {
    expect(rows).toHaveLength(656);
    expect(rows.filter(isInAnImage)).toHaveLength(652);
  });

  it("gives away no value that is sound for its VR", async () => {
    const tokens = createTokens(101);
    const { values, planted: encoded } = soundValues(tokens, 102);
    const dataSet = planted(values);
    const result = await deidentify(await part10Bytes(dataSet));
    expectGone(result, tokens, encoded);
    for (const { tag } of rows.filter(isInAnImage)) {
      const [before, after] = [bytesOf(dataSet, tagOf(tag)), bytesOf(result.dataSet, tagOf(tag))];
      if (before !== undefined && after !== undefined)
        expect(Buffer.from(after).equals(before), tag.toString(16)).toBe(false);
    }
  });

  it("gives away no text, wherever it stands", async () => {
    const tokens = createTokens(103);
    expectGone(await deidentify(await part10Bytes(planted(textValues(tokens)))), tokens);
  });

  it("keeps geometry, physics and pixels as they are", async () => {
    const source = planted(soundValues(createTokens(104), 105).values);
    const { dataSet, pixels } = await deidentify(await part10Bytes(source));
    for (const tag of [...GEOMETRY, ...PHYSICS]) {
      expect(valuesIn(source, tag), tag.toString(16)).not.toHaveLength(0);
      expect(valuesIn(dataSet, tag), tag.toString(16)).toEqual(valuesIn(source, tag));
    }
    expect(sha256(pixels)).toBe(sha256(bytesOf(source, PIXEL_DATA)));
  });
});

function sha256(bytes: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(bytes ?? "")
    .digest("hex");
}
