import { randomBytes } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { systemClock } from "../../units/clock.ts";
import { noteRead } from "../http-client/read-memory.ts";
import { openInstanceFolder } from "./instance-folder.ts";

/** In one lot, in two, and in many; beyond what is written on the calling thread. */
const SIZES = [
  ["nothing", []],
  ["one lot", [3_000]],
  ["two lots", [100_000, 20_000]],
  ["many lots", [300_000, 1, 70_000, 200_000, 65_536, 500_000]],
  ["a long lot and a short one", [1_048_576, 3_000_000, 1]],
] as const;

describe.each([true, false])("a folder of instances, blocking: %s", (blocking) => {
  it.each(SIZES)("keeps an instance of %s as it came", async (_, sizes) => {
    await using folder = await temporaryFolder();
    const store = await openInstanceFolder(folder.path, systemClock, { blocking });
    const lots = sizes.map((size) => randomBytes(size));
    const whole = Buffer.concat(lots);
    const incoming = await store.begin();
    for (const lot of lots) await incoming.write([lot.subarray(0, 7), lot.subarray(7)]);
    const source = incoming.source();
    expect(source.sizeBytes).toBe(whole.length);
    for (const offset of [0, 65_530, 131_072, 1_048_574, whole.length - 5]) {
      if (offset < 0 || offset + 5 > whole.length) continue;
      expect(Buffer.from(await source.read(offset, 5))).toEqual(whole.subarray(offset, offset + 5));
    }
    expect(await incoming.keep("1.2.3")).toBe(join(folder.path, "1.2.3.dcm"));
    expect(await readdir(folder.path)).toEqual(["1.2.3.dcm"]);
    expect((await readFile(join(folder.path, "1.2.3.dcm"))).equals(whole)).toBe(true);
  });

  it.each(SIZES)("keeps nothing of an instance of %s that is not wanted", async (_, sizes) => {
    await using folder = await temporaryFolder();
    const incoming = await (await openInstanceFolder(folder.path, systemClock, { blocking })).begin();
    for (const size of sizes) await incoming.write([randomBytes(size)]);
    await incoming.discard();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("tells the next who asks that what came before could not be written", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "inner");
    const store = await openInstanceFolder(path, systemClock, { blocking });
    await rm(path, { recursive: true });
    const begun = async () => {
      const incoming = await store.begin();
      await incoming.write([randomBytes(200_000)]);
      await incoming.write([randomBytes(200_000)]);
      return incoming;
    };
    const failure = { code: "FOLDER_NOT_WRITABLE", details: { reason: "ENOENT" } };
    await expect((await begun()).write([randomBytes(1)])).rejects.toMatchObject(failure);
    await expect((await begun()).keep("1.2.3")).rejects.toMatchObject(failure);
    await expect((await begun()).source().read(399_000, 5)).rejects.toMatchObject(failure);
    await (await begun()).discard();
  });
});

it("memory that an instance was read into is given back when it is written, but for what others may lie in", async () => {
  await using folder = await temporaryFolder();
  const store = await openInstanceFolder(folder.path, systemClock);
  const reads = Array.from({ length: 8 }, () => Uint8Array.from(randomBytes(100_000)));
  const whole = Buffer.concat(reads);
  for (const read of reads) noteRead(read);
  const incoming = await store.begin();
  for (let lot = 0; lot < reads.length; lot += 4) {
    await incoming.write(
      reads.slice(lot, lot + 4).flatMap((read) => [read.subarray(0, 30_000), read.subarray(30_000)]),
    );
  }
  await incoming.keep("1.2.3");
  expect((await readFile(join(folder.path, "1.2.3.dcm"))).equals(whole)).toBe(true);
  expect(reads.map(({ length }) => length)).toEqual([100_000, 0, 0, 0, 0, 0, 0, 100_000]);
});
