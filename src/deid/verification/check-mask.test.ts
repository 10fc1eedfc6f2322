import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ExpectedMask, isMasked } from "./check-mask.ts";
import { openWindow } from "./file-window.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "check-mask-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** 3 rows of 4 pixels, two frames; columns 1 and 2 of rows 1 and 2 must be black. */
const GREY = {
  ...{ rows: 3, columns: 4, samplesPerPixel: 1, bitsAllocated: 8, frames: 2 },
  ...{ planarConfiguration: undefined, photometricInterpretation: "MONOCHROME2" },
};
const RECTANGLES = [{ x: 1, y: 1, width: 2, height: 2 }];
const BEFORE = 10;

async function judge(pixels: Uint8Array, mask: ExpectedMask): Promise<boolean> {
  const path = join(folder, "pixels");
  await writeFile(path, Buffer.concat([Buffer.alloc(BEFORE, 0xee), pixels]));
  await using window = await openWindow(path);
  return isMasked(window, BEFORE, mask);
}

/** Which bytes must be as they are: those without which the answer is no. */
async function judgedBytes(pixels: Uint8Array, mask: ExpectedMask): Promise<readonly number[]> {
  expect(await judge(pixels, mask)).toBe(true);
  const judged: number[] = [];
  for (const index of pixels.keys()) {
    const changed = Uint8Array.from(pixels);
    changed[index] = 0x5a;
    if (!(await judge(changed, mask))) judged.push(index);
  }
  return judged;
}

it("looks at every pixel of the rectangle in every frame, and at no other", async () => {
  const mask = { layout: GREY, rectangles: RECTANGLES, black: [0] };
  expect(await judgedBytes(Buffer.alloc(24), mask)).toEqual([5, 6, 9, 10, 17, 18, 21, 22]);
});

it("looks at every sample, by pixel and by plane", async () => {
  const rgb = { ...GREY, frames: 1, samplesPerPixel: 3, photometricInterpretation: "RGB" };
  const one = [{ x: 2, y: 1, width: 1, height: 1 }];
  const byPixel = { layout: { ...rgb, planarConfiguration: 0 }, rectangles: one, black: [0, 0, 0] };
  expect(await judgedBytes(Buffer.alloc(36), byPixel)).toEqual([18, 19, 20]);
  const byPlane = { layout: { ...rgb, planarConfiguration: 1 }, rectangles: one, black: [0, 0, 0] };
  expect(await judgedBytes(Buffer.alloc(36), byPlane)).toEqual([6, 18, 30]);
});

it("looks at the colour that neighbours share", async () => {
  const shared = {
    ...GREY,
    rows: 1,
    frames: 1,
    samplesPerPixel: 3,
    planarConfiguration: 0,
    photometricInterpretation: "YBR_FULL_422",
  };
  const pixels = Buffer.of(0, 0, 128, 128, 0, 0, 128, 128);
  const mask = { layout: shared, rectangles: [{ x: 3, y: 0, width: 1, height: 1 }], black: [0, 128, 128] };
  expect(await judgedBytes(pixels, mask)).toEqual([5, 6, 7]);
});

it("knows words of 16 bits by their bytes", async () => {
  const words = { layout: { ...GREY, bitsAllocated: 16, frames: 1 }, rectangles: RECTANGLES, black: [0xf800] };
  const pixels = Buffer.from(Uint16Array.from({ length: 12 }, () => 0xf800).buffer);
  expect(await judgedBytes(pixels, words)).toEqual([10, 11, 12, 13, 18, 19, 20, 21]);
});
