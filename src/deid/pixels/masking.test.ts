import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textOf, textsOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier, type Deidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import {
  encapsulatedFile,
  GREY_8,
  type ImageShape,
  nativeFile,
  ultrasoundImage,
  withPixels,
} from "../testing/images.ts";
import { put, SOP_CLASSES, text, unsigned } from "../testing/objects.ts";
import { type PixelMask, type PixelSettings, type Rectangle, USUAL_PIXELS } from "./pixel-settings.ts";

const BIG_ENDIAN = "1.2.840.10008.1.2.2";
const RLE = "1.2.840.10008.1.2.5";
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
const BANNER: Rectangle = { x: 1, y: 2, width: 4, height: 3 };

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "masking-"));
});
afterEach(() => rm(folder, { recursive: true }));

function maskOf(rectangles: readonly Rectangle[], when: Partial<PixelMask["when"]> = {}): PixelMask {
  const conditions = { rows: 6, columns: 8, sopClassUids: [SOP_CLASSES.us], ...when };
  return { name: "banner", when: conditions, area: { kind: "rectangles", rectangles } };
}

function engineWith(pixels: Partial<PixelSettings>): Deidentifier {
  const profile = { ...loadProfile("research"), pixels: { ...USUAL_PIXELS, ...pixels } };
  return createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 4)), filters: {} });
}

async function run(bytes: Uint8Array, pixels: Partial<PixelSettings>): Promise<InstanceOutcome> {
  const path = await put(join(folder, "in.dcm"), bytes);
  const outputPath = join(folder, "out.dcm");
  return engineWith(pixels).instance(
    { path, outputPath, participantId: undefined, seriesInstanceCount: 1 },
    neverAborted(),
  );
}

async function outputOf(
  bytes: Uint8Array,
  pixels: Partial<PixelSettings>,
): Promise<{ dataSet: DataSet; pixels: Buffer }> {
  const outcome = await run(bytes, pixels);
  if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
  await using file = await readPart10File(outcome.file.path);
  expect(file.transferSyntaxUid).toBe("1.2.840.10008.1.2.1");
  const { value } = file.dataSet.get(tagOf(0x7fe00010)) ?? {};
  if (value?.kind === "bytes") return { dataSet: file.dataSet, pixels: Buffer.from(value.bytes) };
  if (value?.kind !== "range") throw new Error("no native pixel data");
  return { dataSet: file.dataSet, pixels: Buffer.from(await file.source.read(value.range.offset, value.range.length)) };
}

/** Words that are all different from black and from their neighbours. */
function samplePixels(shape: ImageShape, wordCount: number): Buffer {
  const wordBytes = shape.bitsAllocated / 8;
  const bytes = Buffer.alloc(wordCount * wordBytes);
  const lowest = 2 ** (shape.highBit + 1 - shape.bitsStored);
  for (let index = 0; index < wordCount; index += 1) {
    bytes.writeUIntLE(
      (1 + (index % (2 ** Math.min(shape.bitsStored - 1, 20) - 2))) * lowest,
      index * wordBytes,
      wordBytes,
    );
  }
  return bytes;
}

/** The words of a pixel in native pixel data. PS3.3 C.7.6.3.1.3. */
function wordsOf(shape: ImageShape, frame: number, y: number, x: number): readonly number[] {
  const { rows, columns, samplesPerPixel: samples } = shape;
  const base = frame * rows * columns * samples;
  return Array.from({ length: samples }, (_, sample) =>
    shape.planarConfiguration === 1
      ? base + (sample * rows + y) * columns + x
      : base + (y * columns + x) * samples + sample,
  );
}

function expectedPixels(
  shape: ImageShape,
  pixels: Buffer,
  rectangles: readonly Rectangle[],
  black: readonly number[],
): Buffer {
  const expected = Buffer.from(pixels);
  const wordBytes = shape.bitsAllocated / 8;
  for (let frame = 0; frame < shape.frames; frame += 1)
    for (const { x: left, y: top, width, height } of rectangles)
      for (let y = top; y < top + height; y += 1)
        for (let x = left; x < left + width; x += 1)
          for (const [sample, word] of wordsOf(shape, frame, y, x).entries())
            expected.writeUIntLE(black[sample] ?? 0, word * wordBytes, wordBytes);
  return expected;
}

