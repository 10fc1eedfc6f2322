import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCursor, fill } from "./cursor.ts";
import type { DataElement, DataSet, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxOf,
} from "./dictionary/transfer-syntaxes.ts";
import { editsBetween, spliceEdits } from "./edit.ts";
import { advance } from "./parse-data-set.ts";
import { createParser, parsedBy } from "./parser-state.ts";
import { bytesSource, parseDataSet, readPart10 } from "./reader.ts";
import { tagOf } from "./tag.ts";
import { element } from "./values.ts";
import { type Vr, WORD_BYTES } from "./vr.ts";
import { type ByteSink, encodeDataSet, fileMetaOf, writePart10 } from "./writer.ts";

const META_START = 128 + 4;
const RLE_LOSSLESS = "1.2.840.10008.1.2.5";
const NATIVE = [
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
];

/** One tag of every VR that the dictionary gives it, so that implicit VR gives the same one back. */
const TAG_OF_VR: { readonly [V in Exclude<Vr, "SQ">]: number } = {
  AE: 0x00080054,
  AS: 0x00101010,
  AT: 0x00280009,
  CS: 0x00080060,
  DA: 0x00080020,
  DS: 0x00101030,
  DT: 0x0008002a,
  FD: 0x0040a161,
  FL: 0x00089459,
  IS: 0x00200013,
  LO: 0x00100020,
  LT: 0x00104000,
  OB: 0x00420011,
  OD: 0x0014410c,
  OF: 0x0014410b,
  OL: 0x00660040,
  OV: 0x00720081,
  OW: 0x00281201,
  PN: 0x00100010,
  SH: 0x00080050,
  SL: 0x00186020,
  SS: 0x00189219,
  ST: 0x00080081,
  SV: 0x00720082,
  TM: 0x00080030,
  UC: 0x00080119,
  UI: 0x00080018,
  UL: 0x00080001,
  UN: 0x0072006d,
  UR: 0x00080120,
  US: 0x00280010,
  UT: 0x0008030e,
  UV: 0x0008040c,
};
const SEQUENCES = [0x00081115, 0x00081140, 0x0040a730];
const PRIVATE_SEQUENCE = tagOf(0x00091011);

/** Whole words, so that values can change their byte order; texts of any length, odd ones included. */
const leaf: fc.Arbitrary<DataElement> = fc.constantFrom(...Object.entries(TAG_OF_VR)).chain(([name, tag]) => {
  const vr = name as Exclude<Vr, "SQ">;
  const wordBytes = WORD_BYTES[vr] ?? 1;
  return fc
    .integer({ min: 0, max: 12 })
    .chain((words) => fc.uint8Array({ minLength: words * wordBytes, maxLength: words * wordBytes }))
    .map((bytes) => element(tagOf(tag), vr, bytes));
});

const sorted = (elements: readonly DataElement[]): DataSet =>
  new Map([...elements].sort((a, b) => a.tag - b.tag).map((one) => [one.tag, one]));

/** Every VR, sequences and items of defined and undefined length, UN of undefined length. PS3.5 6.2, 7.5. */
const { dataSet: anyDataSet } = fc.letrec<{ dataSet: DataSet; items: DataElement["value"]; sequence: DataElement }>(
  (tie) => ({
    dataSet: fc
      .array(fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("sequence")), { maxLength: 8 })
      .map(sorted),
    items: fc
      .array(fc.record({ dataSet: tie("dataSet"), undefinedLength: fc.boolean() }), { maxLength: 3 })
      .map((items) => ({ kind: "sequence", items })),
    sequence: fc.oneof(
      fc.record({
        tag: fc.constantFrom(...SEQUENCES).map(tagOf),
        vr: fc.constant("SQ" as const),
        undefinedLength: fc.boolean(),
        value: tie("items"),
      }),
      tie("items").map((value) => ({ tag: PRIVATE_SEQUENCE, vr: "UN" as const, undefinedLength: true, value })),
    ),
  }),
);

/** Encapsulated pixel data of up to five fragments, the first of which is the offset table. PS3.5 A.4. */
const anyFragments = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });

