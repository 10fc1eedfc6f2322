import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import { seededRandom } from "../units/random.ts";
import type { ByteSource, DataElement } from "./data-set.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "./dictionary/transfer-syntaxes.ts";
import type { ParseOptions } from "./parser-state.ts";
import { bytesSource, parseDataSet, readPart10 } from "./reader.ts";
import { tagOf } from "./tag.ts";
import { dataSetOf, element, sequenceElement, textElement, textOf } from "./values.ts";
import { encodeDataSet, encodeFileMeta } from "./writer.ts";

const FACTS = { sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3" };
const PATIENT_NAME = tagOf(0x00100010);
const CONTENT_SEQUENCE = tagOf(0x0040a730);
const PIXEL_DATA = tagOf(0x7fe00010);

const file = Buffer.concat([
  encodeFileMeta({ ...FACTS, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }),
  encodeDataSet(
    dataSetOf([
      textElement(PATIENT_NAME, "Doe^John"),
      sequenceElement(CONTENT_SEQUENCE, [dataSetOf([textElement(PATIENT_NAME, "Roe^Jane")])]),
      { tag: PIXEL_DATA, vr: "OW", undefinedLength: false, value: { kind: "bytes", bytes: new Uint8Array(64) } },
    ]),
    EXPLICIT_VR_LITTLE_ENDIAN,
  ),
]);

function codeOf(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (thrown) {
    return thrown instanceof GatewayError ? thrown.code : thrown;
  }
}

const readCode = (bytes: Uint8Array, options: ParseOptions = {}): Promise<unknown> =>
  readPart10(bytesSource(bytes), options).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof GatewayError ? thrown.code : thrown),
  );

describe("a file cut short", () => {
  // Where the data set may end: behind an element, or behind the file meta.
  const metaEnd = encodeFileMeta({ ...FACTS, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }).length;
  const nameEnd = metaEnd + 8 + 8;
  const sequenceEnd = file.length - 12 - 64;

  it("is refused with the offset, unless the cut is between elements", async () => {
    for (let length = metaEnd; length < file.length; length += 1) {
      const isBetween = [metaEnd, nameEnd, sequenceEnd].includes(length);
      expect(await readCode(file.subarray(0, length)), `${length}`).toBe(isBetween ? undefined : "DICOM_TRUNCATED");
    }
  });

  it("is told from no DICOM at all", async () => {
    for (let length = 0; length < 132; length += 1) expect(await readCode(file.subarray(0, length))).toBe("NOT_DICOM");
    for (let length = 140; length < metaEnd; length += 1) {
      expect([undefined, "DICOM_TRUNCATED"]).toContain(await readCode(file.subarray(0, length)));
    }
  });

  it("is given as far as it goes to who tolerates it", async () => {
    const cut = await readPart10(bytesSource(file.subarray(0, file.length - 1)), { tolerant: true });
    expect([...cut.dataSet.keys()]).toEqual([PATIENT_NAME, CONTENT_SEQUENCE]);
    expect(cut.findings).toMatchObject([{ code: "DICOM_TRUNCATED", offset: sequenceEnd }]);
  });
});

describe("a deflated data set", () => {
  const meta = encodeFileMeta({ ...FACTS, transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN });
  const deflated = deflateRawSync(
    encodeDataSet(dataSetOf([textElement(PATIENT_NAME, "Doe")]), EXPLICIT_VR_LITTLE_ENDIAN),
  );

  it.each([
    ["cut short", deflated.subarray(0, -3), "DICOM_TRUNCATED"],
    ["that does not inflate", Buffer.from("ffffffff", "hex"), "DICOM_MALFORMED"],
  ])("%s is refused; who tolerates it gets the file meta", async (_, body, code) => {
    const bytes = Buffer.concat([meta, body]);
    expect(await readCode(bytes)).toBe(code);
    const { findings, meta: read } = await readPart10(bytesSource(bytes), { tolerant: true });
    expect(findings).toMatchObject([{ code, offset: meta.length }]);
    expect(read.size).toBeGreaterThan(5);
  });
});