const GREY_16: ImageShape = { ...GREY_8, bitsAllocated: 16, bitsStored: 12, highBit: 11 };
const RGB: ImageShape = { ...GREY_8, photometricInterpretation: "RGB", samplesPerPixel: 3 };
const YBR: ImageShape = { ...RGB, photometricInterpretation: "YBR_FULL" };

describe("a rectangle becomes black in every frame, the rest stays", () => {
  it.each<[string, ImageShape, readonly number[]]>([
    ["MONOCHROME2, 8 bits", GREY_8, [0]],
    ["MONOCHROME1, 8 bits", { ...GREY_8, photometricInterpretation: "MONOCHROME1" }, [255]],
    ["MONOCHROME1, 12 of 16 bits", { ...GREY_16, photometricInterpretation: "MONOCHROME1" }, [4095]],
    [
      "MONOCHROME1, 12 of 16 bits at the top",
      { ...GREY_16, photometricInterpretation: "MONOCHROME1", highBit: 15 },
      [0xfff0],
    ],
    ["MONOCHROME2, signed 12 of 16 bits", { ...GREY_16, isSigned: true }, [0xf800]],
    ["MONOCHROME2, 32 bits", { ...GREY_8, bitsAllocated: 32, bitsStored: 32, highBit: 31 }, [0]],
    ["RGB by pixel", RGB, [0, 0, 0]],
    ["RGB by plane", { ...RGB, planarConfiguration: 1 }, [0, 0, 0]],
    ["YBR_FULL by pixel", YBR, [0, 128, 128]],
    ["YBR_FULL by plane", { ...YBR, planarConfiguration: 1 }, [0, 128, 128]],
  ])("%s", async (_name, shape, black) => {
    const count = shape.rows * shape.columns * shape.frames * shape.samplesPerPixel;
    const pixels = samplePixels(shape, count);
    const vr = shape.bitsAllocated === 8 ? "OB" : "OW";
    const input = await nativeFile(withPixels(ultrasoundImage(shape), pixels, vr));
    const output = await outputOf(input, { masks: [maskOf([BANNER])] });
    expect(output.pixels).toEqual(expectedPixels(shape, pixels, [BANNER], black));
  });

  it("YBR_FULL_422, where neighbours share their colour", async () => {
    const shape = { ...YBR, rows: 2, columns: 4, frames: 1, photometricInterpretation: "YBR_FULL_422" };
    // Y1 Y2 CB CR of each pair of pixels; two pairs a row.
    const pixels = Buffer.of(11, 12, 13, 14, 15, 16, 17, 18, 21, 22, 23, 24, 25, 26, 27, 28);
    const input = await nativeFile(withPixels(ultrasoundImage(shape), pixels, "OB"));
    const rectangles = [
      { x: 2, y: 0, width: 1, height: 1 },
      { x: 1, y: 1, width: 1, height: 1 },
    ];
    const mask = maskOf(rectangles, { rows: 2, columns: 4 });
    const masked = Buffer.of(11, 12, 13, 14, 0, 0, 128, 128, 0, 0, 128, 128, 25, 26, 27, 28);
    expect((await outputOf(input, { masks: [mask] })).pixels).toEqual(masked);
  });

  it("PALETTE COLOR, by the darkest entry", async () => {
    const shape = { ...GREY_8, photometricInterpretation: "PALETTE COLOR" };
    // Four entries of 16 bits for stored values from 3 on: the third one adds up to least.
    const descriptor = Buffer.of(4, 0, 3, 0, 16, 0);
    const entries = [
      [900, 0, 40, 800],
      [0, 900, 20, 800],
      [0, 0, 10, 800],
    ].map((values) => Buffer.from(Uint16Array.from(values).buffer));
    const palette = entries.flatMap((bytes, index) => [
      element(tagOf(0x00281101 + index), "US", descriptor),
      element(tagOf(0x00281201 + index), "OW", bytes),
    ]);
    const pixels = samplePixels(shape, 96);
    const input = await nativeFile(withPixels(ultrasoundImage(shape, palette), pixels, "OB"));
    const output = await outputOf(input, { masks: [maskOf([BANNER])] });
    expect(output.pixels).toEqual(expectedPixels(shape, pixels, [BANNER], [5]));
  });

  it("big endian, which is written little endian", async () => {
    const pixels = samplePixels(GREY_16, 96);
    const input = await nativeFile(withPixels(ultrasoundImage(GREY_16), pixels, "OW"), BIG_ENDIAN);
    const output = await outputOf(input, { masks: [maskOf([BANNER])] });
    expect(output.pixels).toEqual(expectedPixels(GREY_16, pixels, [BANNER], [0]));
  });

  it("clipped to the image, and several at once", async () => {
    const pixels = samplePixels(GREY_8, 96);
    const input = await nativeFile(withPixels(ultrasoundImage(GREY_8), pixels, "OB"));
    const rectangles = [
      { x: 6, y: 4, width: 100, height: 100 },
      { x: 0, y: 0, width: 8, height: 1 },
      { x: 90, y: 90, width: 5, height: 5 },
    ];
    const clipped = [
      { x: 6, y: 4, width: 2, height: 2 },
      { x: 0, y: 0, width: 8, height: 1 },
    ];
    const output = await outputOf(input, { masks: [maskOf(rectangles)] });
    expect(output.pixels).toEqual(expectedPixels(GREY_8, pixels, clipped, [0]));
  });
});

