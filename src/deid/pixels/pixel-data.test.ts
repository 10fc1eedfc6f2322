import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_BIG_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { bytesOf, dataSetOf, element, textOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import type { Profile } from "../profiles/profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { encapsulatedFile, GREY_8, ultrasoundImage } from "../testing/images.ts";
import { ctImage, part10Bytes, pixels, put, SOP_CLASSES, text, unsigned, without } from "../testing/objects.ts";
import { emptyPdf } from "./empty-document.ts";
import { USUAL_PIXELS } from "./pixel-settings.ts";

const PIXEL_DATA = tagOf(0x7fe00010);
const RLE = "1.2.840.10008.1.2.5";
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pixel-data-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(bytes: Uint8Array, changes: Partial<Profile> = {}): Promise<InstanceOutcome> {
  const path = await put(join(folder, "in.dcm"), bytes);
  const profile = { ...loadProfile("research"), ...changes };
  const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 4)), filters: {} });
  const outputPath = join(folder, "out.dcm");
  return engine.instance({ path, outputPath, participantId: undefined, seriesInstanceCount: 1 }, neverAborted());
}

async function outputOf(bytes: Uint8Array, changes?: Partial<Profile>): Promise<Buffer> {
  const outcome = await run(bytes, changes);
  if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
  return readFile(outcome.file.path);
}

describe("bits outside Bits Stored", () => {
  /** Words of 12 bits, in the bits above them an overlay of old. */
  const WORDS = Uint16Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? 0xf000 : 0x1000) | (index * 171));
  const CLEARED = WORDS.map((word) => word & 0x0fff);
  const bytesOfWords = (words: Uint16Array): Buffer => Buffer.from(words.buffer);
  const twelveBits = (...changes: DataElement[]): Promise<Buffer> =>
    part10Bytes(
      ctImage([
        unsigned(0x00280101, 12),
        unsigned(0x00280102, 11),
        element(PIXEL_DATA, "OW", bytesOfWords(WORDS)),
        ...changes,
      ]),
    );
  const overlay = [unsigned(0x60000100, 16), unsigned(0x60000102, 12)];

  it("are cleared where an overlay was kept in them", async () => {
    const output = await outputOf(await twelveBits(...overlay));
    expect(output.subarray(-48)).toEqual(bytesOfWords(CLEARED));
  });

  it.each([
    ["without a byte", []],
    ["of its own beside them", [1, 0]],
  ])("are cleared where an overlay was kept in them and has data %s", async (_, data) => {
    const overlayData = element(tagOf(0x60003000), "OW", Uint8Array.from(data));
    const output = await outputOf(await twelveBits(...overlay, overlayData));
    expect(output.subarray(-48)).toEqual(bytesOfWords(CLEARED));
  });

  it("stay where nobody asked, and are cleared where the project did", async () => {
    expect((await outputOf(await twelveBits())).subarray(-48)).toEqual(bytesOfWords(WORDS));
    const always = { pixels: { ...USUAL_PIXELS, clearHighBits: "always" } } as const;
    expect((await outputOf(await twelveBits(), always)).subarray(-48)).toEqual(bytesOfWords(CLEARED));
  });

  it("are cleared of RLE, which leaves uncompressed for it", async () => {
    // Two segments (PS3.5 G.5), the high bytes first, each one run of 24 literal bytes and a byte of padding.
    const header = Buffer.alloc(64);
    for (const [index, word] of [2, 64, 90].entries()) header.writeUInt32LE(word, 4 * index);
    const bytes = bytesOfWords(WORDS);
    const segment = (first: number): Buffer =>
      Buffer.from([23, ...WORDS.keys().map((index) => bytes[2 * index + first] ?? 0), 0]);
    const image = without(ctImage([unsigned(0x00280101, 12), unsigned(0x00280102, 11), ...overlay]), PIXEL_DATA);
    const input = await encapsulatedFile(image, [Buffer.concat([header, segment(1), segment(0)])], RLE);
    expect((await outputOf(input)).subarray(-48)).toEqual(bytesOfWords(CLEARED));
    const kept = { pixels: { ...USUAL_PIXELS, clearHighBits: "never" } } as const;
    expect(await run(input, kept)).toMatchObject({ reason: "embedded-overlay" });
  });

  it("repeat the sign of negative values", async () => {
    const output = await outputOf(await twelveBits(...overlay, unsigned(0x00280103, 1)));
    const signed = WORDS.map((word) => ((word & 0x0fff) ^ 0x0800) - 0x0800);
    expect(output.subarray(-48)).toEqual(bytesOfWords(signed));
  });

  it("below the lowest bit are cleared too", async () => {
    const output = await outputOf(await twelveBits(unsigned(0x00280102, 15), unsigned(0x60000102, 2)));
    expect(output.subarray(-48)).toEqual(bytesOfWords(WORDS.map((word) => word & 0xfff0)));
  });
});

