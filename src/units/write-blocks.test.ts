import { expect, it } from "vitest";
import { BLOCK_BYTES, dividedForWriting, inBlocks } from "./write-blocks.ts";

const lengthsOf = (...lengths: readonly number[]): readonly (readonly number[])[] =>
  [...inBlocks(lengths.map((length) => new Uint8Array(length)))].map((block) => block.map(({ length }) => length));

it("divides what is longer than a block, and puts together what is shorter", () => {
  expect(lengthsOf()).toEqual([]);
  expect(lengthsOf(0)).toEqual([]);
  expect(lengthsOf(10, 0, 20)).toEqual([[10, 20]]);
  expect(lengthsOf(BLOCK_BYTES)).toEqual([[BLOCK_BYTES]]);
  expect(lengthsOf(10, BLOCK_BYTES)).toEqual([[10, BLOCK_BYTES - 10], [10]]);
  expect(lengthsOf(2 * BLOCK_BYTES + 1, 5)).toEqual([[BLOCK_BYTES], [BLOCK_BYTES], [1, 5]]);
});

it("keeps the order of the bytes, and copies none of them", () => {
  const pieces = [Buffer.alloc(3, 1), Buffer.alloc(BLOCK_BYTES, 2), Buffer.alloc(7, 3)];
  const blocks = [...inBlocks(pieces)].flat();
  expect(Buffer.concat(blocks)).toEqual(Buffer.concat(pieces));
  expect(new Set(blocks.map(({ buffer }) => buffer))).toEqual(new Set(pieces.map(({ buffer }) => buffer)));
});

it("divides what comes piece by piece", async () => {
  async function* content() {
    yield new Uint8Array(10);
    yield new Uint8Array(BLOCK_BYTES + 1);
  }
  const lengths = await Array.fromAsync(dividedForWriting(content()), ({ length }) => length);
  expect(lengths).toEqual([10, BLOCK_BYTES, 1]);
});
