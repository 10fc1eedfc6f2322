import { createWriteStream } from "node:fs";
import { open, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { expect, it } from "vitest";
import { readZipDirectory } from "../../src/network/zip/zip-directory.ts";
import { zipStream } from "../../src/network/zip/zip-stream.ts";
import { runProgram } from "../peers/process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Beyond what 32 bits hold; a hole in the file, so that the disk has little of it. */
const LARGE_BYTES = 4.1 * 1024 ** 3;
/** Beyond what 16 bits hold. */
const MANY = 65_536 + 1;

async function zipAt(folder: string, files: Parameters<typeof zipStream>[0]) {
  const path = join(folder, "all.zip");
  await pipeline(zipStream(files), createWriteStream(path));
  const { exitCode, output } = await runProgram("python3", ["-m", "zipfile", "-t", path], folder);
  expect([exitCode, output.trim()]).toEqual([0, "Done testing"]);
  await using handle = await open(path);
  const { size } = await stat(path);
  const readFrom = async (start: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(size - start);
    await handle.read(bytes, 0, bytes.length, start);
    return bytes;
  };
  return await readZipDirectory({ sizeBytes: size, readFrom });
}

it("a zip holds a file of more than four gigabytes, and what comes behind it", async () => {
  await using folder = await temporaryFolder();
  const [large, small] = [join(folder.path, "large"), join(folder.path, "small")];
  await writeFile(small, "small");
  {
    await using handle = await open(large, "w");
    await handle.truncate(Math.floor(LARGE_BYTES));
  }
  const { size } = await stat(large);
  const files = [
    { name: "large", path: large, sizeBytes: size },
    { name: "small", path: small, sizeBytes: 5 },
  ];
  const entries = await zipAt(folder.path, files);
  expect(entries?.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
    ["large", size],
    ["small", 5],
  ]);
});

it("a zip holds more than 65,535 files", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "small");
  await writeFile(path, "small");
  const files = Array.from({ length: MANY }, (_, index) => ({ name: `${index}`, path, sizeBytes: 5 }));
  expect(await zipAt(folder.path, files)).toHaveLength(MANY);
});
