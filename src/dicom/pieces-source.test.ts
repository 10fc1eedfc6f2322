import { expect, it } from "vitest";
import { bytesAt, piecesSource } from "./pieces-source.ts";

const WHOLE = Uint8Array.from({ length: 10 }, (_, index) => index);
const CUTS: Readonly<Record<string, readonly Uint8Array[]>> = {
  "one piece": [WHOLE],
  "several pieces": [WHOLE.subarray(0, 3), WHOLE.subarray(3, 4), WHOLE.subarray(4)],
  "empty pieces between": [
    WHOLE.subarray(0, 0),
    WHOLE.subarray(0, 5),
    WHOLE.subarray(5, 5),
    WHOLE.subarray(5),
    WHOLE.subarray(10),
  ],
};

it.each(Object.entries(CUTS))("reads every range of %s", async (_, pieces) => {
  const source = piecesSource(pieces);
  expect(source.sizeBytes).toBe(10);
  for (let offset = 0; offset <= 10; offset += 1) {
    for (let length = 0; length <= 12; length += 1) {
      const expected = [...WHOLE.subarray(offset, offset + length)];
      expect([...(await source.read(offset, length))]).toEqual(expected);
      if (offset + length <= 10) expect([...bytesAt(pieces, offset, length)]).toEqual(expected);
    }
  }
});

it("answers a view of what lies in one piece", async () => {
  const bytes = await piecesSource([WHOLE.subarray(0, 4), WHOLE.subarray(4)]).read(5, 3);
  expect(bytes.buffer).toBe(WHOLE.buffer);
});

it("is empty without pieces", async () => {
  const source = piecesSource([]);
  expect(source.sizeBytes).toBe(0);
  expect([...(await source.read(0, 4))]).toEqual([]);
});
