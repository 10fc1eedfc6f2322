import { inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { encodeGreyPng } from "./png.ts";

it("writes header, lines and end, and nothing that could hold a text", () => {
  const png = encodeGreyPng(3, 2, Uint8Array.of(0, 128, 255, 1, 2, 3));
  expect(png.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  expect(chunks.map(({ type }) => type)).toEqual(["IHDR", "IDAT", "IEND"]);
  // Width, height, 8 bits of grey, deflate, filters by line, no interlacing.
  expect([...(chunks[0]?.data ?? [])]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
  expect([...inflateSync(chunks[1]?.data ?? Buffer.alloc(0))]).toEqual([0, 0, 128, 255, 0, 1, 2, 3]);
});

it("ends each chunk with the checksum of its type and data", () => {
  // The same in every PNG.
  expect(encodeGreyPng(1, 1, Uint8Array.of(7)).subarray(-12)).toEqual(
    Buffer.from([0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]),
  );
});