async function written(write: (sink: ByteSink) => Promise<void>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await write({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  return Buffer.concat(chunks);
}

function part10(dataSet: DataSet, transferSyntaxUid: string, source = bytesSource(new Uint8Array())): Promise<Buffer> {
  const meta = fileMetaOf({ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3", transferSyntaxUid });
  return written((sink) => writePart10(sink, { meta, dataSet, transferSyntaxUid, source }));
}

async function encapsulated(dataSet: DataSet, fragments: readonly Uint8Array[]): Promise<Buffer> {
  let offset = 0;
  const ranges = fragments.map(({ length }) => {
    offset += length;
    return { offset: offset - length, length };
  });
  const value = { kind: "fragments", fragments: ranges } as const;
  const pixels: DataElement = { tag: tags.PixelData, vr: "OB", undefinedLength: true, value };
  return part10(new Map([...dataSet, [pixels.tag, pixels]]), RLE_LOSSLESS, bytesSource(Buffer.concat(fragments)));
}

const anyFile: fc.Arbitrary<Promise<Buffer>> = fc.oneof(
  fc.tuple(anyDataSet, fc.constantFrom(...NATIVE)).map(([dataSet, syntax]) => part10(dataSet, syntax)),
  fc.tuple(anyDataSet, anyFragments).map(([dataSet, fragments]) => encapsulated(dataSet, fragments)),
);

const contentOf = ({ dataSet, meta, findings, layout, trailing, transferSyntaxUid }: Part10File) => ({
  dataSet,
  meta,
  findings,
  layout,
  trailing,
  transferSyntaxUid,
});

describe("any data set", () => {
  it.each(NATIVE)("written in %s reads as it was, and is written again in the same bytes", (syntax) => {
    fc.assert(
      fc.property(anyDataSet, (dataSet) => {
        const bytes = encodeDataSet(dataSet, syntax);
        const read = parseDataSet(bytes, syntax);
        expect(read).toEqual(dataSet);
        expect([...read.keys()]).toEqual([...dataSet.keys()]);
        expect(Buffer.compare(encodeDataSet(read, syntax), bytes)).toBe(0);
      }),
    );
  });

  it("with fragments reads as it was, and is written again in the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(anyDataSet, anyFragments, async (dataSet, fragments) => {
        const bytes = await encapsulated(dataSet, fragments);
        const file = await readPart10(bytesSource(bytes));
        const value = file.dataSet.get(tags.PixelData)?.value;
        const ranges = value?.kind === "fragments" ? value.fragments : [];
        const read = ranges.map(({ offset, length }) => bytes.subarray(offset, offset + length).toString("hex"));
        expect(read).toEqual(fragments.map((fragment) => Buffer.from(fragment).toString("hex")));
        expect(Buffer.compare(await written((sink) => writePart10(sink, file)), bytes)).toBe(0);
      }),
    );
  });

  it("changes its byte order there and back without a change", () => {
    fc.assert(
      fc.property(anyDataSet, (dataSet) => {
        const big = encodeDataSet(dataSet, EXPLICIT_VR_BIG_ENDIAN, { sourceLittleEndian: true });
        const read = parseDataSet(big, EXPLICIT_VR_BIG_ENDIAN);
        const little = encodeDataSet(read, EXPLICIT_VR_LITTLE_ENDIAN, { sourceLittleEndian: false });
        expect(Buffer.compare(little, encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN))).toBe(0);
      }),
    );
  });

  it.each(NATIVE)("becomes any other by edits of its file in %s", async (syntax) => {
    await fc.assert(
      fc.asyncProperty(anyDataSet, anyDataSet, async (before, after) => {
        const file = await readPart10(bytesSource(await part10(before, syntax)));
        // A file whose syntax shows only in its content is not what is tested here.
        fc.pre(file.transferSyntaxUid === syntax && file.dataSet.size === before.size);
        const edits = { dataSet: editsBetween(before, after) };
        const bytes = await written((sink) => spliceEdits(file, edits).writeTo(sink));
        // The file meta may name another UID now: its group length says where it ends. PS3.10 table 7.1-1.
        const start = META_START + 12 + bytes.readUInt32LE(META_START + 8);
        expect(Buffer.compare(bytes.subarray(start), encodeDataSet(after, syntax))).toBe(0);
      }),
    );
  });
});

describe("any splits of the bytes", () => {
  it("of a data set change nothing of what is read", async () => {
    const splits = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(anyDataSet, fc.constantFrom(...NATIVE.slice(0, 3)), splits, async (dataSet, uid, sizes) => {
        const bytes = Buffer.from(encodeDataSet(dataSet, uid));
        const cursor = createCursor(bytes.length);
        const parser = createParser(cursor, transferSyntaxOf(uid));
        let windows = 0;
        for (let needed = advance(parser); needed > 0; needed = advance(parser)) {
          await fill(cursor, bytesSource(bytes), needed, sizes[windows % sizes.length]);
          windows += 1;
        }
        expect(parsedBy(parser).dataSet).toEqual(dataSet);
      }),
    );
  });

  it("of a file change nothing of what is read", async () => {
    const windows = fc.integer({ min: 1, max: 1_000 });
    await fc.assert(
      fc.asyncProperty(anyFile, windows, fc.integer({ min: 0, max: 30 }), async (file, windowBytes, threshold) => {
        const source = bytesSource(await file);
        const options = { bulkThresholdBytes: threshold };
        const whole = await readPart10(source, options);
        expect(contentOf(await readPart10(source, { ...options, windowBytes }))).toEqual(contentOf(whole));
      }),
    );
  });
});
