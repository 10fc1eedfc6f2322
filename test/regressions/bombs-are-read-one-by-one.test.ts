import { deflateRawSync } from "node:zlib";
import { expect, it } from "vitest";
import { bytesSource } from "../../src/dicom/sources.ts";
import { encodeFileMeta } from "../../src/dicom/writer.ts";
import { inspectWhole } from "../../src/network/instance-files/inspect.ts";

const DEFLATED = "1.2.840.10008.1.2.1.99";
const UIDS = [
  ["08001600", "1.2.840.10008.5.1.4.1.1.7"],
  ["08001800", "1.2.826.0.1.3680043.9.7.8"],
  ["20000d00", "1.2.826.0.1.3680043.9.7.9"],
  ["20000e00", "1.2.826.0.1.3680043.9.7.10"],
] as const;
const BOMB_BYTES = 64 * 2 ** 20;

/** Tag, VR UI, 16-bit length, value padded with NUL. PS3.5 7.1.2. */
function uid([tag, value]: (typeof UIDS)[number]): Buffer {
  const padded = value.length % 2 === 0 ? value : `${value}\0`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Buffer.concat([Buffer.from(tag, "hex"), Buffer.from("UI"), length, Buffer.from(padded)]);
}

/** SOP Class, SOP Instance, Study and Series UID, and Pixel Data (7FE0,0010) OW of 64 MiB of zeros, deflated. */
function bomb(): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(BOMB_BYTES);
  const pixelData = [Buffer.from("e07f1000", "hex"), Buffer.from("OW\0\0"), length, Buffer.alloc(BOMB_BYTES)];
  const meta = encodeFileMeta({
    sopClassUid: UIDS[0][1],
    sopInstanceUid: UIDS[1][1],
    transferSyntaxUid: DEFLATED,
    sourceAeTitle: "BOMBER",
  });
  return Buffer.concat([meta, deflateRawSync(Buffer.concat([...UIDS.map(uid), ...pixelData]))]);
}

it("inflates one instance at a time, however many are sent at once", async () => {
  const sent = bomb();
  let atOnce = 0;
  let most = 0;
  const inspected = Array.from({ length: 6 }, async () => {
    const source = bytesSource(sent);
    let isInflating = false;
    const watched = {
      ...source,
      // What is behind the file meta is read only to be inflated.
      async read(offset: number, length: number) {
        if (offset > 0 && !isInflating) {
          isInflating = true;
          atOnce += 1;
          most = Math.max(most, atOnce);
        }
        return await source.read(offset, length);
      },
    };
    const { facts } = await inspectWhole(watched);
    if (isInflating) atOnce -= 1;
    return facts.sopInstanceUid;
  });
  expect(new Set(await Promise.all(inspected))).toEqual(new Set([UIDS[1][1]]));
  expect(most).toBe(1);
});
