import { describe, expect, it } from "vitest";
import type { Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "./dictionary/transfer-syntaxes.ts";
import { bytesSource, readPart10 } from "./reader.ts";
import { dataSetOf, element, textElement, textOf } from "./values.ts";
import { encodeDataSet, encodeFileMeta, writePart10 } from "./writer.ts";

const PIXELS = element(tags.PixelData, "OW", new Uint8Array(64));
const RUBBISH = Buffer.from("deadbeefdeadbeefdeadbeef", "hex");

function fileOf(name: string, transferSyntaxUid: string): Buffer {
  const facts = { sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3", transferSyntaxUid };
  const dataSet = dataSetOf([textElement(tags.SOPInstanceUID, "1.2.3"), textElement(tags.PatientName, name), PIXELS]);
  return Buffer.concat([encodeFileMeta(facts), encodeDataSet(dataSet, transferSyntaxUid)]);
}

function withPreamble(file: Buffer, text: string): Buffer {
  const copy = Buffer.from(file);
  copy.write(text, 0, "latin1");
  return copy;
}

async function rewritten(file: Part10File): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await writePart10({ write: (chunk) => void chunks.push(chunk) }, file);
  return Buffer.concat(chunks);
}

const explicit = fileOf("Doe^John", EXPLICIT_VR_LITTLE_ENDIAN);
const implicit = fileOf("Doe^John", IMPLICIT_VR_LITTLE_ENDIAN);
const bigEndian = fileOf("Doe^John", EXPLICIT_VR_BIG_ENDIAN);
const other = fileOf("Roe^Jane", EXPLICIT_VR_LITTLE_ENDIAN);
// Behind preamble and "DICM": a file meta without them.
const headless = other.subarray(132);

describe("bytes behind a data set", () => {
  it.each([
    ["a few zeros", explicit, Buffer.alloc(6)],
    ["many zeros", explicit, Buffer.alloc(512)],
    ["a few bytes", explicit, Buffer.from("abc")],
    ["rubbish", explicit, RUBBISH],
    ["rubbish behind implicit VR", implicit, RUBBISH],
    ["rubbish behind big endian", bigEndian, RUBBISH],
    ["another file", explicit, other],
    ["another file behind implicit VR", implicit, other],
    ["another file with a preamble of its own", explicit, withPreamble(other, "II*\0some image")],
    ["the same, behind implicit VR", implicit, withPreamble(other, "II*\0some image")],
    ["another file without its preamble", explicit, headless],
    ["another data set", explicit, explicit.subarray(explicit.indexOf("0800180055490600", 0, "hex"))],
  ])("are reported with their offset, and written back: %s", async (_, file, behind) => {
    const bytes = Buffer.concat([file, behind]);
    const read = await readPart10(bytesSource(bytes));
    expect(textOf(read.dataSet, tags.PatientName)).toBe("Doe^John");
    expect(read.dataSet.size).toBe(3);
    expect(read.findings).toMatchObject([{ code: "TRAILING_BYTES", offset: file.length }]);
    expect(read.trailing).toEqual({ offset: file.length, length: behind.length });
    expect((await rewritten(read)).equals(bytes)).toBe(true);
  });

  it("are told from a data set that has no pixel data, if another file they are", async () => {
    const facts = { sopClassUid: "1.2.3", sopInstanceUid: "1.2.3", transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
    const name = encodeDataSet(dataSetOf([textElement(tags.PatientName, "Doe")]), EXPLICIT_VR_LITTLE_ENDIAN);
    const file = Buffer.concat([encodeFileMeta(facts), name]);
    const { findings } = await readPart10(bytesSource(Buffer.concat([file, withPreamble(other, "abcd")])));
    expect(findings).toMatchObject([{ code: "TRAILING_BYTES", offset: file.length }]);
  });

  it("are not what follows pixel data by right", async () => {
    const facts = { sopClassUid: "1.2.3", sopInstanceUid: "1.2.3", transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN };
    // (FFFC,FFFC), data set trailing padding, implicit VR: 4 bytes
    const padding = Buffer.from("fcfffcff0400000000000000", "hex");
    const pixels = encodeDataSet(dataSetOf([PIXELS]), IMPLICIT_VR_LITTLE_ENDIAN);
    const bytes = Buffer.concat([encodeFileMeta(facts), pixels, padding]);
    const whole = await readPart10(bytesSource(bytes));
    expect([...whole.dataSet.keys()]).toEqual([tags.PixelData, 0xfffcfffc]);
    expect(whole.findings).toEqual([]);
    // Cut short it is no rubbish either.
    await expect(readPart10(bytesSource(bytes.subarray(0, -1)))).rejects.toThrow(
      expect.objectContaining({ code: "DICOM_TRUNCATED" }),
    );
  });
});

describe("bytes behind a deflated data set", () => {
  const deflated = fileOf("Doe^John", DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);

  it("are reported with their offset in the file, and written back", async () => {
    const bytes = Buffer.concat([deflated, RUBBISH]);
    const read = await readPart10(bytesSource(bytes));
    expect(read.findings).toMatchObject([{ code: "TRAILING_BYTES" }]);
    const offset = read.findings[0]?.offset ?? 0;
    // The stream itself may have a NUL of padding.
    expect([deflated.length, deflated.length - 1]).toContain(offset);
    expect(read.behindDeflated).toEqual({ offset, length: bytes.length - offset });
    expect((await rewritten(read)).subarray(-RUBBISH.length).equals(RUBBISH)).toBe(true);
  });

  it("are no finding when they are its padding", async () => {
    expect((await readPart10(bytesSource(deflated))).findings).toEqual([]);
    expect((await readPart10(bytesSource(deflated))).behindDeflated).toBeUndefined();
  });
});
