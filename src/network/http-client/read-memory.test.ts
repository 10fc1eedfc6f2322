import { expect, it } from "vitest";
import { freeRead, noteRead } from "./read-memory.ts";

it("memory that was read into is given back, all pieces of it at once", () => {
  const memory = new ArrayBuffer(100);
  const pieces = [new Uint8Array(memory, 0, 40), new Uint8Array(memory, 40)];
  for (const piece of pieces) noteRead(piece);
  freeRead(memory);
  expect(pieces.map(({ length }) => length)).toEqual([0, 0]);
  freeRead(memory);
});

it("other memory is left as it is, and so is what small buffers share", () => {
  const own = Uint8Array.of(1, 2, 3);
  freeRead(own.buffer);
  expect(own).toEqual(Uint8Array.of(1, 2, 3));
  const shared = Buffer.from("abc");
  noteRead(shared);
  freeRead(shared.buffer);
  expect(shared.toString()).toBe("abc");
});