describe("the length of pixel data", () => {
  it("is what rows, columns and frames say, its padding zero", async () => {
    const odd = [unsigned(0x00280010, 3), unsigned(0x00280011, 5), unsigned(0x00280100, 8), unsigned(0x00280101, 8)];
    const values = Buffer.from([...pixels().subarray(0, 15), 0x5a]);
    const input = await part10Bytes(ctImage([...odd, unsigned(0x00280102, 7), element(PIXEL_DATA, "OB", values)]));
    const expected = Buffer.concat([values.subarray(0, 15), Buffer.of(0)]);
    expect((await outputOf(input)).subarray(-16)).toEqual(expected);
  });

  it("is no more than can be told: compressed data of more is not decoded for bits to be cleared", async () => {
    // 65535 lines of 32769 words: 2^32 bytes and some.
    const huge = ctImage([
      ...[unsigned(0x00280010, 65535), unsigned(0x00280011, 32769), unsigned(0x00280101, 12), unsigned(0x00280102, 11)],
    ]);
    const always = { pixels: { ...USUAL_PIXELS, clearHighBits: "always" } } as const;
    const input = await encapsulatedFile(without(huge, PIXEL_DATA), [Buffer.alloc(64)], RLE);
    expect(await run(input, always)).toMatchObject({ code: "PIXEL_DATA_INCONSISTENT", reason: "pixel-data-long" });
  });

  it("is told of where it was more", async () => {
    const surplus = Buffer.concat([pixels(), Buffer.from("Brandybuck")]);
    const outcome = await run(await part10Bytes(ctImage([element(PIXEL_DATA, "OW", surplus)])));
    expect(outcome.kind === "deidentified" && outcome.summary.notes.get("surplus-pixel-bytes")).toBe(1);
  });

  it("is made of words in the order of their bytes, whatever order they came in", async () => {
    const narrow = [
      unsigned(0x00280011, 2 * 6),
      ...[8, 8, 7].map((value, index) => unsigned(0x00280100 + index, value)),
    ];
    const doubles = Buffer.from(Float64Array.from({ length: 24 }, (_, index) => index / 3).buffer);
    for (const [image, expected] of [
      [ctImage(), pixels()],
      [ctImage([element(PIXEL_DATA, "UN", pixels())]), pixels()],
      [ctImage([...narrow, element(PIXEL_DATA, "OB", pixels())]), pixels()],
      [dataSetOf([...without(ctImage(), PIXEL_DATA).values(), element(tagOf(0x7fe00009), "OD", doubles)]), doubles],
    ] as const) {
      const output = await outputOf(await part10Bytes(image, { transferSyntaxUid: EXPLICIT_VR_BIG_ENDIAN }));
      expect(output.subarray(-expected.length)).toEqual(Buffer.from(expected));
    }
  });

  it("holds for floating point numbers as well", async () => {
    const floats = (count: number): DataElement =>
      element(
        tagOf(0x7fe00008),
        "OF",
        Buffer.from(Float32Array.from({ length: count }, (_, index) => index / 3).buffer),
      );
    const image = (count: number) =>
      part10Bytes(dataSetOf([...without(ctImage(), PIXEL_DATA).values(), floats(count)]));
    const hidden = await outputOf(await image(30));
    expect(hidden.readUInt32LE(hidden.length - 96 - 4)).toBe(96);
    expect(await run(await image(23))).toMatchObject({ code: "PIXEL_DATA_INCONSISTENT", reason: "pixel-data-short" });
    const twice = await part10Bytes(dataSetOf([...ctImage().values(), floats(24)]));
    expect(await run(twice)).toMatchObject({ code: "PIXEL_DATA_INCONSISTENT", reason: "pixel-data-twice" });
  });
});

