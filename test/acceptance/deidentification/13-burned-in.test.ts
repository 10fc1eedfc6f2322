import { describe, expect, it } from "vitest";
import { type PixelMask, type Rectangle, USUAL_PIXELS } from "../../../src/deid/pixels/pixel-settings.ts";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import {
  encapsulatedFile,
  GREY_8,
  type ImageShape,
  nativeFile,
  ultrasoundImage,
  withPixels,
} from "../../../src/deid/testing/images.ts";
import { SOP_CLASSES, text } from "../../../src/deid/testing/objects.ts";
import type { DataElement } from "../../../src/dicom/data-set.ts";
import { EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN } from "../../../src/dicom/dictionary/transfer-syntaxes.ts";
import { deidentify, expectGone, expectRefused } from "./support/engine.ts";
import { valuesIn } from "./support/objects.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";

const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
const RLE = "1.2.840.10008.1.2.5";
const STORAGE = "1.2.840.10008.5.1.4.1.1.";
/** Where the device writes the name. */
const BANNER: Rectangle = { x: 4, y: 1, width: 20, height: 4 };
const SHAPE: ImageShape = { ...GREY_8, rows: 8, columns: 32 };

function withMask(
  shape: ImageShape,
  changes: Partial<PixelMask["when"]> = {},
  rectangles: readonly Rectangle[] = [BANNER],
) {
  const when = { rows: shape.rows, columns: shape.columns, ...changes };
  const mask: PixelMask = { name: "banner", when, area: { kind: "rectangles", rectangles } };
  return profileWith(["clean-pixel-data"], { pixels: { ...USUAL_PIXELS, masks: [mask] } });
}

/** Pixels that differ from their neighbours and are never black; the name is drawn letter by letter into the banner. */
function drawn(shape: ImageShape, tokens: Tokens): Buffer {
  const { rows, columns, frames, samplesPerPixel: samples } = shape;
  const wordBytes = shape.bitsAllocated / 8;
  const pixels = Buffer.alloc(rows * columns * frames * samples * wordBytes);
  for (let index = 0; index < pixels.length; index += 1)
    pixels[index] = index % wordBytes === wordBytes - 1 && wordBytes > 1 ? 1 : 1 + (index % 120);
  const rowBytes = columns * samples * wordBytes;
  for (let frame = 0; frame < frames; frame += 1)
    pixels.write(
      tokens.text(),
      frame * rows * rowBytes + BANNER.y * rowBytes + BANNER.x * samples * wordBytes,
      "latin1",
    );
  return pixels;
}

/** For every byte, whether it is of the banner; by pixel. */
function isBanner(shape: ImageShape, at: number): boolean {
  const pixel = Math.floor(at / ((shape.bitsAllocated / 8) * shape.samplesPerPixel)) % (shape.rows * shape.columns);
  const [x, y] = [pixel % shape.columns, Math.floor(pixel / shape.columns)];
  return x >= BANNER.x && x < BANNER.x + BANNER.width && y >= BANNER.y && y < BANNER.y + BANNER.height;
}

function image(
  shape: ImageShape,
  tokens: Tokens,
  changes: readonly DataElement[] = [],
  syntax = EXPLICIT_VR_LITTLE_ENDIAN,
) {
  const vr = shape.bitsAllocated === 8 ? "OB" : "OW";
  return nativeFile(
    withPixels(ultrasoundImage(shape, [text(0x00100010, tokens.text()), ...changes]), drawn(shape, tokens), vr),
    syntax,
  );
}

describe("item 13: pixels that may hold text", () => {
  const flags = [undefined, "YES", "NO", "", "UNKNOWN"] as const;
  const classes = {
    US: [`${STORAGE}6.1`, `${STORAGE}6.2`, `${STORAGE}3.1`],
    "secondary capture": [`${STORAGE}7`, `${STORAGE}7.1`, `${STORAGE}7.2`, `${STORAGE}7.3`, `${STORAGE}7.4`],
    "photographs, endoscopy, fluoroscopy": [
      `${STORAGE}77.1.1`,
      `${STORAGE}77.1.4`,
      `${STORAGE}77.1.5.1`,
      `${STORAGE}12.1`,
      `${STORAGE}12.2`,
    ],
    "private and unknown classes": ["1.2.826.0.1.3680043.9.7.99", `${STORAGE}999`],
  };

  it.each(Object.entries(classes))("%s, with the flag or without: rejected", async (_, sopClasses) => {
    const tokens = createTokens(1300);
    for (const sopClass of sopClasses) {
      for (const flag of flags) {
        // Whatever they say they are.
        const modality = text(0x00080060, flag === "NO" ? "CT" : "US");
        const changes = [text(0x00080016, sopClass), modality, ...(flag === undefined ? [] : [text(0x00280301, flag)])];
        for (const profile of ["basic", "research"])
          expectRefused(await deidentify(await image(SHAPE, tokens, changes), profile), tokens);
      }
    }
  });

  it("a CT that says YES, is somebody's screen, or is of another modality: rejected", async () => {
    const tokens = createTokens(1301);
    const ct = [text(0x00080016, SOP_CLASSES.ct), text(0x00080060, "CT")];
    const changes = [
      [...ct, text(0x00280301, "YES")],
      [...ct, text(0x00280302, "YES")],
      [...ct, text(0x00080008, "DERIVED\\SECONDARY\\SCREEN SAVE")],
      [text(0x00080016, SOP_CLASSES.ct), text(0x00080060, "OT")],
      [text(0x00080016, SOP_CLASSES.dx), text(0x00080060, "DX")],
    ];
    for (const each of changes) {
      const burnedIn = expectRefused(await deidentify(await image(SHAPE, tokens, each)), tokens);
      expect(burnedIn).toMatch(/^BURNED_IN_ANNOTATION /);
    }
  });
});

