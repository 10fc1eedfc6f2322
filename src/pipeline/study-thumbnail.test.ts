import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { GREY_8, nativeFile, ultrasoundImage, withPixels } from "../deid/testing/images.ts";
import { put } from "../deid/testing/objects.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import { neverAborted } from "../units/abort.ts";
import { thumbnailOfStudy } from "./study-thumbnail.ts";

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47];
/** PNG: signature, then IHDR with width and height. ISO/IEC 15948 5.3, 11.2. */
const WIDTH_AT = 16;

/** An image of so many columns; without columns, an object without pixels. */
async function fileOf(folder: string, name: string, columns: number, series: string): Promise<DeidentifiedFile> {
  const shape = { ...GREY_8, rows: 1, columns, frames: 1 };
  const object = ultrasoundImage(shape);
  const bytes = await nativeFile(columns === 0 ? object : withPixels(object, new Uint8Array(columns), "OB"));
  const path = await put(join(folder, name), bytes);
  return { path, sizeBytes: bytes.length, seriesInstanceUid: series } as DeidentifiedFile;
}

it("is of the middle of the largest series", async () => {
  await using folder = await temporaryFolder();
  const files = [
    await fileOf(folder.path, "1", 20, "1.1"),
    ...(await Promise.all([2, 4, 6].map((columns) => fileOf(folder.path, `2-${columns}`, columns, "1.2")))),
  ];
  const png = Buffer.from((await thumbnailOfStudy(files, neverAborted())) ?? []);
  expect([...png.subarray(0, 4)]).toEqual(PNG_SIGNATURE);
  expect(png.readUInt32BE(WIDTH_AT)).toBe(4);
});

it("is of the next series where the first has no pixels", async () => {
  await using folder = await temporaryFolder();
  const files = [
    await fileOf(folder.path, "1", 0, "1.1"),
    await fileOf(folder.path, "2", 0, "1.1"),
    await fileOf(folder.path, "3", 8, "1.2"),
  ];
  const png = Buffer.from((await thumbnailOfStudy(files, neverAborted())) ?? []);
  expect(png.readUInt32BE(WIDTH_AT)).toBe(8);
});

it("is none where nothing can be shown, be it that a file is gone", async () => {
  await using folder = await temporaryFolder();
  const gone = { path: join(folder.path, "gone"), sizeBytes: 1, seriesInstanceUid: "1.1" } as DeidentifiedFile;
  expect(await thumbnailOfStudy([gone], neverAborted())).toBeNull();
  expect(await thumbnailOfStudy([], neverAborted())).toBeNull();
});

it("is not begun once the work was stopped", async () => {
  await using folder = await temporaryFolder();
  const file = await fileOf(folder.path, "1", 4, "1.1");
  await expect(thumbnailOfStudy([file], AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
});
