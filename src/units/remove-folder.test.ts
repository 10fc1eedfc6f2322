import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { removeFolder } from "./remove-folder.ts";

it("removes a folder with its files, folders and links, and nothing that a link leads to", async () => {
  await using temporary = await temporaryFolder();
  const [folder, elsewhere] = [join(temporary.path, "folder"), join(temporary.path, "elsewhere")];
  await mkdir(join(folder, "inner", "most"), { recursive: true });
  for (const name of ["a", "b", "inner/c", "inner/most/d"]) await writeFile(join(folder, name), name);
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, "kept"), "kept");
  await symlink(elsewhere, join(folder, "link"));
  await removeFolder(folder);
  expect(existsSync(folder)).toBe(false);
  expect(await readFile(join(elsewhere, "kept"), "utf8")).toBe("kept");
});

it("does nothing where there is no folder, and removes a file in its place", async () => {
  await using temporary = await temporaryFolder();
  await removeFolder(join(temporary.path, "nowhere"));
  const file = join(temporary.path, "file");
  await writeFile(file, "");
  await removeFolder(file);
  expect(existsSync(file)).toBe(false);
});
