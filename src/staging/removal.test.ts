import { chmod, chown, link, mkdir, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openShredding } from "./removal.ts";

vi.mock("node:fs/promises", { spy: true });

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

it("has the zeros on the disk before it takes the name away", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "single");
  await writeFile(path, "PATIENT");
  const { remove } = await openShredding(join(folder.path, "leaving"));
  const file = await open(path, "r+");
  const { sync } = file;
  let removalsBefore: number | undefined;
  file.sync = async () => {
    removalsBefore = vi.mocked(rm).mock.calls.length;
    await sync.call(file);
  };
  vi.mocked(open).mockResolvedValueOnce(file);
  vi.mocked(rm).mockClear();
  await remove(path);
  expect([removalsBefore, vi.mocked(rm).mock.calls.length]).toEqual([0, 1]);
});

it("removes a link and nothing of what it leads to", async () => {
  await using folder = await temporaryFolder();
  const elsewhere = join(folder.path, "elsewhere");
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, "others.txt"), "of others");
  const { remove } = await openShredding(join(folder.path, "leaving"));
  for (const to of [elsewhere, join(elsewhere, "others.txt"), join(elsewhere, "gone")]) {
    await symlink(to, join(folder.path, "link"));
    await remove(join(folder.path, "link"));
  }
  expect(await readFile(join(elsewhere, "others.txt"), "utf8")).toBe("of others");
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual([
    "elsewhere",
    "elsewhere/others.txt",
    "leaving",
  ]);
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

/** Root may write to a file whatever its mode says: it becomes somebody else for as long. */
async function asOwnerOf(paths: readonly string[], work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return await work();
  for (const path of paths) await chown(path, NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
const NOBODY = 65_534;

it("overwrites what is there to be read only, and begins where a start before left such a file", async () => {
  await using folder = await temporaryFolder();
  const [leaving, file] = [join(folder.path, "leaving"), join(folder.path, "single")];
  const left = join(leaving, "left");
  await mkdir(leaving);
  for (const path of [left, file]) {
    await writeFile(path, "PATIENT");
    await chmod(path, 0o444);
  }
  await asOwnerOf([folder.path, leaving, left, file], async () => {
    await using witness = await open(file, "r");
    const { remove } = await openShredding(leaving);
    expect(await readdir(leaving)).toEqual([]);
    await remove(file);
    expect((await witness.readFile()).equals(Buffer.alloc(7))).toBe(true);
  });
});
