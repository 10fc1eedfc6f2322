import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { makeFolders } from "./make-folders.ts";

it("makes a folder and those above it, and is content with one that is there", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "one", "two");
  await makeFolders(path, { mode: 0o700 });
  await makeFolders(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

it.each(["file", "file/below"])("fails where a file is in the way: %s", async (name) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "file"), "");
  await expect(makeFolders(join(folder.path, name))).rejects.toMatchObject({
    code: expect.stringMatching(/EEXIST|ENOTDIR/),
  });
});

it.skipIf(process.platform !== "linux")("fails at once where a folder takes no other", async () => {
  await expect(makeFolders("/proc/nope/home")).rejects.toMatchObject({ code: expect.stringMatching(/ENOENT|EACCES/) });
});