/** PS3.5 G: header of 16 words, then a segment for each byte of a pixel, each a run of literals and a run of repeats a row. */
function rleFrame(planes: readonly Buffer[], columns: number): Buffer {
  const segments = planes.map((plane) => {
    const rows = Array.from({ length: plane.length / columns }, (_, row) =>
      plane.subarray(row * columns, (row + 1) * columns),
    );
    const runs = rows.flatMap((row) => [
      Buffer.of(columns - 3),
      row.subarray(0, columns - 2),
      Buffer.of(0xff, row.at(-1) ?? 0),
    ]);
    const bytes = Buffer.concat(runs);
    return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0)]);
  });
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let offset = 64;
  for (const [index, { length }] of segments.entries()) {
    header.writeUInt32LE(offset, 4 + 4 * index);
    offset += length;
  }
  return Buffer.concat([header, ...segments]);
}

describe("RLE is decoded, masked and written uncompressed", () => {
  it.each<[string, ImageShape, readonly number[]]>([
    ["8 bits", GREY_8, [0]],
    ["16 bits", GREY_16, [0]],
    ["RGB by pixel", RGB, [0, 0, 0]],
    ["RGB by plane", { ...RGB, planarConfiguration: 1 }, [0, 0, 0]],
  ])("%s", async (_name, shape, black) => {
    const { rows, columns, frames, samplesPerPixel: samples } = shape;
    const wordBytes = shape.bitsAllocated / 8;
    const pixels = samplePixels(shape, rows * columns * frames * samples);
    // The last two bytes of each row of a segment are one repeat: they must be equal.
    for (let frame = 0; frame < frames; frame += 1)
      for (let y = 0; y < rows; y += 1) {
        const from = wordsOf(shape, frame, y, columns - 2);
        for (const [sample, to] of wordsOf(shape, frame, y, columns - 1).entries())
          pixels.copy(pixels, to * wordBytes, (from[sample] ?? 0) * wordBytes, ((from[sample] ?? 0) + 1) * wordBytes);
      }
    const fragments = Array.from({ length: frames }, (_, frame) => {
      const planes = Array.from({ length: samples * wordBytes }, (_, index) => {
        const sample = Math.floor(index / wordBytes);
        const byte = wordBytes - 1 - (index % wordBytes);
        const bytes = Array.from({ length: rows * columns }, (_, pixel) => {
          const word = wordsOf(shape, frame, Math.floor(pixel / columns), pixel % columns)[sample] ?? 0;
          return pixels[word * wordBytes + byte] ?? 0;
        });
        return Buffer.from(bytes);
      });
      return rleFrame(planes, columns);
    });
    const input = await encapsulatedFile(ultrasoundImage(shape), fragments, RLE);
    const output = await outputOf(input, { masks: [maskOf([BANNER])] });
    expect(output.pixels).toEqual(expectedPixels(shape, pixels, [BANNER], black));
  });

  it("refuses a frame that ends too soon", async () => {
    const fragments = [rleFrame([Buffer.alloc(48, 5)], 8), rleFrame([Buffer.alloc(40, 5)], 8)];
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), fragments, RLE);
    expect(await run(input, { masks: [maskOf([BANNER])] })).toMatchObject({
      kind: "rejected",
      code: "PIXEL_DATA_INCONSISTENT",
    });
  });
});

