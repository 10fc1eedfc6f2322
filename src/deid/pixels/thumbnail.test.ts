import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readPart10File } from "../../dicom/reader.ts";
import {
  encapsulatedFile,
  GREY_8,
  type ImageShape,
  nativeFile,
  ultrasoundImage,
  withPixels,
} from "../testing/images.ts";
import { put } from "../testing/objects.ts";
import { thumbnailOf } from "./thumbnail.ts";

const RLE = "1.2.840.10008.1.2.5";
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
/** PNG: signature, then IHDR with width and height, then IDAT. ISO/IEC 15948 5.3, 11.2. */
const IHDR_DATA = 8 + 8;
const IDAT_LENGTH = IHDR_DATA + 13 + 4;

async function thumbnail(bytes: Uint8Array): Promise<readonly (readonly number[])[] | string> {
  await using folder = await temporaryFolder();
  await using file = await readPart10File(await put(join(folder.path, "1.dcm"), bytes));
  const png = await thumbnailOf(file);
  if (typeof png === "string") return png;
  const width = png.readUInt32BE(IHDR_DATA);
  const lines = inflateSync(png.subarray(IDAT_LENGTH + 8, IDAT_LENGTH + 8 + png.readUInt32BE(IDAT_LENGTH)));
  return Array.from({ length: png.readUInt32BE(IHDR_DATA + 4) }, (_, row) => [
    ...lines.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)),
  ]);
}

const native = (shape: ImageShape, pixels: Uint8Array): Promise<Buffer> =>
  nativeFile(withPixels(ultrasoundImage(shape), pixels, shape.bitsAllocated > 8 ? "OW" : "OB"));
const small = { ...GREY_8, rows: 1, columns: 4, frames: 1 };
const RGB = { photometricInterpretation: "RGB", samplesPerPixel: 3 } as const;
const WORDS = { bitsAllocated: 16, bitsStored: 12, highBit: 11 } as const;

describe("is of the first frame, from its darkest to its lightest", () => {
  it.each<[string, ImageShape, readonly number[], readonly number[]]>([
    ["bytes", { ...small, frames: 2 }, [10, 20, 30, 60, 200, 200, 200, 200], [0, 51, 102, 255]],
    ["inverted", { ...small, photometricInterpretation: "MONOCHROME1" }, [10, 20, 30, 60], [255, 204, 153, 0]],
    ["one shade", small, [7, 7, 7, 7], [0, 0, 0, 0]],
    // 1000, 2000, 3000 and 4095, with other bits above the twelve.
    ["12 bits of 16", { ...small, ...WORDS }, [0xe8, 0x03, 0xd0, 0xf7, 0xb8, 0x0b, 0xff, 0x0f], [0, 82, 165, 255]],
    // -1, 0, 1 and 2.
    ["signed", { ...small, ...WORDS, isSigned: true }, [0xff, 0x0f, 0, 0, 1, 0, 2, 0], [0, 85, 170, 255]],
    ["colours side by side", { ...small, ...RGB, columns: 2 }, [255, 0, 0, 0, 255, 0], [0, 255]],
    ["colours in planes", { ...small, ...RGB, columns: 2, planarConfiguration: 1 }, [255, 0, 0, 255, 0, 0], [0, 255]],
    [
      "luminance of another model",
      { ...small, ...RGB, columns: 2, photometricInterpretation: "YBR_FULL" },
      [9, 200, 200, 8, 0, 0],
      [255, 0],
    ],
  ])("%s", async (_name, shape, pixels, expected) => {
    expect(await thumbnail(await native(shape, Uint8Array.from(pixels)))).toEqual([expected]);
  });

  it("single bits", async () => {
    const shape = { ...small, columns: 8, bitsAllocated: 1, bitsStored: 1, highBit: 0 };
    expect(await thumbnail(await native(shape, Uint8Array.of(0b00000101, 0)))).toEqual([[255, 0, 255, 0, 0, 0, 0, 0]]);
  });

  it("runs of RLE", async () => {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(1, 0);
    header.writeUInt32LE(64, 4);
    // Two bytes as they are, then one twice. PS3.5 G.3.
    const frame = Buffer.concat([header, Buffer.from([1, 10, 20, 0xff, 30, 0])]);
    expect(await thumbnail(await encapsulatedFile(ultrasoundImage(small), [frame], RLE))).toEqual([[0, 128, 255, 255]]);
  });
});

it("averages what is larger than a thumbnail, and keeps its proportions", async () => {
  const shape = { ...GREY_8, rows: 128, columns: 512, frames: 1 };
  // Columns of 0 and 100 in turn, and a bright corner.
  const pixels = Uint8Array.from({ length: 128 * 512 }, (_, index) => (index % 2) * 100);
  for (let row = 0; row < 4; row += 1) pixels.fill(250, row * 512, row * 512 + 4);
  const picture = await thumbnail(await native(shape, pixels));
  expect([picture.length, picture[0]?.length]).toEqual([32, 128]);
  expect(picture[0]?.slice(0, 3)).toEqual([255, 0, 0]);
  expect(picture[31]?.[127]).toBe(0);
});

it("looks at some lines of what is much larger", async () => {
  const shape = { ...GREY_8, rows: 1_024, columns: 8, frames: 1 };
  // Of eight lines that become one, every other is not looked at.
  const pixels = Uint8Array.from({ length: 1_024 * 8 }, (_, index) =>
    Math.floor(index / 8) % 2 === 0 ? index / 64 : 255,
  );
  const picture = await thumbnail(await native(shape, pixels));
  expect([picture.length, picture[0]?.length]).toEqual([128, 1]);
  expect([picture[0]?.[0], picture[127]?.[0]]).toEqual([0, 255]);
  expect(picture[64]?.[0]).toBeGreaterThan(120);
  expect(picture[64]?.[0]).toBeLessThan(136);
});

it("reads an image of usual size in a few blocks", async () => {
  const shape = { ...GREY_8, rows: 600, columns: 600, frames: 1 };
  // Each line is lighter than the one before, up to the last.
  const pixels = Uint8Array.from({ length: 600 * 600 }, (_, index) => Math.floor((index / 600) * (255 / 599)));
  const bytes = await native(shape, pixels);
  const picture = await thumbnail(bytes);
  expect([picture[0], picture[63], picture[127]].map((line) => line?.[0])).toEqual([0, 126, 255]);

  await using folder = await temporaryFolder();
  await using file = await readPart10File(await put(join(folder.path, "1.dcm"), bytes));
  let reads = 0;
  const read = (offset: number, length: number): Promise<Uint8Array> => {
    reads += 1;
    return file.source.read(offset, length);
  };
  await thumbnailOf({ ...file, source: { ...file.source, read } });
  expect(reads).toBe(2);
});

it.each<[string, string, () => Promise<Buffer>]>([
  ["no pixels", "no-pixels", () => nativeFile(ultrasoundImage(small))],
  ["JPEG", "compressed", () => encapsulatedFile(ultrasoundImage(small), [Buffer.alloc(8)], JPEG_BASELINE)],
  ["RLE that ends early", "layout", () => encapsulatedFile(ultrasoundImage(small), [Buffer.alloc(66)], RLE)],
  ["words of 12 bits", "layout", () => native({ ...small, bitsAllocated: 12 }, new Uint8Array(6))],
])("has none of %s", async (_name, problem, make) => {
  expect(await thumbnail(await make())).toBe(problem);
});
