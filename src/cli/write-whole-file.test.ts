import { execFile } from "node:child_process";
import { lstat, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { writeWholeFile } from "./write-whole-file.ts";

async function* pieces(): AsyncGenerator<string> {
  yield "a,b\n";
  yield "1,2\n";
}
const TEXT = "a,b\n1,2\n";

it("writes into a pipe, and leaves it one: a name such as /dev/stdout or /dev/null is not replaced by a file", async () => {
  await using folder = await temporaryFolder();
  const pipe = join(folder.path, "pipe");
  await promisify(execFile)("mkfifo", [pipe]);
  const [read] = await Promise.all([readFile(pipe, "utf8"), writeWholeFile(pipe, pieces())]);
  expect(read).toBe(TEXT);
  expect((await lstat(pipe)).isFIFO()).toBe(true);
  expect(await readdir(folder.path)).toEqual(["pipe"]);
});

it("replaces the file that a link points at, and keeps the link", async () => {
  await using folder = await temporaryFolder();
  const [file, link] = [join(folder.path, "accounted.csv"), join(folder.path, "latest.csv")];
  await writeFile(file, "of yesterday");
  await symlink(file, link);
  await writeWholeFile(link, pieces());
  expect(await readFile(file, "utf8")).toBe(TEXT);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
});

it("leaves what stood there as it was where it fails", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "accounted.csv");
  await writeFile(file, "of yesterday");
  async function* cut(): AsyncGenerator<string> {
    yield "a,b\n";
    throw new Error("cut off");
  }
  await expect(writeWholeFile(file, cut())).rejects.toThrow("cut off");
  await expect(writeWholeFile(folder.path, pieces())).rejects.toMatchObject({ code: "FILE_NOT_WRITABLE" });
  expect([await readdir(folder.path), await readFile(file, "utf8")]).toEqual([["accounted.csv"], "of yesterday"]);
});
