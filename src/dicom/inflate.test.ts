import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { inflateSource } from "./inflate.ts";
import { bytesSource } from "./sources.ts";

const MB = 1024 * 1024;

/** Pseudo-random enough that no two stretches of it are alike. */
const original = Buffer.alloc(MB);
for (let index = 0; index + 4 <= original.length; index += 4)
  original.writeUInt32LE(Math.imul(index, 2_654_435_761) >>> 0, index);

it("reads any stretch of what was inflated, to its end and no further", async () => {
  const { body } = await inflateSource(bytesSource(deflateRawSync(original)), 0, 2 * MB);
  expect(body.sizeBytes).toBe(original.length);
  const offset = fc.integer({ min: 0, max: original.length + 10 });
  const length = fc.integer({ min: 0, max: 300_000 });
  await fc.assert(
    fc.asyncProperty(offset, length, async (from, count) => {
      const read = await body.read(from, count);
      return Buffer.compare(read, original.subarray(from, from + count)) === 0;
    }),
  );
});

it("reads nothing of nothing", async () => {
  const { body } = await inflateSource(bytesSource(deflateRawSync(Buffer.alloc(0))), 0, MB);
  expect([body.sizeBytes, (await body.read(0, 10)).length]).toEqual([0, 0]);
});

/** A process of its own, whose highest memory is that of this alone. */
const INFLATE = `
  const { inflateSource } = await import(process.argv[1]);
  const { fileSource } = await import(process.argv[2]);
  await using source = await fileSource(process.argv[3]);
  const before = process.resourceUsage().maxRSS;
  const { body } = await inflateSource(source, 0, Infinity);
  console.log(JSON.stringify([body.sizeBytes, (process.resourceUsage().maxRSS - before) * 1024]));
`;

it("has what was inflated in memory once", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "deflated");
  await writeFile(path, deflateRawSync(Buffer.alloc(192 * MB)));
  const modules = ["./inflate.ts", "./sources.ts"].map((name) => new URL(name, import.meta.url).href);
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "-e",
    INFLATE,
    ...modules,
    path,
  ]);
  const [sizeBytes, grownBytes] = z.tuple([z.number(), z.number()]).parse(JSON.parse(stdout));
  expect(sizeBytes).toBe(192 * MB);
  expect(grownBytes).toBeLessThan(1.4 * sizeBytes);
});