describe("compressed pixel data", () => {
  /** Start, comment of 12 bytes with its length, one scan of nothing, end; then what stays of it. */
  const comment = Buffer.concat([Buffer.of(0xff, 0xfe, 0, 12), Buffer.from("Brandybuck")]);
  const size = Buffer.of(0xff, 0xc0, 0, 11, 8, 0, 6, 0, 8, 1, 1, 0x11, 0);
  const header = Buffer.of(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0);
  const scan = Buffer.concat([size, header, Buffer.of(0x33, 0xff, 0x00, 0x44, 0x55)]);
  const jpeg = (...parts: Buffer[]): Buffer => Buffer.concat([Buffer.of(0xff, 0xd8), ...parts, Buffer.of(0xff, 0xd9)]);
  const allowed = { pixels: { ...USUAL_PIXELS, allow: ["US"] } };
  const items = (...fragments: Buffer[]): Buffer =>
    Buffer.concat(
      fragments.map((fragment) => {
        const head = Buffer.of(0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0);
        head.writeUInt32LE(fragment.length, 4);
        return Buffer.concat([head, fragment]);
      }),
    );
  const offsets = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  const END = Buffer.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);

  it("loses comments, and its offsets are told anew", async () => {
    const frames = [jpeg(comment, scan), jpeg(scan)];
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), frames, JPEG_BASELINE);
    const expected = Buffer.concat([items(offsets(0, 8 + 32), jpeg(scan), jpeg(scan)), END]);
    expect((await outputOf(input, allowed)).subarray(-expected.length)).toEqual(expected);
  });

  it("says nothing of how long it was before, and where its frames were", async () => {
    const told = [0x7fe00001, 0x7fe00002].map((tag) => element(tagOf(tag), "OV", Buffer.alloc(16, 1)));
    const whole = element(tagOf(0x7fe00003), "UV", Buffer.from(BigUint64Array.of(80n).buffer));
    const image = ultrasoundImage(GREY_8, [...told, whole]);
    const frame = jpeg(comment, scan);
    // The extended table is for frames of one fragment each. PS3.3 C.7.6.3.1.8.
    const fragments = [frame.subarray(0, 14), frame.subarray(14), jpeg(scan), jpeg(scan).subarray(0, 0)];
    await outputOf(await encapsulatedFile(image, fragments, JPEG_BASELINE), allowed);
    await using file = await readPart10File(join(folder, "out.dcm"));
    for (const { tag } of [...told, whole]) expect(file.dataSet.has(tag)).toBe(false);
  });

  it.each([
    ["rows", { rows: 7 }],
    ["columns", { columns: 16 }],
    ["columns, in as many samples", { rows: 3, columns: 16 }],
    ["samples per pixel", { samples: 3 }],
    ["bits than are allocated", { bits: 12 }],
  ])("is refused where a frame's own header has other %s", async (_name, other) => {
    const { rows, columns, samples, bits } = { rows: 6, columns: 8, samples: 1, bits: 8, ...other };
    const components = Array.from({ length: samples }, (_, index) => [index + 1, 0x11, 0]).flat();
    const head = Buffer.of(0xff, 0xc0, 0, 8 + 3 * samples, bits, 0, rows, 0, columns, samples, ...components);
    const frames = [jpeg(scan), jpeg(head, scan.subarray(size.length))];
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), frames, JPEG_BASELINE);
    expect(await run(input, allowed)).toMatchObject({ code: "PIXEL_DATA_INCONSISTENT", reason: "frame-header" });
  });

  it("may use fewer bits than are stored, and more as far as they are allocated", async () => {
    for (const bits of [8, 10, 16]) {
      const head = Buffer.concat([Buffer.of(0xff, 0xc3, 0, 11, bits), size.subarray(5)]);
      const frame = jpeg(head, scan.subarray(size.length));
      const shape = { ...GREY_8, bitsAllocated: 16, bitsStored: 12, highBit: 11 };
      const input = await encapsulatedFile(ultrasoundImage(shape), [frame, frame], "1.2.840.10008.1.2.4.70");
      expect(await run(input, allowed)).toMatchObject({ kind: "deidentified" });
    }
  });

  it("is refused with comments where the project says so", async () => {
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), [jpeg(comment, scan), jpeg(scan)], JPEG_BASELINE);
    const strict = { pixels: { ...allowed.pixels, jpegMetadata: "reject" } } as const;
    expect(await run(input, strict)).toMatchObject({ code: "COMPRESSED_PIXEL_METADATA", reason: "comment" });
  });

  it("has its padding written anew, also where frames span fragments", async () => {
    const odd = jpeg(Buffer.of(0xff, 0xdd, 0, 4, 0, 1), scan, Buffer.of(0x66));
    const padded = Buffer.concat([odd, Buffer.of(0x41)]);
    const fragments = [padded.subarray(0, 10), padded.subarray(10), jpeg(scan)];
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), fragments, JPEG_BASELINE);
    const zeroed = Buffer.concat([odd, Buffer.of(0)]);
    const expected = Buffer.concat([items(offsets(0, 8 + zeroed.length), zeroed, jpeg(scan)), END]);
    expect((await outputOf(input, allowed)).subarray(-expected.length)).toEqual(expected);
  });

  it("is padded to even length where it came without", async () => {
    const odd = jpeg(scan, Buffer.of(0x66));
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), [odd, jpeg(scan)], JPEG_BASELINE);
    const padded = Buffer.concat([odd, Buffer.of(0)]);
    const expected = Buffer.concat([items(offsets(0, 8 + 34), padded, jpeg(scan)), END]);
    expect((await outputOf(input, allowed)).subarray(-expected.length)).toEqual(expected);
  });

  it("keeps offsets of 64 bits where it had them", async () => {
    const wide = (tag: number, ...values: bigint[]): DataElement =>
      element(tagOf(tag), "OV", Buffer.from(BigUint64Array.from(values).buffer));
    const image = ultrasoundImage(GREY_8, [wide(0x7fe00001, 7n, 9n), wide(0x7fe00002, 7n, 9n)]);
    const input = await encapsulatedFile(image, [jpeg(comment, scan), jpeg(scan)], JPEG_BASELINE);
    await outputOf(input, allowed);
    await using file = await readPart10File(join(folder, "out.dcm"));
    const valuesOf = (tag: number): bigint[] => {
      const bytes = Buffer.from(bytesOf(file.dataSet, tagOf(tag)) ?? []);
      return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64LE(8 * index));
    };
    expect([valuesOf(0x7fe00001), valuesOf(0x7fe00002)]).toEqual([
      [0n, 40n],
      [32n, 32n],
    ]);
    const { value } = file.dataSet.get(PIXEL_DATA) ?? {};
    expect(value?.kind === "fragments" ? value.fragments.map(({ length }) => length) : []).toEqual([0, 32, 32]);
  });

  it("of more or fewer frames than the object has is refused", async () => {
    for (const fragments of [
      [jpeg(scan), jpeg(scan), jpeg(scan)],
      [jpeg(scan), jpeg(scan).subarray(0, 20), jpeg(scan).subarray(20), jpeg(scan)],
      [jpeg(scan)],
    ]) {
      const input = await encapsulatedFile(ultrasoundImage(GREY_8), fragments, JPEG_BASELINE);
      expect(await run(input, allowed)).toMatchObject({ code: "PIXEL_DATA_INCONSISTENT", reason: "frame-count" });
    }
  });

  it("of a codec nobody here knows is refused", async () => {
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), [jpeg(scan)], "1.2.840.10008.1.2.4.110");
    expect(await run(input, allowed)).toMatchObject({ code: "COMPRESSED_PIXEL_METADATA", reason: "unknown-codec" });
  });

  it("of RLE with a segment too many is refused", async () => {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(2, 0);
    header.writeUInt32LE(64, 4);
    header.writeUInt32LE(66, 8);
    const frame = Buffer.concat([header, Buffer.of(0xd1, 5, 0xd1, 5)]);
    const input = await encapsulatedFile(ultrasoundImage(GREY_8), [frame, frame], RLE);
    expect(await run(input, allowed)).toMatchObject({ code: "COMPRESSED_PIXEL_METADATA", reason: "marker" });
  });
});