describe("a deflated data set that inflates to a thousand times as much", () => {
  const meta = encodeFileMeta({ ...FACTS, transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN });
  const pixels = new Uint8Array(16 << 20);
  const bombBehind = (...before: readonly DataElement[]): ByteSource => {
    const dataSet = dataSetOf([...before, element(PIXEL_DATA, "OW", pixels)]);
    return bytesSource(Buffer.concat([meta, deflateRawSync(encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN))]));
  };
  const name = textElement(PATIENT_NAME, "Doe^John");
  const limits = { inflatedBytes: 8 << 20 };

  it("is inflated as far as a header is wanted, and no further", async () => {
    const { dataSet, stoppedBefore } = await readPart10(bombBehind(name), { stopBefore: PIXEL_DATA, limits });
    expect({ name: textOf(dataSet, PATIENT_NAME), stoppedBefore }).toEqual({
      name: "Doe^John",
      stoppedBefore: PIXEL_DATA,
    });
  });

  it("is inflated whole for a header that is as long", async () => {
    const noise = element(tagOf(0x00111001), "OB", Buffer.from(seededRandom(1).bytes(256 * 1024)));
    const read = await readPart10(bombBehind(name, noise), { stopBefore: PIXEL_DATA });
    expect([...read.dataSet.keys()]).toEqual([PATIENT_NAME, noise.tag]);
  });

  it("is let go when its header is read", async () => {
    const { dataSet } = await readPart10(bombBehind(name));
    const value = dataSet.get(PATIENT_NAME)?.value;
    expect(value?.kind === "bytes" && value.bytes.buffer.byteLength).toBeLessThan(1 << 20);
  });
});

describe("a transfer syntax that is wrong", () => {
  const dataSet = dataSetOf([textElement(tagOf(0x00080060), "CT"), textElement(PATIENT_NAME, "Doe^John")]);

  it.each([
    [DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN],
    [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN],
    [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN],
    [EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN],
  ])("is found out: %s declared, %s written", async (declared, written) => {
    const meta = encodeFileMeta({ ...FACTS, transferSyntaxUid: declared });
    const read = await readPart10(bytesSource(Buffer.concat([meta, encodeDataSet(dataSet, written)])));
    expect(read.dataSet).toEqual(dataSet);
    expect(read.transferSyntaxUid).toBe(written);
    expect(read.findings).toMatchObject([{ code: "TRANSFER_SYNTAX_WRONG", offset: meta.length }]);
  });
});

describe("lengths that lie", () => {
  it("may not reach beyond the item that holds them", () => {
    const bytes = Buffer.from(
      [
        "400030a7 5351 0000 14000000", // (0040,A730) SQ, 20 bytes
        "feff00e0 0c000000", // item, 12 bytes
        "10001000 504e 0600", // (0010,0010) PN says 6, 4 are left
        "41414141",
        "10002000 4c4f 0200 4242",
      ]
        .join("")
        .replaceAll(" ", ""),
      "hex",
    );
    expect(codeOf(() => parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN))).toBe("DICOM_MALFORMED");
  });

  it("of a 4 GB value cost no memory", () => {
    const bytes = Buffer.from("1000100000000000" + "10002000feffffff", "hex");
    expect(codeOf(() => parseDataSet(bytes, IMPLICIT_VR_LITTLE_ENDIAN))).toBe("DICOM_TRUNCATED");
  });

  it("may not be those of a source that gives less than it says", async () => {
    const long = Buffer.concat([
      encodeFileMeta({ ...FACTS, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }),
      ...Array.from({ length: 1_000 }, (_, index) => {
        const text = textElement(tagOf(0x00410000 + 0x1000 + index), "x".repeat(60), "LO");
        return encodeDataSet(dataSetOf([text]), EXPLICIT_VR_LITTLE_ENDIAN);
      }),
    ]);
    const { sizeBytes } = bytesSource(long);
    const read = (at: number, length: number) =>
      bytesSource(long.subarray(0, 40_000)).read(at, Math.max(0, Math.min(length, 40_000 - at)));
    await expect(readPart10({ sizeBytes, read })).rejects.toMatchObject({ code: "DICOM_TRUNCATED" });
  });
});