describe("outside the ultrasound regions", () => {
  const bounds = (left: number, top: number, right: number, bottom: number): DataSet =>
    dataSetOf(
      [left, top, right, bottom].map((value, index) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(value);
        return element(tagOf(0x00186018 + 2 * index), "UL", bytes);
      }),
    );
  const regions = (...items: DataSet[]): DataElement => sequenceElement(tagOf(0x00186011), items);
  const outside: PixelMask = { ...maskOf([]), area: { kind: "outside-regions" } };
  const pixels = samplePixels(GREY_8, 96);
  const imageWith = (...changes: DataElement[]): Promise<Buffer> =>
    nativeFile(withPixels(ultrasoundImage(GREY_8, changes), pixels, "OB"));

  it("everything becomes black", async () => {
    // Two regions, side by side for a part: columns 1 to 3 of rows 1 to 3, columns 3 to 6 of rows 2 to 4.
    const output = await outputOf(await imageWith(regions(bounds(1, 1, 3, 3), bounds(3, 2, 6, 4))), {
      masks: [outside],
    });
    const isInside = (x: number, y: number): boolean =>
      (x >= 1 && x <= 3 && y >= 1 && y <= 3) || (x >= 3 && x <= 6 && y >= 2 && y <= 4);
    const expected = pixels.map((value, index) => (isInside(index % 8, Math.floor(index / 8) % 6) ? value : 0));
    expect(output.pixels).toEqual(Buffer.from(expected));
  });

  it.each<[string, readonly DataElement[], string]>([
    ["there are none", [], "mask-regions"],
    ["one ends outside the image", [regions(bounds(0, 0, 8, 5))], "mask-regions"],
    ["one ends before it begins", [regions(bounds(4, 0, 2, 5))], "mask-regions"],
    ["one is all of the image", [regions(bounds(0, 0, 7, 5))], "mask-covers-nothing"],
  ])("is refused when %s", async (_name, changes, reason) => {
    expect(await run(await imageWith(...changes), { masks: [outside] })).toEqual({
      kind: "rejected",
      code: "PIXEL_MASK_NOT_APPLICABLE",
      reason,
    });
  });
});

describe("a mask fits", () => {
  const pixels = samplePixels(GREY_8, 96);
  const imageWith = (...changes: DataElement[]): Promise<Buffer> =>
    nativeFile(withPixels(ultrasoundImage(GREY_8, changes), pixels, "OB"));
  const outcomeOf = async (mask: PixelMask, ...changes: DataElement[]): Promise<string> => {
    const outcome = await run(await imageWith(...changes), { masks: [mask] });
    return outcome.kind === "rejected" ? `${outcome.code} ${outcome.reason}` : outcome.kind;
  };

  it.each<[string, Partial<PixelMask["when"]>, string]>([
    ["the class alone", {}, "deidentified"],
    [
      "manufacturer, model and software",
      { manufacturer: /^siemens$/i, model: /somatom/i, software: /^VB2/ },
      "deidentified",
    ],
    ["another manufacturer", { manufacturer: /philips/i }, "SOP_CLASS_NOT_ALLOWED sop-class"],
    ["another software", { software: /^VC/ }, "SOP_CLASS_NOT_ALLOWED sop-class"],
    ["another class", { sopClassUids: [SOP_CLASSES.secondaryCapture] }, "SOP_CLASS_NOT_ALLOWED sop-class"],
    ["another transfer syntax", { transferSyntaxUids: [RLE] }, "SOP_CLASS_NOT_ALLOWED sop-class"],
    ["another number of regions", { regionCount: 2 }, "SOP_CLASS_NOT_ALLOWED sop-class"],
    ["a row less", { rows: 5 }, "PIXEL_MASK_NOT_APPLICABLE mask-size"],
    ["rows for columns", { rows: 8, columns: 6 }, "PIXEL_MASK_NOT_APPLICABLE mask-size"],
  ])("%s", async (_name, when, expected) => {
    expect(await outcomeOf(maskOf([BANNER], when), text(0x00181020, "syngo\\VB20"))).toBe(expected);
  });

  it("no object that does not name its device", async () => {
    const anyone = maskOf([BANNER], { manufacturer: /.*/ });
    expect(await outcomeOf(anyone)).toBe("deidentified");
    expect(await outcomeOf(anyone, text(0x00080070, ""))).toBe("SOP_CLASS_NOT_ALLOWED sop-class");
  });

  it("or is refused where it would blacken nothing, or black is not known", async () => {
    const beside = { x: 8, y: 0, width: 4, height: 4 };
    expect(await outcomeOf(maskOf([beside]))).toBe("PIXEL_MASK_NOT_APPLICABLE mask-covers-nothing");
    const unknown = text(0x00280004, "HSV");
    expect(await outcomeOf(maskOf([BANNER]), unknown)).toBe(
      "PIXEL_MASK_NOT_APPLICABLE mask-photometric-interpretation",
    );
    const words = unsigned(0x00280100, 12);
    expect(await outcomeOf(maskOf([BANNER]), words)).toBe("PIXEL_MASK_NOT_APPLICABLE mask-layout");
  });

  it("compressed images only with a codec, which there is none of", async () => {
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), [Buffer.of(0xff, 0xd8, 0xff, 0xd9)], JPEG_BASELINE);
    expect(await run(input, { masks: [maskOf([BANNER])] })).toMatchObject({ reason: "mask-needs-codec" });
  });

  it("burned-in text, not a recognizable face", async () => {
    expect(await outcomeOf(maskOf([BANNER]), text(0x00280301, "YES"))).toBe("deidentified");
    expect(await outcomeOf(maskOf([BANNER]), text(0x00280302, "YES"))).toBe(
      "BURNED_IN_ANNOTATION recognizable-visual-features",
    );
  });
});

