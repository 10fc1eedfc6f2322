import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { syncFolder } from "../units/durable-files.ts";
import { type BytesToWrite, createPackFile, writeHere } from "./pack-file.ts";

vi.mock("../units/durable-files.ts", { spy: true });
afterEach(() => vi.clearAllMocks());

const SIZES = { packBytes: 1_000_000, extentBytes: 8_192 };
const diskError = (): Error => Object.assign(new Error("EIO"), { code: "EIO", syscall: "fdatasync" });

it("has a name that survives a power cut before anything is added", async () => {
  await using folder = await temporaryFolder();
  const pack = await createPackFile(folder.path, SIZES, writeHere);
  expect(vi.mocked(syncFolder).mock.calls).toEqual([[folder.path]]);
  await pack.close();
});

it("is full where the disk takes less than it is given and says nothing", async () => {
  const file = { writev: async () => ({ bytesWritten: 3 }) } as unknown as BytesToWrite["file"];
  const written = writeHere({ file, pieces: [Buffer.from("patient")], zeroBytes: 0, offset: 0 });
  await expect(written).rejects.toThrow(expect.objectContaining({ code: "STAGING_FULL" }));
});

it("adds nothing more to a pack that could not be written to", async () => {
  await using folder = await temporaryFolder();
  const pack = await createPackFile(folder.path, SIZES, () => Promise.reject(diskError()));
  await expect(pack.append([[Buffer.from("patient")]])).rejects.toThrow("EIO");
  expect(pack.isBroken()).toBe(true);
  await pack.close();
});

/** A pack whose syncs end as told, one after the other; what it holds when it is cut is `cut`. */
async function hesitantPack(folder: string) {
  const syncs: PromiseWithResolvers<void>[] = [];
  const seen = { cut: "" };
  const pack = await createPackFile(folder, SIZES, async (bytes) => {
    await writeHere(bytes);
    const { file } = bytes;
    file.datasync = () => {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    };
    const truncate = file.truncate.bind(file);
    file.truncate = async (length) => {
      seen.cut = await readFile(join(folder, pack.id), "latin1");
      await truncate(length);
    };
  });
  return { pack, syncs, seen, left: () => readFile(join(folder, pack.id), "latin1") };
}

it("answers nobody whose sync comes behind one that failed: the disk would say that all is well", async () => {
  await using folder = await temporaryFolder();
  const { pack, syncs } = await hesitantPack(folder.path);
  const first = await pack.append([[Buffer.from("first")]]);
  const second = await pack.append([[Buffer.from("second")]]);
  expect(syncs).toHaveLength(1);
  syncs[0]?.reject(diskError());
  await expect(first.survives).rejects.toThrow("EIO");
  await expect(second.survives).rejects.toThrow(expect.objectContaining({ code: "STAGING_UNAVAILABLE" }));
  expect([pack.isBroken(), syncs.length]).toEqual([true, 1]);
  await pack.close();
});

it("keeps what was synced and no more, and overwrites the rest before it cuts it off", async () => {
  await using folder = await temporaryFolder();
  const { pack, syncs, seen, left } = await hesitantPack(folder.path);
  const first = await pack.append([[Buffer.from("first")]]);
  const second = await pack.append([[Buffer.from("second")]]);
  syncs[0]?.resolve();
  await first.survives;
  await expect.poll(() => syncs.length).toBe(2);
  syncs[1]?.reject(diskError());
  await expect(second.survives).rejects.toThrow("EIO");
  await pack.close();
  expect(await left()).toBe(`first${"\0".repeat(4_091)}`);
  expect(seen.cut).not.toContain("second");
});