describe("a PDF", () => {
  const pdf = (): Promise<Buffer> => {
    const image = [...ctImage().values()].filter(({ tag }) => tag >>> 16 !== 0x0028 && tag !== PIXEL_DATA);
    const document = [
      text(0x00080016, SOP_CLASSES.pdf),
      text(0x00080060, "DOC"),
      text(0x00420010, "Letter about Brandybuck"),
      element(tagOf(0x00420011), "OB", Buffer.from("%PDF-1.4 Brandybuck ")),
      text(0x00420012, "application/pdf"),
    ];
    const tags = new Set(document.map(({ tag }) => tag));
    return part10Bytes(dataSetOf([...image.filter(({ tag }) => !tags.has(tag)), ...document]));
  };

  it("becomes an empty page without a title, where the project says so", async () => {
    const output = await outputOf(await pdf(), { documents: "replace" });
    expect(output.includes("Brandybuck")).toBe(false);
    await using file = await readPart10File(join(folder, "out.dcm"));
    const bytes = Buffer.from(bytesOf(file.dataSet, tagOf(0x00420011)) ?? []);
    expect(bytes.subarray(0, emptyPdf().length)).toEqual(Buffer.from(emptyPdf()));
    expect(bytesOf(file.dataSet, tagOf(0x00420010))).toEqual(new Uint8Array());
    expect(textOf(file.dataSet, tagOf(0x00280301))).toBe("NO");
  });

  it("is left out otherwise", async () => {
    expect(await run(await pdf())).toEqual({ kind: "excluded", reason: "document" });
  });

  it("of one page says where its objects are", () => {
    const text = Buffer.from(emptyPdf()).toString("latin1");
    const offsets = [...text.matchAll(/^([0-9]{10}) 00000 n $/gm)].map(([, digits]) => Number(digits));
    expect(offsets.map((offset) => text.slice(offset, offset + 7))).toEqual(["1 0 obj", "2 0 obj", "3 0 obj"]);
    const start = Number(/startxref\n([0-9]+)\n/.exec(text)?.[1]);
    expect(text.slice(start, start + 4)).toBe("xref");
  });
});
