import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { createSharedSync } from "../../units/shared-sync.ts";
import { openIntakeFiles } from "./intake-files.ts";

const clock = createManualClock();
const nobody = { intakeFiles: async () => [], moveIntakeFile: async () => false };
/** What is added next does not fit any more: nothing is added to that pack again. */
const packSizes = { packBytes: 5_000, extentBytes: 4_096 };
const large = Buffer.alloc(4_500, "L");

it("keeps what was acknowledged over a restart, and removes what was not", async () => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const acknowledged: string[] = [];
  const intakeFiles = async (prefix: string) => acknowledged.filter((file) => file.startsWith(prefix));
  const moveIntakeFile = async (from: string, to: string): Promise<boolean> => {
    const index = acknowledged.indexOf(from);
    if (index >= 0) acknowledged[index] = to;
    return index >= 0;
  };
  const store = { intakeFiles, moveIntakeFile };
  const files = await openIntakeFiles(place, { store, clock });
  const names: string[] = [];
  const note = async (file: string): Promise<boolean> => names.push(file) > 0;
  for (const text of ["told", "untold", "removed"]) {
    const path = join(folder.path, text);
    await writeFile(path, text);
    await files.keep({ path }, note);
    await files.keep({ pieces: [Buffer.from(text.slice(0, 2)), Buffer.from(text.slice(2))] }, note);
  }
  await files[Symbol.asyncDispose]();
  const [told, untold, removed] = [names.slice(0, 2), names.slice(2, 4), names.slice(4)];
  acknowledged.push(...told, ...removed);
  await using again = await openIntakeFiles(place, { store, clock });
  acknowledged.splice(2);
  await again.remove(removed);
  // Of the pack little stays: it lies in another now.
  expect(acknowledged).not.toEqual(told);
  for (const [index, file] of acknowledged.entries()) {
    await again.copy(file, join(folder.path, `copy-${index}`));
    expect(await readFile(join(folder.path, `copy-${index}`), "utf8")).toBe("told");
  }
  const left = (await readdir(place, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const bytes = await Promise.all(left.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
  expect(bytes.map((text) => text.replace(/\0+$/, "")).sort()).toEqual(["told", "told"]);
  await expect(again.copy(untold[0] ?? "", join(folder.path, "gone"))).rejects.toThrow(
    expect.objectContaining({ code: "STAGING_UNAVAILABLE" }),
  );
});

it("removes at once what is not wanted", async () => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  await using files = await openIntakeFiles(place, { store: nobody, clock });
  const path = join(folder.path, "one");
  await writeFile(path, "twice");
  const names: string[] = [];
  const note = async (file: string): Promise<boolean> => names.push(file) === 0;
  expect(await files.keep({ path }, note)).toBe(false);
  expect(await files.keep({ pieces: [Buffer.from("twice")] }, note)).toBe(false);
  const left = (await readdir(place, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { parentPath, name } of left)
    expect(await readFile(join(parentPath, name), "latin1")).not.toContain("twice");
});

it("syncs the folder of what comes at the same moment twice, however much it is", async () => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const synced: string[] = [];
  const syncShared = createSharedSync(async (path) => {
    synced.push(path);
    await expect.poll(async () => (await readdir(path)).length).toBe(40);
  });
  await using files = await openIntakeFiles(place, { store: nobody, clock, syncShared });
  const paths = Array.from({ length: 40 }, (_, number) => join(folder.path, `${number}`));
  await Promise.all(paths.map((path) => writeFile(path, "whole")));
  const kept = new Set<string>();
  await Promise.all(paths.map((path) => files.keep({ path }, async (file) => kept.add(file).size > 0)));
  expect(kept.size).toBe(40);
  expect(synced.length).toBe(2);
});

it.each([
  ["file", true],
  ["packed", false],
])("removes what could not be written down after an hour, and not what was after all: %s", async (_kind, isFile) => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const rows: string[] = [];
  const store = { ...nobody, intakeFiles: async (prefix: string) => rows.filter((file) => file.startsWith(prefix)) };
  await using files = await openIntakeFiles(place, { store, clock });
  for (const text of ["lost-answer", "not-written"]) {
    const path = join(folder.path, text);
    await writeFile(path, text);
    const keeping = files.keep(isFile ? { path } : { pieces: [Buffer.from(text)] }, async (file) => {
      if (text === "lost-answer") rows.push(file);
      throw new Error("the store is gone");
    });
    await expect(keeping).rejects.toThrow("the store is gone");
  }
  const onDisk = async (): Promise<string> => {
    const entries = (await readdir(place, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const texts = await Promise.all(entries.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
    return texts.join("");
  };
  await clock.advance(59 * 60_000);
  await files.removeUnnamed();
  expect(await onDisk()).toContain("not-written");
  await clock.advance(60_000);
  await files.removeUnnamed();
  expect(await onDisk()).not.toContain("not-written");
  expect(await onDisk()).toContain("lost-answer");
});

it("keeps the pack of what a commit names after the store was given up on", async () => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const rows: string[] = [];
  const store = { ...nobody, intakeFiles: async (prefix: string) => rows.filter((file) => file.startsWith(prefix)) };
  await using files = await openIntakeFiles(place, { store, clock, packSizes });
  const note = async (file: string): Promise<boolean> => rows.push(file) > 0;
  let inDoubt = "";
  await files.keep({ pieces: [Buffer.from("delivered")] }, note);
  const keeping = files.keep({ pieces: [Buffer.from("in doubt")] }, async (file) => {
    inDoubt = file;
    throw new Error("no answer");
  });
  await expect(keeping).rejects.toThrow("no answer");
  await files.keep({ pieces: [large] }, note);
  const [delivered = ""] = rows.splice(0, 1);
  await files.remove([delivered]);
  // The server was slow, and committed.
  rows.push(inDoubt);
  await files.copy(inDoubt, join(folder.path, "copy"));
  expect(await readFile(join(folder.path, "copy"), "utf8")).toBe("in doubt");
});

it.each([
  ["carried out", true],
  ["not carried out", false],
])("loses nothing of a pack that is emptied when the store does not answer to a move it has %s", async (_, isDone) => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const rows: string[] = [];
  let isAnswering = false;
  const store = {
    intakeFiles: async (prefix: string) => rows.filter((file) => file.startsWith(prefix)),
    async moveIntakeFile(from: string, to: string): Promise<boolean> {
      const index = rows.indexOf(from);
      if (index >= 0 && (isAnswering || isDone)) rows[index] = to;
      if (!isAnswering) throw new Error("no answer");
      return index >= 0;
    },
  };
  await using files = await openIntakeFiles(place, { store, clock, packSizes });
  const note = async (file: string): Promise<boolean> => rows.push(file) > 0;
  for (const pieces of [[Buffer.alloc(3_000, "a")], [Buffer.from("stays")], [large]])
    await files.keep({ pieces }, note);
  const [delivered = ""] = rows.splice(0, 1);
  await expect(files.remove([delivered])).rejects.toThrow("no answer");
  isAnswering = true;
  await files.remove([delivered]);
  await clock.advance(3_600_001);
  await files.removeUnnamed();
  await files.copy(rows[0] ?? "", join(folder.path, "copy"));
  expect(await readFile(join(folder.path, "copy"), "utf8")).toBe("stays");
});
