import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Clock } from "../units/clock.ts";
import { type BytesToWrite, type WriteBytes, writeHere } from "./pack-file.ts";
import { createPackWriter, type PackWriter } from "./pack-writer.ts";

const SIZES = { packBytes: 1_000_000, extentBytes: 8_192 };
/** Nobody waits so long. */
const clock: Clock = { nowMs: () => 0, sleep: () => new Promise(() => {}) };
const diskError = (syscall: string): Error => Object.assign(new Error("EIO"), { code: "EIO", syscall });
const text = (bytes: BytesToWrite): string => Buffer.concat(bytes.pieces).toString();
const add = (writer: PackWriter, of: string) => writer.append([Buffer.from(of)]);

async function site(write: WriteBytes) {
  const folder = await temporaryFolder();
  const writer = createPackWriter({ folder: folder.path, sizes: SIZES, write, clock });
  return {
    writer,
    async everything(): Promise<string> {
      const files = await readdir(folder.path);
      return (await Promise.all(files.map((name) => readFile(join(folder.path, name), "latin1")))).join("|");
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

it("writes what comes next while a sync is under way, and answers each once its own sync has ended", async () => {
  const syncs: PromiseWithResolvers<void>[] = [];
  const written: string[] = [];
  await using at = await site(async (bytes) => {
    await writeHere(bytes);
    written.push(text(bytes));
    bytes.file.datasync = async () => {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      await sync.promise;
    };
  });
  const large = "a".repeat(100_000);
  const answered: string[] = [];
  const adding: Promise<unknown>[] = [];
  for (const name of ["first", "second", "third"]) {
    adding.push(add(at.writer, `${name} ${large}`).then(() => answered.push(name)));
    await expect.poll(() => written.length).toBe(adding.length);
  }
  expect([syncs.length, answered]).toEqual([1, []]);
  syncs[0]?.resolve();
  await adding[0];
  expect(answered).toEqual(["first"]);
  await expect.poll(() => syncs.length).toBe(2);
  syncs[1]?.resolve();
  await Promise.all(adding);
  expect(syncs.length).toBe(2);
});

it("answers nobody whose sync failed, trusts no later sync of that pack, and leaves none of it behind", async () => {
  let failures = 0;
  await using at = await site(async (bytes) => {
    await writeHere(bytes);
    if (failures > 0 || !text(bytes).startsWith("lost")) return;
    bytes.file.datasync = async () => {
      failures += 1;
      if (failures === 1) throw diskError("fdatasync");
    };
  });
  const kept = await add(at.writer, "kept");
  at.writer.settle(kept.pack);
  await expect(add(at.writer, "lost")).rejects.toThrow(expect.objectContaining({ syscall: "fdatasync" }));
  // Nobody has to add anything for it.
  await expect.poll(at.everything).not.toMatch(/lost/);
  const next = await add(at.writer, "next");
  expect(next.pack).not.toBe(kept.pack);
  expect([at.writer.isInUse(kept.pack), failures]).toEqual([false, 1]);
  at.writer.settle(next.pack);
  expect(await at.everything()).toMatch(/kept/);
  expect(await at.everything()).not.toMatch(/lost/);
});

it("writes each of a group alone that cannot be written together, and overwrites what was written of it", async () => {
  await using at = await site(async (bytes) => {
    await writeHere(bytes);
    if (text(bytes).includes("too much")) throw diskError("write");
  });
  const settled = await Promise.allSettled(["one", "too much", "two"].map((one) => add(at.writer, one)));
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  await at.writer[Symbol.asyncDispose]();
  const everything = await at.everything();
  expect(everything).toMatch(/one/);
  expect(everything).toMatch(/two/);
  expect(everything).not.toMatch(/too much/);
});

it("gathers small ones until those before have their names, large ones not", async () => {
  const groups: number[] = [];
  await using at = await site(async (bytes) => {
    await writeHere(bytes);
    groups.push(bytes.pieces.length);
  });
  const first = await add(at.writer, "small");
  const waiting = [add(at.writer, "small")];
  await new Promise(setImmediate);
  waiting.push(add(at.writer, "small"));
  expect(groups).toEqual([1]);
  at.writer.settle(first.pack);
  for (const { pack } of await Promise.all(waiting)) at.writer.settle(pack);
  expect(groups).toEqual([1, 2]);
  await add(at.writer, "large".repeat(20_000));
  await add(at.writer, "large".repeat(20_000));
  expect(groups).toEqual([1, 2, 1, 1]);
});

it("waits for names no longer than a moment", async () => {
  const folder = await temporaryFolder();
  await using _folder = folder;
  const waits: number[] = [];
  const sleep = async (durationMs: number): Promise<void> => void waits.push(durationMs);
  await using writer = createPackWriter({
    ...{ folder: folder.path, sizes: SIZES, write: writeHere },
    clock: { nowMs: () => 0, sleep },
  });
  await add(writer, "whose naming hangs");
  await add(writer, "small");
  expect(waits).toEqual([10]);
});
