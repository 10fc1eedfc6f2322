import { link, mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openShredding } from "./removal.ts";

it("overwrites what it removes, to the last byte, and follows no link", async () => {
  await using folder = await temporaryFolder();
  const study = join(folder.path, "study");
  await mkdir(join(study, "series"), { recursive: true });
  const content = Buffer.alloc(2_500_000, "PATIENT");
  await writeFile(join(study, "series", "1.dcm"), content);
  await writeFile(join(folder.path, "others.txt"), "of others");
  await symlink(join(folder.path, "others.txt"), join(study, "link"));
  // A second name shows what became of the bytes.
  await link(join(study, "series", "1.dcm"), join(folder.path, "witness"));
  const { remove } = await openShredding(join(folder.path, "leaving"));
  await remove(study);
  expect((await readFile(join(folder.path, "witness"))).equals(Buffer.alloc(content.length))).toBe(true);
  expect(await readFile(join(folder.path, "others.txt"), "utf8")).toBe("of others");
  expect(await readdir(join(folder.path, "leaving"))).toEqual([]);
  await remove(study);
});

it("overwrites at the next start what a crash left half removed", async () => {
  await using folder = await temporaryFolder();
  const leaving = join(folder.path, "leaving");
  await mkdir(leaving);
  await writeFile(join(leaving, "left"), "PATIENT");
  await using witness = await open(join(leaving, "left"), "r");
  const { remove } = await openShredding(leaving);
  expect(await readdir(leaving)).toEqual([]);
  expect((await witness.readFile()).equals(Buffer.alloc(7))).toBe(true);
  const file = join(folder.path, "single");
  await writeFile(file, "PATIENT");
  await using other = await open(file, "r");
  await remove(file);
  expect((await other.readFile()).equals(Buffer.alloc(7))).toBe(true);
});