describe("item 13: a mask that fits", () => {
  const shapes: Readonly<Record<string, readonly [ImageShape, readonly number[]]>> = {
    "8 bits, two frames": [SHAPE, [0]],
    "one frame": [{ ...SHAPE, frames: 1 }, [0]],
    MONOCHROME1: [{ ...SHAPE, photometricInterpretation: "MONOCHROME1" }, [255]],
    "16 bits": [{ ...SHAPE, bitsAllocated: 16, bitsStored: 16, highBit: 15 }, [0, 0]],
    RGB: [{ ...SHAPE, photometricInterpretation: "RGB", samplesPerPixel: 3 }, [0, 0, 0]],
    YBR_FULL: [{ ...SHAPE, photometricInterpretation: "YBR_FULL", samplesPerPixel: 3 }, [0, 128, 128]],
  };

  it.each(Object.entries(shapes))("%s: the rectangle is uniform, the rest is as it was", async (_, [shape, black]) => {
    const tokens = createTokens(1310);
    const file = await image(shape, tokens, [text(0x00280301, "YES")]);
    const result = await deidentify(file, withMask(shape));
    expectGone(result, tokens);
    const before = drawn(shape, tokens);
    expect(result.pixels).toHaveLength(before.length);
    const expected = before.map((byte, at) => (isBanner(shape, at) ? (black[at % black.length] ?? 0) : byte));
    expect(result.pixels.equals(Buffer.from(expected))).toBe(true);
    expect(valuesIn(result.dataSet, 0x00280301)).toEqual(["NO"]);
    expect(valuesIn(result.dataSet, 0x00080008)?.[0]).toBe("DERIVED");
    expect(result.summary?.options).toContain("113101");
  });

  it("big endian words", async () => {
    const tokens = createTokens(1320);
    const shape: ImageShape = { ...SHAPE, bitsAllocated: 16, bitsStored: 16, highBit: 15 };
    const result = await deidentify(await image(shape, tokens, [], EXPLICIT_VR_BIG_ENDIAN), withMask(shape));
    expectGone(result, tokens);
    expect(
      result.pixels.every((byte, at) => (isBanner(shape, at) ? byte === 0 : byte === drawn(shape, tokens)[at])),
    ).toBe(true);
  });

  it("RLE is decoded, and written uncompressed", async () => {
    const tokens = createTokens(1321);
    const shape = { ...SHAPE, frames: 1 };
    const pixels = drawn(shape, tokens);
    // One segment: offsets in 16 words, then literal runs of a row each. PS3.5 G.
    const header = Buffer.alloc(64);
    header.writeUInt32LE(1, 0);
    header.writeUInt32LE(64, 4);
    const rows = Array.from({ length: shape.rows }, (_, row) =>
      Buffer.concat([Buffer.of(shape.columns - 1), pixels.subarray(row * shape.columns, (row + 1) * shape.columns)]),
    );
    const file = await encapsulatedFile(ultrasoundImage(shape), [Buffer.concat([header, ...rows])], RLE);
    const result = await deidentify(file, withMask(shape));
    expectGone(result, tokens);
    expect(result.transferSyntaxUid).toBe(EXPLICIT_VR_LITTLE_ENDIAN);
    expect(result.pixels.equals(Buffer.from(pixels.map((byte, at) => (isBanner(shape, at) ? 0 : byte))))).toBe(true);
  });

  it("JPEG without a codec: rejected", async () => {
    const tokens = createTokens(1322);
    const frame = Buffer.concat([Buffer.of(0xff, 0xd8), Buffer.from(tokens.text()), Buffer.of(0xff, 0xd9)]);
    const file = await encapsulatedFile(ultrasoundImage({ ...SHAPE, frames: 1 }), [frame], JPEG_BASELINE);
    expect(expectRefused(await deidentify(file, withMask(SHAPE)), tokens)).toBe(
      "PIXEL_MASK_NOT_APPLICABLE mask-needs-codec",
    );
  });

  it("one of another size, another device, or that covers nothing: rejected", async () => {
    const tokens = createTokens(1323);
    const outside = [{ x: 40, y: 20, width: 5, height: 5 }];
    const profiles = [
      withMask({ ...SHAPE, rows: 9 }),
      withMask({ ...SHAPE, rows: SHAPE.columns, columns: SHAPE.rows }),
      withMask(SHAPE, { manufacturer: /philips/i }),
      withMask(SHAPE, { sopClassUids: [SOP_CLASSES.secondaryCapture] }),
      withMask(SHAPE, {}, outside),
      withMask(SHAPE, {}, []),
    ];
    for (const profile of profiles) expectRefused(await deidentify(await image(SHAPE, tokens), profile), tokens);
  });
});
