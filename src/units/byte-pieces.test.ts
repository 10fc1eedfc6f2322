import { expect, it } from "vitest";
import { createBytePieces } from "./byte-pieces.ts";

it("gives back what came, in its order, whatever the size of the pieces", () => {
  const pieces = createBytePieces();
  const sizes = [0, 1, 1_023, 1, 20_000, 7, 16_383, 16_384, 3];
  const all = sizes.map((size, index) => Buffer.alloc(size, index + 1));
  for (const piece of all) pieces.add(piece);
  expect(pieces.bytes().equals(Buffer.concat(all))).toBe(true);
  pieces.add(Buffer.from("more"));
  expect(pieces.bytes().equals(Buffer.concat([...all, Buffer.from("more")]))).toBe(true);
  expect(pieces.sizeBytes).toBe(pieces.bytes().length);
});

it("holds a megabyte in pieces of a byte in a few megabytes", () => {
  const pieces = createBytePieces();
  const read = Buffer.alloc(64 * 1024);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  for (let count = 0; count < 2 ** 20; count += 1) pieces.add(read.subarray(count % 1_000, (count % 1_000) + 1));
  const held = process.memoryUsage();
  expect(pieces.sizeBytes).toBe(2 ** 20);
  expect(held.arrayBuffers - arrayBuffers).toBeLessThan(4 * 2 ** 20);
  expect(held.heapUsed - heapUsed).toBeLessThan(64 * 2 ** 20);
});
