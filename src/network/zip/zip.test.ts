import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../../test/peers/process.ts";
import { readZip } from "../../../test/peers/xnat/zip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readZipDirectory, type ZipSource } from "./zip-directory.ts";
import { contentOf, type ZippedFile, zipStream } from "./zip-stream.ts";

async function filesOf(folder: string, texts: readonly string[]): Promise<readonly ZippedFile[]> {
  const files = texts.map((text, index) => ({
    name: `${index}.dcm`,
    path: join(folder, `${index}`),
    sizeBytes: text.length,
  }));
  for (const [index, { path }] of files.entries()) await writeFile(path, texts[index] ?? "");
  return files;
}

async function zipOf(files: readonly ZippedFile[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(zipStream(files)));
}

const sourceOf = (bytes: Buffer): ZipSource => ({
  sizeBytes: bytes.length,
  readFrom: async (start) => bytes.subarray(start),
});

const TEXTS = ["", "one", "two".repeat(100_000)];

describe("a zip on its way", () => {
  it("can be read by who takes its entries as they come", async () => {
    await using folder = await temporaryFolder();
    const zip = await zipOf(await filesOf(folder.path, TEXTS));
    expect(readZip(zip).map(({ name, bytes }) => [name, bytes.toString()])).toEqual(
      TEXTS.map((text, index) => [`${index}.dcm`, text]),
    );
  });

  it("is whole for who begins at its directory", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "all.zip"), await zipOf(await filesOf(folder.path, TEXTS)));
    const { exitCode, output } = await runProgram("python3", ["-m", "zipfile", "-t", "all.zip"], folder.path);
    expect([exitCode, output.trim()]).toEqual([0, "Done testing"]);
  });

  it("does not go on with a file that has another size than it had, or is gone", async () => {
    await using folder = await temporaryFolder();
    const [file] = await filesOf(folder.path, ["short"]);
    if (file === undefined) throw new Error("no file");
    await appendFile(file.path, "er");
    await expect(zipOf([file])).rejects.toMatchObject({ code: "DELIVERY_FILE_CHANGED" });
    await expect(zipOf([{ ...file, path: join(folder.path, "none") }])).rejects.toMatchObject({
      code: "DELIVERY_FILE_CHANGED",
    });
  });
});

describe("the directory of a zip", () => {
  it("tells where the contents are, so that they can go into another zip", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "all.zip");
    const zip = await zipOf(await filesOf(folder.path, TEXTS));
    await writeFile(path, zip);
    const entries = (await readZipDirectory(sourceOf(zip))) ?? [];
    expect(entries.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ["0.dcm", 0],
      ["1.dcm", 3],
      ["2.dcm", 300_000],
    ]);
    expect((await zipOf(entries.map((entry) => ({ ...entry, path })))).equals(zip)).toBe(true);
    const [, one] = entries;
    const pieces = await Array.fromAsync(contentOf({ name: "", path, start: one?.start ?? 0, sizeBytes: 3 }));
    expect(Buffer.concat(pieces).toString()).toBe("one");
  });

  it("is that of an empty zip too", async () => {
    expect(await readZipDirectory(sourceOf(await zipOf([])))).toEqual([]);
  });

  it("is not believed of a zip that was cut, whose front is missing, or that something was added to", async () => {
    await using folder = await temporaryFolder();
    const zip = await zipOf(await filesOf(folder.path, TEXTS));
    for (const bytes of [
      zip.subarray(0, -1),
      zip.subarray(0, 1_000),
      zip.subarray(10),
      Buffer.concat([zip, Buffer.from("more")]),
      Buffer.concat([zip.subarray(0, 200_000), zip.subarray(200_001)]),
      Buffer.alloc(zip.length),
      Buffer.alloc(0),
    ]) {
      expect(await readZipDirectory(sourceOf(bytes))).toBeUndefined();
    }
  });

  it("is not that of a zip of another program, whose entries are packed", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "text"), "a".repeat(1_000));
    await runProgram("python3", ["-m", "zipfile", "-c", "packed.zip", "text"], folder.path);
    expect(await readZipDirectory(sourceOf(await readFile(join(folder.path, "packed.zip"))))).toBeUndefined();
  });

  it("is read in one piece more where it is long", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "file");
    await writeFile(path, "x");
    const files = Array.from({ length: 1_000 }, (_, index) => ({
      name: `${"n".repeat(60)}${index}`,
      path,
      sizeBytes: 1,
    }));
    const entries = await readZipDirectory(sourceOf(await zipOf(files)));
    expect(entries?.at(-1)?.name).toBe(files.at(-1)?.name);
  });
});
