import { chmod, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeZip } from "../../../test/peers/xnat/zip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import { createFolderIndex, type FolderSnapshot } from "./folder-index.ts";
import { MEDIA_FILES, writeTo } from "./folder-scene.testing.ts";

const signal = neverAborted();
const LONG_AGO = new Date(Date.UTC(2024, 0, 1));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let [lake, path] = ["", ""];
beforeEach(async () => {
  folder = await temporaryFolder();
  lake = join(folder.path, "lake");
  path = join(folder.path, "home", "archives", "lake.index");
  const [first, second, ...zipped] = MEDIA_FILES;
  await write("first.dcm", first?.file ?? "");
  await write("second.dcm", second?.file ?? "");
  await write("export.zip", writeZip(zipped.map(({ name, file }) => ({ name, bytes: file }))));
  await write("notes.txt", "no DICOM");
});
afterEach(() => folder[Symbol.asyncDispose]());

async function write(name: string, bytes: string | Uint8Array): Promise<void> {
  await writeTo(join(lake, name), bytes);
  await utimes(join(lake, name), LONG_AGO, LONG_AGO);
}

/** What one run of the program sees. */
async function run(root = lake, isWritten = true): Promise<FolderSnapshot> {
  await using index = createFolderIndex(root, systemClock, { path, isWritten, logger: silentLogger });
  return await index.look(signal);
}

/** Nothing of an instance any more, but for size and time: who reads it sees that. */
async function blank(name: string): Promise<void> {
  await write(name, Buffer.alloc((await stat(join(lake, name))).size));
}

const ALL = MEDIA_FILES.length;

describe("the index of a folder", () => {
  it("is what it was when the program begins again, and no file that is the same is read for it", async () => {
    const before = await run();
    for (const name of ["first.dcm", "second.dcm", "export.zip"]) await blank(name);
    expect(await run()).toEqual(before);
    expect(before.instances).toHaveLength(ALL);
    expect(before.skipped).toEqual(new Map([["NOT_DICOM", 1]]));
  });

  it("has what came, went and changed in between", async () => {
    await run();
    await rm(join(lake, "first.dcm"));
    await write("second.dcm", "cut short");
    await write("third.dcm", MEDIA_FILES[0]?.file ?? "");
    const { instances, files } = await run();
    expect(files).toBe(4);
    expect(instances).toHaveLength(ALL - 1);
    expect(instances.some(({ sopInstanceUid }) => sopInstanceUid === MEDIA_FILES[0]?.sopInstanceUid)).toBe(true);
  });

  it("is for the service's user alone", async () => {
    await run();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
  });

  it("reads a file again that was new when it was kept: it may have changed within the same tick", async () => {
    await utimes(join(lake, "first.dcm"), new Date(), new Date());
    const { mtime } = await stat(join(lake, "first.dcm"));
    await run();
    const { size } = await stat(join(lake, "first.dcm"));
    await writeFile(join(lake, "first.dcm"), Buffer.alloc(size));
    await utimes(join(lake, "first.dcm"), mtime, mtime);
    expect((await run()).instances).toHaveLength(ALL - 1);
  });

  it("is read by a program that only asks, and not written", async () => {
    await run(lake, false);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await run();
    const kept = await readFile(path);
    await blank("first.dcm");
    await write("fourth.dcm", MEDIA_FILES[0]?.file ?? "");
    expect((await run(lake, false)).files).toBe(5);
    expect(await readFile(path)).toEqual(kept);
  });
});

describe("an index that is not to be believed", () => {
  /** Changes its text, below the packing. */
  const edited = (edit: (text: string) => string) => async () =>
    await writeFile(path, gzipSync(edit(gunzipSync(await readFile(path)).toString("utf8"))));

  it.each([
    ["damaged", edited((text) => text.replace("notes.txt", "Notes.txt"))],
    ["of another version", edited((text) => text.replace('"version":1', '"version":2'))],
    ["of another folder", edited((text) => text.replace('/lake"', '/lakes"'))],
    ["without its end", edited((text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1))],
    ["with more behind its end", edited((text) => `${text}[]\n`)],
    ["cut short", async () => await writeFile(path, (await readFile(path)).subarray(0, 200))],
    ["something else", async () => await writeFile(path, "PK")],
    ["empty", async () => await writeFile(path, "")],
  ])("as it is %s, is made anew from the files", async (_, harm) => {
    await run();
    await harm();
    await blank("first.dcm");
    expect((await run()).instances).toHaveLength(ALL - 1);
    // And kept again.
    await blank("second.dcm");
    expect((await run()).instances).toHaveLength(ALL - 1);
  });

  it.skipIf(process.getuid?.() === 0)("as it may not be read, is made anew", async () => {
    await run();
    await chmod(path, 0);
    await blank("first.dcm");
    expect((await run()).instances).toHaveLength(ALL - 1);
  });
});

it("goes on without an index that cannot be kept", async () => {
  await writeFile(join(folder.path, "home"), "no folder");
  expect((await run()).instances).toHaveLength(ALL);
});
