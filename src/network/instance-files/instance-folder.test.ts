import { randomBytes, randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { systemClock } from "../../units/clock.ts";
import { memoryStore, writeLent } from "./incoming.ts";
import { openInstanceFolder } from "./instance-folder.ts";

const EMPTY = Buffer.alloc(0);

/** In one lot, in two, and in many; beyond what is written on the calling thread. */
const SIZES = [
  ["nothing", []],
  ["one lot", [3_000]],
  ["two lots", [100_000, 20_000]],
  ["as much as is held", [1_000, 65_000, 65_072]],
  ["one byte more than is held", [65_537, 65_535, 1]],
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
    // As a reader lends them: in memory that others write to as soon as they are taken.
    for (const lot of lots) {
      const lent = [Uint8Array.from(lot.subarray(0, 7)), Uint8Array.from(lot.subarray(7))];
      await incoming.write(lent);
      for (const piece of lent) piece.fill(0);
    }
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

  it("tells whoever asks that it could not be written", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "inner");
    const store = await openInstanceFolder(path, systemClock, { blocking });
    await rm(path, { recursive: true });
    const failure = { code: "FOLDER_NOT_WRITABLE", details: { reason: "ENOENT" } };
    const incoming = await store.begin();
    await incoming.write([randomBytes(20_000)]);
    await expect(incoming.write([randomBytes(200_000)])).rejects.toMatchObject(failure);
    await expect(incoming.write([randomBytes(1)])).rejects.toMatchObject(failure);
    await expect(incoming.keep("1.2.3")).rejects.toMatchObject(failure);
    await expect(incoming.source().read(199_000, 5)).rejects.toMatchObject(failure);
    await incoming.discard();
  });

  it("keeps apart what comes at the same time, and one after the other", async () => {
    await using folder = await temporaryFolder();
    const store = await openInstanceFolder(folder.path, systemClock, { blocking });
    for (let turn = 0; turn < 3; turn += 1) {
      const whole = Array.from({ length: 12 }, () => randomBytes(90_000));
      const coming = await Promise.all(whole.map(() => store.begin()));
      for (const [from, to] of [
        [0, 10],
        [10, 66_000],
        [66_000, 90_000],
      ] as const) {
        for (const [index, incoming] of coming.entries())
          await incoming.write([whole[index]?.subarray(from, to) ?? EMPTY]);
      }
      for (const [index, incoming] of coming.entries()) {
        expect(
          Buffer.from(await incoming.source().read(5, 1_000)).equals(whole[index]?.subarray(5, 1_005) ?? EMPTY),
        ).toBe(true);
        const looked = await incoming.source().read(0, 9);
        if (index % 3 > 0)
          expect((await readFile(await incoming.keep(`1.${turn}.${index}`))).equals(whole[index] ?? EMPTY)).toBe(true);
        // Whoever keeps it may still look at it; nobody sees another's.
        expect(Buffer.from(looked)).toEqual(whole[index]?.subarray(0, 9));
        await incoming.discard();
        expect(looked.length).toBe(0);
      }
    }
    expect((await readdir(folder.path)).length).toBe(3 * 8);
  });
});

it("a folder is opened while somebody else gives what comes into it its names", async () => {
  await using folder = await temporaryFolder();
  const parts = Array.from({ length: 300 }, () => join(folder.path, `.incoming-${randomUUID()}.part`));
  for (const part of parts) await writeFile(part, "");
  const opening = openInstanceFolder(folder.path, systemClock);
  for (const [index, part] of parts.entries()) await rename(part, join(folder.path, `1.2.${index}.dcm`));
  await expect(opening).resolves.toBeDefined();
});

it("a store that keeps what it is given is given copies of what is lent", async () => {
  const store = memoryStore(1_000, () => new Error("too large"));
  const incoming = await store.begin();
  const lent = Buffer.from("lent");
  for (const word of ["one ", "two "]) {
    lent.write(word);
    await writeLent(incoming, [lent]);
  }
  lent.fill(0);
  expect((await incoming.keep("1.2.3")).toString()).toBe("one two ");
});
