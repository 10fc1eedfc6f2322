import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource } from "./data-set.ts";
import { DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN } from "./dictionary/transfer-syntaxes.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { ParseOptions } from "./parser-state.ts";
import { bytesSource, parseDataSet, readPart10 } from "./reader.ts";
import { tagOf } from "./tag.ts";
import { dataSetOf, itemsOf, textElement } from "./values.ts";
import { dataSetChunks, encodeDataSet, encodeFileMeta } from "./writer.ts";

const FACTS = { sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3" };
const EXPLICIT_META = encodeFileMeta({ ...FACTS, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN });
const CONTENT_SEQUENCE = tagOf(0x0040a730);
const COMMENTS = tagOf(0x00104000);

/** Explicit VR little endian, nested in undefined length. */
function nested(depth: number): Uint8Array {
  // (0040,A730) SQ, undefined length; item, undefined length
  const open = Buffer.from("400030a753510000ffffffff" + "feff00e0ffffffff", "hex");
  const close = Buffer.from("feff0de000000000" + "feffdde000000000", "hex");
  return Buffer.concat([...Array<Buffer>(depth).fill(open), ...Array<Buffer>(depth).fill(close)]);
}

function codeOf(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (thrown) {
    return thrown instanceof GatewayError ? thrown.code : thrown;
  }
}

const parsedCode = (bytes: Uint8Array, options: ParseOptions = {}): unknown =>
  codeOf(() => parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN, options));

const readCode = (source: ByteSource, options: ParseOptions = {}): Promise<unknown> =>
  readPart10(source, options).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof GatewayError ? thrown.code : thrown),
  );

describe("nesting", () => {
  it("of as many sequences as the limit is read and written back, without a call stack of that depth", () => {
    const bytes = nested(DEFAULT_LIMITS.depth);
    const whole = parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN);
    let depth = 0;
    let dataSet = whole;
    for (let items = itemsOf(dataSet, CONTENT_SEQUENCE); items[0] !== undefined; depth += 1) {
      dataSet = items[0].dataSet;
      items = itemsOf(dataSet, CONTENT_SEQUENCE);
    }
    expect(depth).toBe(1_024);
    expect(Buffer.compare(encodeDataSet(whole, EXPLICIT_VR_LITTLE_ENDIAN), bytes)).toBe(0);
  });

  it.each([
    [1_025, {}, "DICOM_LIMIT_EXCEEDED"],
    [64, { depth: 64 }, undefined],
    [65, { depth: 64 }, "DICOM_LIMIT_EXCEEDED"],
    [100_000, { depth: 100_000 }, undefined],
  ])("of %i under %o: %s", (depth, limits, code) => {
    expect(parsedCode(nested(depth), { limits })).toBe(code);
  });
});

describe("elements", () => {
  it("are counted at every depth, items included", () => {
    expect(parsedCode(nested(10), { limits: { elements: 20 } })).toBeUndefined();
    expect(parsedCode(nested(10), { limits: { elements: 19 } })).toBe("DICOM_LIMIT_EXCEEDED");
  });

  it("are counted in a data set of plain values too", () => {
    const many = Array.from({ length: 20 }, (_, index) => textElement(tagOf(0x00091000 + index), "x".repeat(20), "LO"));
    const bytes = encodeDataSet(dataSetOf(many), EXPLICIT_VR_LITTLE_ENDIAN);
    expect(parsedCode(bytes, { limits: { elements: 20 } })).toBeUndefined();
    expect(parsedCode(bytes, { limits: { elements: 19 } })).toBe("DICOM_LIMIT_EXCEEDED");
  });

  it("may be two million where nothing else is said", () => {
    // (7FE0,0010) OB, undefined length; then empty fragments
    const header = Buffer.from("e07f10004f420000ffffffff", "hex");
    const fragments = Buffer.alloc(8 * (DEFAULT_LIMITS.elements + 1), Buffer.from("feff00e000000000", "hex"));
    expect(parsedCode(Buffer.concat([header, fragments]))).toBe("DICOM_LIMIT_EXCEEDED");
  });
});

