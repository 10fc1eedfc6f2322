import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { treeBytes } from "./tree-size.ts";

it("sums up what is left where folders go while it walks", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "first"), "12345");
  for (const name of ["going", "staying"]) {
    await mkdir(join(folder.path, name, "series"), { recursive: true });
    await writeFile(join(folder.path, name, "series", "instance"), "123");
  }
  const sizeOf = async (path: string): Promise<number> => {
    const { size } = await stat(path);
    await rm(join(folder.path, "going"), { recursive: true, force: true });
    return size;
  };
  expect(await treeBytes(folder.path, sizeOf)).toBe(8);
});

it("says that the folder itself is not there", async () => {
  await expect(treeBytes("/nonexistent")).rejects.toMatchObject({ code: "ENOENT" });
});
