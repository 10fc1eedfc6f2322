import { describe, expect, it } from "vitest";
import type { Part10File } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { dataSetOf, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta, writePart10 } from "../../src/dicom/writer.ts";

const META_START = 128 + 4;
const meta = encodeFileMeta({
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  sopInstanceUid: "1.2.3",
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
});
const name = Buffer.from(encodeDataSet(dataSetOf([textElement(tags.PatientName, "Doe")]), EXPLICIT_VR_LITTLE_ENDIAN));

const bytesOfHex = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

async function rewritten(file: Part10File): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await writePart10({ write: (chunk) => void chunks.push(chunk) }, file);
  return Buffer.concat(chunks);
}

async function codesOf(bytes: Uint8Array): Promise<readonly string[]> {
  return (await readPart10(bytesSource(bytes))).findings.map(({ code }) => code);
}

describe("what encoding anew would change is noted: it was changed in silence", () => {
  it.each([
    // (0009,1010) UT, reserved bytes BEEF, 2 bytes
    ["RESERVED_BYTES", "09001010 5554 beef 02000000 6162"],
    // (0009,1010) SQ, undefined length; sequence delimiter of length 1
    ["DELIMITER_LENGTH", "09001010 5351 0000 ffffffff feffdde0 01000000"],
    // (FFFE,E000), an item where an element must be, 4 bytes
    ["ITEM_MISPLACED", "feff00e0 04000000 61626364"],
  ])("%s", async (code, hex) => {
    expect(await codesOf(Buffer.concat([meta, name, bytesOfHex(hex)]))).toContain(code);
  });

  it("META_GROUP_LENGTH_WRONG, of a group length that is right but no UL of 4 bytes", async () => {
    const signed = Buffer.concat([meta, name]);
    // (0002,0000) SL instead of UL
    signed.write("SL", META_START + 4, "latin1");
    expect(await codesOf(signed)).toEqual(["META_GROUP_LENGTH_WRONG"]);
    const long = Buffer.concat([meta, name]);
    // The group length takes (0002,0001) of 14 bytes as its own value, and says where the file meta ends all the same.
    long.writeUInt16LE(4 + 14, META_START + 6);
    expect(await codesOf(long)).toContain("META_GROUP_LENGTH_WRONG");
  });

  it("META_VR_MISSING, of a file meta in implicit VR", async () => {
    // (0002,0010) implicit VR, 20 bytes
    const implicit = Buffer.concat([bytesOfHex("02001000 14000000"), Buffer.from(`${EXPLICIT_VR_LITTLE_ENDIAN}\0`)]);
    const bytes = Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), implicit, name]);
    expect(await codesOf(bytes)).toContain("META_VR_MISSING");
  });
});

describe("what is odd but sound is written back", () => {
  it("a short value of 65,535 bytes: it became UN", async () => {
    // (0010,0010) PN, length FFFF
    const longest = Buffer.concat([bytesOfHex("10001000 504e ffff"), Buffer.alloc(0xffff, "x")]);
    const bytes = Buffer.concat([meta, longest]);
    expect((await rewritten(await readPart10(bytesSource(bytes)))).equals(bytes)).toBe(true);
  });

  it("a file whose meta names two transfer syntaxes: the reader took both as one, the writer the first", async () => {
    const bytes = Buffer.concat([meta, name]);
    const syntax = bytes.indexOf(EXPLICIT_VR_LITTLE_ENDIAN);
    bytes.write("\\", syntax + 11, "latin1");
    const file = await readPart10(bytesSource(bytes));
    expect(file.transferSyntaxUid).toBe("1.2.840.100");
    expect((await rewritten(file)).equals(bytes)).toBe(true);
  });
});