it("what was masked says so, and what was not does not", async () => {
  const pixels = samplePixels(GREY_8, 96);
  const icon = sequenceElement(tagOf(0x00880200), [dataSetOf([unsigned(0x00280010, 1)])]);
  const overlay = [unsigned(0x60000010, 6), element(tagOf(0x60003000), "OW", Buffer.alloc(6, 0xff))];
  const flags = [text(0x00280301, "YES"), text(0x00282110, "01"), unsigned(0x00280107, 200)];
  const changes = [...flags, ...overlay, icon];
  const input = await nativeFile(withPixels(ultrasoundImage(GREY_8, changes), pixels, "OB"));
  const { dataSet } = await outputOf(input, { masks: [maskOf([BANNER])] });
  const RESEARCH = ["113105", "113107", "113108"];
  const codesOf = (output: DataSet): readonly (string | undefined)[] =>
    itemsOf(output, tagOf(0x00120064)).map((item) => textOf(item.dataSet, tagOf(0x00080100)));
  expect(textOf(dataSet, tagOf(0x00280301))).toBe("NO");
  expect(textsOf(dataSet, tagOf(0x00080008))).toEqual(["DERIVED", "PRIMARY", "AXIAL"]);
  expect(textOf(dataSet, tagOf(0x00282110))).toBe("01");
  for (const tag of [0x00280107, 0x00880200, 0x60000010, 0x60003000]) expect(dataSet.has(tagOf(tag))).toBe(false);
  expect(codesOf(dataSet)).toEqual(["113100", "113101", ...RESEARCH]);
  const passed = await nativeFile(withPixels(ultrasoundImage(GREY_8), pixels, "OB"));
  expect(codesOf((await outputOf(passed, { allow: ["US"] })).dataSet)).toEqual(["113100", ...RESEARCH]);
});

it("a pixel that is not black after all is found as the output is read back", async () => {
  const input = await nativeFile(withPixels(ultrasoundImage(GREY_8), samplePixels(GREY_8, 96), "OB"));
  const engine = engineWith({ masks: [maskOf([BANNER])] });
  const path = await put(join(folder, "in.dcm"), input);
  const outputPath = join(folder, "out.dcm");
  const task = { path, outputPath, participantId: undefined };
  await engine.instance({ ...task, seriesInstanceCount: 1 }, neverAborted());
  expect(await engine.verify(task, neverAborted())).toMatchObject({ ok: true });
  const output = await readFile(outputPath);
  // The last pixel of the rectangle in the second frame: row 4, column 4.
  output[output.length - 48 + 4 * 8 + 4] = 1;
  await writeFile(outputPath, output);
  expect(await engine.verify(task, neverAborted())).toMatchObject({ ok: false, reason: "mask (7FE0,0010)" });
});
