import { describe, expect, it } from "vitest";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, part10Bytes, text, unsigned } from "../../../src/deid/testing/objects.ts";
import type { DataElement } from "../../../src/dicom/data-set.ts";
import { formatTag, tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../src/dicom/values.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { nested } from "./support/objects.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const PROFILES = {
  basic: profileWith([]),
  "clean-graphics": profileWith(["clean-graphics"]),
  research: "research",
} as const;
const [ROWS, COLUMNS] = [4, 6];
const words = (tag: number, text: string) => element(tagOf(tag), "OW", Buffer.from(text));

/** Overlays are in the even groups 6000 to 601E, curves in 5000 to 501E. PS3.3 C.9.2, PS3.5 7.6. */
const groupsFrom = (first: number) => Array.from({ length: 16 }, (_, index) => first + 2 * index);
const overlay = (tokens: Tokens, group: number): DataElement[] => {
  const base = group * 0x10000;
  return [
    unsigned(base + 0x0010, ROWS),
    unsigned(base + 0x0011, COLUMNS),
    element(tagOf(base + 0x0022), "LO", Buffer.from(tokens.text())),
    element(tagOf(base + 0x0040), "CS", Buffer.from("G ")),
    element(tagOf(base + 0x0045), "LO", Buffer.from(tokens.text())),
    unsigned(base + 0x0100, 1),
    unsigned(base + 0x0102, 0),
    element(tagOf(base + 0x1500), "LO", Buffer.from(tokens.text())),
    words(base + 0x3000, tokens.text()),
    element(tagOf(base + 0x4000), "LT", Buffer.from(tokens.text())),
  ];
};
const curve = (tokens: Tokens, group: number): DataElement[] => {
  const base = group * 0x10000;
  return [
    element(tagOf(base + 0x0022), "LO", Buffer.from(tokens.text())),
    element(tagOf(base + 0x0040), "SH", Buffer.from(tokens.text())),
    element(tagOf(base + 0x2500), "LO", Buffer.from(tokens.text())),
    words(base + 0x3000, tokens.text()),
  ];
};

describe.each(Object.entries(PROFILES))("item 8, %s", (_, profile) => {
  it("overlays and curves of every group, also odd ones: gone", async () => {
    const tokens = createTokens(81);
    const groups = [...groupsFrom(0x6000), 0x6001, 0x60fe];
    const elements = [
      ...groups.flatMap((group) => overlay(tokens, group)),
      ...[...groupsFrom(0x5000), 0x5001, 0x50fe].flatMap((group) => curve(tokens, group)),
    ];
    const result = await deidentify(await part10Bytes(ctImage([...elements, nested(elements, 2)])), profile);
    expectGone(result, tokens);
    expect([...result.dataSet.keys()].filter((tag) => tag >>> 28 === 6 || tag >>> 24 === 0x50).map(formatTag)).toEqual(
      [],
    );
  });

  it("icons: gone, with their palettes and pixels", async () => {
    const tokens = createTokens(82);
    const icon = dataSetOf([
      text(0x00080080, tokens.text()),
      unsigned(0x00280010, 2),
      unsigned(0x00280011, 3),
      words(0x00281201, tokens.text()),
      words(0x7fe00010, tokens.text()),
    ]);
    const icons = [0x00880200, 0x00091020].map((tag) => sequenceElement(tagOf(tag), [icon]));
    const result = await deidentify(await part10Bytes(ctImage([...icons, nested(icons, 1)])), profile);
    expectGone(result, tokens);
    expect(result.dataSet.has(tagOf(0x00880200))).toBe(false);
  });

  it("a text drawn into the bits above High Bit: cleared, the pixels below are as they were", async () => {
    // 12 bits are stored of 16; an overlay was kept in bit 13. PS3.5 8.1.2.
    const stored = Buffer.from(
      Uint16Array.from({ length: ROWS * COLUMNS }, (_, index) => (index * 131) & 0x0fff).buffer,
    );
    const drawn = Buffer.from(stored);
    for (let index = 0; index < drawn.length; index += 2)
      drawn.writeUInt16LE(drawn.readUInt16LE(index) | ((index % 3) << 13), index);
    const result = await deidentify(
      await part10Bytes(ctImage([...embedded(13), element(tagOf(0x7fe00010), "OW", drawn)])),
      profile,
    );
    expect(result.outcome.kind).toBe("deidentified");
    expect(drawn.equals(stored)).toBe(false);
    expect(result.pixels.equals(stored)).toBe(true);
  });

  it("an overlay within the stored bits: refused", async () => {
    const source = await part10Bytes(ctImage(embedded(5)));
    expect(expectRefused(await deidentify(source, profile), createTokens(84))).toBe(
      "BURNED_IN_ANNOTATION embedded-overlay",
    );
  });

  it("text behind the pixels of native pixel data: cut off", async () => {
    const tokens = createTokens(85);
    const pixels = Buffer.concat([Buffer.alloc(ROWS * COLUMNS * 2, 7), Buffer.from(tokens.text().repeat(3))]);
    const result = await deidentify(await part10Bytes(ctImage([element(tagOf(0x7fe00010), "OW", pixels)])), profile);
    expectGone(result, tokens);
    expect(result.pixels.equals(Buffer.alloc(ROWS * COLUMNS * 2, 7))).toBe(true);
  });
});

/** An overlay in one bit of the pixels' words. PS3.3 C.9.2 (retired). */
function embedded(bit: number): DataElement[] {
  return [
    unsigned(0x00280101, 12),
    unsigned(0x00280102, 11),
    unsigned(0x60000010, ROWS),
    unsigned(0x60000011, COLUMNS),
    unsigned(0x60000100, 16),
    unsigned(0x60000102, bit),
  ];
}
