import { once } from "node:events";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { begun } from "./begun.ts";

/** Three pieces, and whether what they were read from is closed. */
function threePieces() {
  const file = { isClosed: false };
  async function* pieces(): AsyncGenerator<string> {
    try {
      for (const piece of ["a", "b", "c"]) yield piece;
    } finally {
      file.isClosed = true;
    }
  }
  return { file, pieces: pieces() };
}

it("gives every piece, and fails at once where there is none", async () => {
  const { pieces } = threePieces();
  expect(await Array.fromAsync(await begun(pieces))).toEqual(["a", "b", "c"]);
  async function* broken(): AsyncGenerator<string> {
    yield await Promise.reject(new Error("no such study"));
  }
  await expect(begun(broken())).rejects.toThrow("no such study");
});

it.each([
  [0, undefined],
  [1, undefined],
  [1, new Error("gone")],
])("closes what is read from when its reader leaves after %i more, by %s", async (more, why) => {
  const { file, pieces } = threePieces();
  const answer = Readable.from(await begun(pieces), { objectMode: false, highWaterMark: 1 }).on("error", () => {});
  if (more > 0) await once(answer, "readable");
  answer.destroy(why);
  await once(answer, "close").catch(() => undefined);
  expect(file.isClosed).toBe(true);
});
