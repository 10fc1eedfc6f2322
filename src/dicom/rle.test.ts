import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRleDecoder, rleSegments } from "./rle.ts";

/** A segment and what it decodes to, run by run. PS3.5 G.3.2. */
const RUNS: readonly (readonly [bytes: readonly number[], decoded: readonly number[]])[] = [
  // 2: three bytes as they are.
  [
    [0x02, 10, 11, 12],
    [10, 11, 12],
  ],
  // -3: one byte four times.
  [
    [0xfd, 7],
    [7, 7, 7, 7],
  ],
  // -128: nothing.
  [[0x80], []],
  // -127: one byte 128 times, the longest there is.
  [[0x81, 9], Array.from({ length: 128 }, () => 9)],
  // 127: 128 bytes as they are.
  [[0x7f, ...Array(128).keys()], [...Array(128).keys()]],
  // 0: a single byte.
  [[0x00, 255], [255]],
];
const SEGMENT = Uint8Array.from(RUNS.flatMap(([bytes]) => bytes));
const DECODED = RUNS.flatMap(([, decoded]) => decoded);

/** Fed in pieces and taken in parts of these sizes. */
function decoded(pieceBytes: number, partBytes: number): readonly number[] {
  const decoder = createRleDecoder();
  const target = new Uint8Array(DECODED.length);
  let fed = 0;
  for (let done = 0; done < target.length; ) {
    const count = Math.min(partBytes, target.length - done);
    const taken = decoder.take(target, { start: done, step: 1, count });
    done += taken;
    if (taken === count) continue;
    decoder.feed(SEGMENT.subarray(fed, fed + pieceBytes));
    fed += pieceBytes;
  }
  expect(decoder.isWithinRun).toBe(false);
  return [...target];
}

describe("a segment of RLE", () => {
  it("is decoded run by run", () => {
    expect(decoded(SEGMENT.length, DECODED.length)).toEqual(DECODED);
  });

  it("is the same in whatever pieces it comes, and in whatever parts it is taken", () => {
    const size = fc.integer({ min: 1, max: SEGMENT.length });
    fc.assert(
      fc.property(size, size, (pieceBytes, partBytes) => decoded(pieceBytes, partBytes).join() === DECODED.join()),
    );
  });

  it("goes where its byte of each pixel belongs, and nowhere else", () => {
    const decoder = createRleDecoder();
    decoder.feed(Uint8Array.of(0x01, 1, 2, 0xff, 3));
    const target = new Uint8Array(12);
    expect(decoder.take(target, { start: 1, step: 3, count: 4 })).toBe(4);
    expect([...target]).toEqual([0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 3, 0]);
  });

  it.each([
    ["too short", [0x02, 1, 2], 2, false],
    ["too short in a run that repeats", [0xfd], 0, false],
    ["within a run at its end", [0x05, 1, 2, 3, 4, 5, 6], 4, true],
  ])("that is %s is told", (_, bytes, taken, isWithinRun) => {
    const decoder = createRleDecoder();
    decoder.feed(Uint8Array.from(bytes));
    expect(decoder.take(new Uint8Array(4), { start: 0, step: 1, count: 4 })).toBe(taken);
    if (taken === 4) expect(decoder.isWithinRun).toBe(isWithinRun);
  });
});

/** Count and 15 offsets, little endian. PS3.5 G.5. */
function headerOf(count: number, ...offsets: readonly number[]): Buffer {
  const header = Buffer.alloc(64);
  for (const [index, value] of [count, ...offsets].entries()) header.writeUInt32LE(value, 4 * index);
  return header;
}

describe("the header of a frame", () => {
  it("names the segments, each up to the next", () => {
    expect(rleSegments(headerOf(2, 64, 80), 100, 2)).toEqual([
      { start: 64, end: 80 },
      { start: 80, end: 100 },
    ]);
  });

  it.each([
    ["that names another number of segments", headerOf(3, 64, 80, 90), 2],
    ["of more segments than there can be", headerOf(16), 16],
    ["whose segments are not in order", headerOf(2, 80, 64), 2],
    ["with a segment within itself", headerOf(1, 60), 1],
    ["with a segment behind the frame", headerOf(2, 64, 101), 2],
    ["that is cut short", headerOf(1, 64).subarray(0, 63), 1],
  ])("%s is none", (_, header, count) => {
    expect(rleSegments(header, 100, count)).toBeUndefined();
  });
});
