import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { crc32OfCopy, zipContentOf } from "./study-reading.ts";

async function bytesOf(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

// What is held in memory while its sum is taken, and what is read once more.
it.each([1_000, 5_000_000])(
  "finishes no zip whose file of %i bytes changed since its sum was taken",
  async (sizeBytes) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "copy");
    const content = Buffer.alloc(sizeBytes, "a");
    await writeFile(path, content);
    const copy = { path, sizeBytes, sha256: createHash("sha256").update(content).digest("hex") };
    const { sum, pieces } = await zipContentOf({}, copy);
    expect([sum, await crc32OfCopy(copy)]).toEqual([crc32(content), crc32(content)]);
    expect((await bytesOf(pieces)).equals(content)).toBe(true);
    await writeFile(path, Buffer.alloc(sizeBytes, "b"));
    const again = await zipContentOf({}, copy);
    await expect(bytesOf(again.pieces)).rejects.toMatchObject({ code: "DELIVERY_FILE_CHANGED" });
  },
);