describe("a value", () => {
  const fileWith = (length: number): ByteSource => {
    const comments = textElement(COMMENTS, "x".repeat(length), "UT");
    return bytesSource(Buffer.concat([EXPLICIT_META, encodeDataSet(dataSetOf([comments]), EXPLICIT_VR_LITTLE_ENDIAN)]));
  };
  const kindOf = async (length: number, options: ParseOptions = {}): Promise<string | undefined> =>
    (await readPart10(fileWith(length), options)).dataSet.get(COMMENTS)?.value.kind;

  it("of 64 KiB is held in memory, a longer one is left where it is", async () => {
    expect(await kindOf(65_536)).toBe("bytes");
    expect(await kindOf(65_538)).toBe("range");
  });

  it("of another length is, where that is asked for", async () => {
    expect(await kindOf(100, { bulkThresholdBytes: 100 })).toBe("bytes");
    expect(await kindOf(102, { bulkThresholdBytes: 100 })).toBe("range");
  });
});

describe("memory that values may keep", () => {
  /** As many elements of 60,000 bytes as asked for, made up when they are read. */
  function fileOf(count: number): ByteSource {
    const one = encodeDataSet(dataSetOf([textElement(COMMENTS, "x".repeat(60_000), "UT")]), EXPLICIT_VR_LITTLE_ENDIAN);
    const sizeBytes = EXPLICIT_META.length + count * one.length;
    const byteAt = (position: number): number =>
      (position < EXPLICIT_META.length
        ? EXPLICIT_META[position]
        : one[(position - EXPLICIT_META.length) % one.length]) ?? 0;
    return {
      sizeBytes,
      read: async (offset, length) => Uint8Array.from({ length }, (_, index) => byteAt(offset + index)),
    };
  }

  it("ends where it is told to", async () => {
    expect(await readCode(fileOf(10), { limits: { heldBytes: 500_000 } })).toBe("DICOM_LIMIT_EXCEEDED");
    expect(await readCode(fileOf(10))).toBeUndefined();
  });
});

describe("a deflated data set", () => {
  const zeros = deflateRawSync(Buffer.alloc(64 * 2 ** 20));
  const meta = encodeFileMeta({ ...FACTS, transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN });
  const limits = { inflatedBytes: 2 ** 20 };

  it("inflates to no more than it may", async () => {
    const source = bytesSource(Buffer.concat([meta, zeros]));
    expect(await readCode(source, { limits })).toBe("DICOM_LIMIT_EXCEEDED");
    expect(codeOf(() => parseDataSet(zeros, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, { limits }))).toBe(
      "DICOM_LIMIT_EXCEEDED",
    );
  });
});

it("has defaults that a gateway of a few hundred megabytes survives", () => {
  expect(DEFAULT_LIMITS).toEqual({
    depth: 1_024,
    elements: 2_000_000,
    heldBytes: 64 * 2 ** 20,
    inflatedBytes: 512 * 2 ** 20,
  });
});

describe("a value that is written", () => {
  const written = (length: number): (() => unknown) => {
    const value = { kind: "range", range: { offset: 0, length } } as const;
    const pixels = dataSetOf([{ tag: tagOf(0x7fe00010), vr: "OW", value, undefinedLength: false }]);
    return () => dataSetChunks(pixels, EXPLICIT_VR_LITTLE_ENDIAN, bytesSource(new Uint8Array()));
  };

  it("is refused where 32 bits do not tell its length", () => {
    expect([0xfffffffe, 0xffffffff, 2 ** 32 + 2].map((length) => codeOf(written(length)))).toEqual([
      ...[undefined, "DICOM_LIMIT_EXCEEDED", "DICOM_LIMIT_EXCEEDED"],
    ]);
  });
});
