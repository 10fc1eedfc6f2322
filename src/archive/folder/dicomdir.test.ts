import { expect, it } from "vitest";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10 } from "../../dicom/reader.ts";
import { bytesSource } from "../../dicom/sources.ts";
import { tagOf } from "../../dicom/tag.ts";
import { encodeFileMeta } from "../../dicom/writer.ts";
import { listedInMedia, MEDIA_DIRECTORY } from "./dicomdir.ts";

const DIRECTORY_RECORDS = tagOf(0x00041220);
const RECORD_BYTES = 36;

/** An element of group 0004 with a short length. PS3.5 7.1.2. */
function element(number: number, vr: string, value: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0x0004, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, "latin1");
  head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}

function offset(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A DICOMDIR in which each record is the only one below the one before it. PS3.3 table F.3-3. */
function nested(depth: number): Buffer {
  const uids = { sopClassUid: MEDIA_DIRECTORY, sopInstanceUid: "2.25.7", transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
  const meta = encodeFileMeta(uids);
  const sequence = Buffer.from("04002012535100 00".replaceAll(" ", ""), "hex");
  const first = meta.length + 12 + sequence.length + 4;
  const item = Buffer.from("feff00e0", "hex");
  const records = Array.from({ length: depth }, (_, index) => {
    const lower = index + 1 < depth ? first + (index + 1) * (RECORD_BYTES + 8) : 0;
    const content = [element(0x1420, "UL", offset(lower)), element(0x1430, "CS", Buffer.from("PRIVATE ".padEnd(16)))];
    return Buffer.concat([item, offset(RECORD_BYTES), ...content]);
  });
  const size = offset(depth * (RECORD_BYTES + 8));
  return Buffer.concat([meta, element(0x1200, "UL", offset(first)), sequence, size, ...records]);
}

async function listed(depth: number): Promise<unknown> {
  const file = await readPart10(bytesSource(nested(depth)), { stopBefore: DIRECTORY_RECORDS });
  return await listedInMedia(file);
}

it("follows no records that lie ever deeper within each other: two megabytes of them took all memory", async () => {
  expect(await listed(10)).toEqual([]);
  await expect(listed(50_000)).rejects.toMatchObject({ code: "MEDIA_DIRECTORY_UNREADABLE" });
});
