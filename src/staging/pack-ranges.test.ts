import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { overwrite } from "./pack-ranges.ts";

it("overwrites a range to its end, also where the disk takes less at once than it is given", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pack");
  await writeFile(path, "patient".repeat(1_000));
  await using file = await open(path, "r+");
  const hesitant = {
    write: (bytes: Uint8Array, offset: number, length: number, at: number) =>
      file.write(bytes, offset, Math.min(length, 300), at),
  };
  await overwrite(hesitant, 7, 6_993);
  expect(await readFile(path, "latin1")).toBe(`patient${"\0".repeat(6_986)}patient`);
});
