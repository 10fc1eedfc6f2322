import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { FileSource } from "../../dicom/sources.ts";
import { neverAborted } from "../../units/abort.ts";
import { createManualClock, type ManualClock } from "../../units/manual-clock.testing.ts";
import { type CountingFiles, countingFiles, readAll } from "./counting-files.testing.ts";
import { createSharedReading, type SharedReading } from "./shared-reading.ts";
import { CHUNK_BYTES, type StagedCopy } from "./staged-copy.ts";
import type { StudyReading } from "./study-reading.ts";

const signal = neverAborted();
const WINDOW_CHUNKS = 8;
const PATIENCE_MS = 2_000;
const HELD_UP_MS = 10_000;

let clock: ManualClock;
let counted: CountingFiles;
beforeEach(() => {
  clock = createManualClock();
  counted = countingFiles(madeUp);
});

/** A file whose size stands in its path, each byte of a chunk the number of the chunk. */
async function madeUp(path: string): Promise<FileSource> {
  const sizeBytes = Number(path.split("-")[1]);
  const readInto = async (target: Uint8Array, offset: number) => {
    const count = Math.min(target.length, sizeBytes - offset);
    target.fill(Math.floor(offset / CHUNK_BYTES) % 256, 0, count);
    return count;
  };
  const read = async (offset: number, length: number) => {
    const bytes = Buffer.alloc(length);
    await readInto(bytes, offset);
    return bytes;
  };
  return { sizeBytes, readInto, read, async [Symbol.asyncDispose]() {} };
}

const sums = new Map<number, string>();

function copyOf(name: string, sizeBytes: number): StagedCopy {
  let sha256 = sums.get(sizeBytes);
  if (sha256 === undefined) {
    const hash = createHash("sha256");
    for (let start = 0; start < sizeBytes; start += CHUNK_BYTES)
      hash.update(Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes - start), (start / CHUNK_BYTES) % 256));
    sha256 = hash.digest("hex");
    sums.set(sizeBytes, sha256);
  }
  return { path: `${name}-${sizeBytes}`, sizeBytes, sha256 };
}

function copiesOf(count: number, sizeBytes: number): readonly StagedCopy[] {
  return Array.from({ length: count }, (_, index) => copyOf(`file${String(index).padStart(3, "0")}`, sizeBytes));
}

function share(copies: readonly StagedCopy[]): SharedReading {
  return createSharedReading(copies, signal, { clock, open: counted.open });
}

/** Lets all that waits for nothing but the disk and each other come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
}

/** Reads the first chunks of a file, and no more until told. */
async function begin(reading: StudyReading, copy: StagedCopy, chunks: number) {
  const iterator = reading.read(copy)[Symbol.asyncIterator]();
  const found: Uint8Array[] = [];
  const take = async (): Promise<boolean> => {
    const { done, value } = await iterator.next();
    if (done !== true) found.push(value);
    return done !== true;
  };
  for (let index = 0; index < chunks; index += 1) await take();
  return {
    take,
    async rest(): Promise<Buffer> {
      while (await take());
      return Buffer.concat(found);
    },
    abandon: () => iterator.return?.(),
  };
}

function whole({ sizeBytes, sha256 }: StagedCopy) {
  return (bytes: Buffer | undefined): boolean =>
    bytes?.length === sizeBytes && createHash("sha256").update(bytes).digest("hex") === sha256;
}

const SMALL = 300_000;
const LARGE = 12 * CHUNK_BYTES + 5;

describe("destinations in step", () => {
  it.each([
    { files: 40, sizeBytes: SMALL },
    { files: 3, sizeBytes: LARGE },
    { files: 4, sizeBytes: CHUNK_BYTES },
  ])("get $files files of $sizeBytes bytes out of one reading of each", async ({ files, sizeBytes }) => {
    const copies = copiesOf(files, sizeBytes);
    await using sharing = share(copies);
    const three = [sharing.join(), sharing.join(), sharing.join()];
    for (const contents of await Promise.all(three.map((reading) => readAll(reading, copies))))
      expect(contents.every((bytes, index) => whole(copies[index] ?? copyOf("", 0))(bytes))).toBe(true);
    expect(counted).toMatchObject({ readBytes: files * sizeBytes, openNow: 0 });
    expect(counted.opened).toEqual(copies.map(({ path }) => path));
  });

  it("are in step also when one takes four files at once and the other one after the other", async () => {
    const copies = copiesOf(4, LARGE);
    await using sharing = share(copies);
    const wide = sharing.join();
    const narrow = sharing.join();
    const atOnce = Promise.all(copies.map(async (copy) => Buffer.concat(await Array.fromAsync(wide.read(copy)))));
    const [, contents] = await Promise.all([atOnce, readAll(narrow, copies)]);
    expect(contents.map((bytes) => bytes.length)).toEqual(copies.map(({ sizeBytes }) => sizeBytes));
    expect(counted.opened.length).toBe(4);
    expect(clock.nowMs()).toBe(0);
  });

  it("need no more memory than the window, and one chunk each, for a file of any size", async () => {
    const [copy = copyOf("", 0)] = copiesOf(1, 50 * CHUNK_BYTES);
    await using sharing = share([copy]);
    const fast = sharing.join();
    const slow = await begin(sharing.join(), copy, 1);
    const reading = await begin(fast, copy, 1);
    const all = reading.rest();
    await settle();
    expect(counted.readBytes).toBe((WINDOW_CHUNKS + 1) * CHUNK_BYTES);
    const [one, other] = await Promise.all([all, slow.rest()]);
    expect([one, other].every(whole(copy))).toBe(true);
    expect(counted.readBytes).toBe(copy.sizeBytes);
  });
});

describe("a destination that", () => {
  it("stalls is waited for as long as the limit says, and reads on from where it is when it wakes up", async () => {
    const [copy = copyOf("", 0)] = copiesOf(1, LARGE);
    await using sharing = share([copy]);
    const other = sharing.join();
    const stalled = await begin(sharing.join(), copy, 3);
    const done = readAll(other, [copy]);
    await settle();
    expect(counted.readBytes).toBe((3 + WINDOW_CHUNKS) * CHUNK_BYTES);
    await clock.advance(PATIENCE_MS);
    expect((await done).every(whole(copy))).toBe(true);
    expect(whole(copy)(await stalled.rest())).toBe(true);
    expect(counted.opened).toEqual([copy.path, copy.path]);
    expect(counted.readBytes).toBe(copy.sizeBytes + (copy.sizeBytes - 3 * CHUNK_BYTES));
  });

  it("is slow, and always takes a little, holds the others up for so long in all and no longer", async () => {
    const [copy = copyOf("", 0)] = copiesOf(1, 40 * CHUNK_BYTES);
    await using sharing = share([copy]);
    const slow = await begin(sharing.join(), copy, 1);
    let isDone = false;
    const fast = readAll(sharing.join(), [copy]).finally(() => {
      isDone = true;
    });
    let waitedMs = 0;
    while (!isDone && waitedMs < 10 * HELD_UP_MS) {
      await settle();
      await clock.advance(PATIENCE_MS / 2);
      waitedMs += PATIENCE_MS / 2;
      await slow.take();
    }
    expect((await fast).every(whole(copy))).toBe(true);
    expect(waitedMs).toBeGreaterThanOrEqual(HELD_UP_MS);
    expect(waitedMs).toBeLessThanOrEqual(HELD_UP_MS + PATIENCE_MS);
    expect(whole(copy)(await slow.rest())).toBe(true);
  });

  it("fails in the middle holds nobody up", async () => {
    const copies = copiesOf(3, LARGE);
    const [first = copyOf("", 0)] = copies;
    await using sharing = share(copies);
    const other = sharing.join();
    const failing = sharing.join();
    const begun = await begin(failing, first, 2);
    const done = readAll(other, copies);
    await settle();
    await begun.abandon();
    failing[Symbol.dispose]();
    expect((await done).map((bytes) => bytes.length)).toEqual([LARGE, LARGE, LARGE]);
    expect(counted).toMatchObject({ readBytes: 3 * LARGE, openNow: 0 });
    expect(clock.nowMs()).toBe(0);
  });

  it("gives one file up and goes on with the next is in step with that", async () => {
    const copies = copiesOf(2, LARGE);
    const [first = copyOf("", 0), second = copyOf("", 0)] = copies;
    await using sharing = share(copies);
    const one = sharing.join();
    const other = sharing.join();
    const begun = await begin(one, first, 2);
    await begun.abandon();
    const [, [bytes]] = await Promise.all([readAll(other, copies), readAll(one, [second])]);
    expect(whole(second)(bytes)).toBe(true);
    expect(counted.opened.toSorted()).toEqual([first.path, first.path, second.path]);
  });

  it("begins later shares what is still in the window, and reads the beginning by itself", async () => {
    const copies = copiesOf(12, CHUNK_BYTES);
    await using sharing = share(copies);
    const late = sharing.join();
    const early = readAll(sharing.join(), copies);
    await settle();
    await clock.advance(PATIENCE_MS);
    expect((await early).length).toBe(12);
    const contents = await readAll(late, copies);
    expect(contents.every((bytes, index) => whole(copies[index] ?? copyOf("", 0))(bytes))).toBe(true);
    expect(counted.opened.length).toBe(24);
  });

  it("begins later, all of the study being in the window, finds all of it there", async () => {
    const copies = copiesOf(WINDOW_CHUNKS - 2, CHUNK_BYTES);
    await using sharing = share(copies);
    const late = sharing.join();
    await readAll(sharing.join(), copies);
    await readAll(late, copies);
    expect(counted.opened.length).toBe(copies.length);
    expect(clock.nowMs()).toBe(0);
  });

  it("holds all but one file is not waited for with the others", async () => {
    const copies = copiesOf(30, CHUNK_BYTES);
    const last = copies.slice(-1);
    await using sharing = share(copies);
    const partial = sharing.join();
    partial.expects(last);
    const [contents] = await Promise.all([readAll(sharing.join(), copies), readAll(partial, last)]);
    expect(contents.length).toBe(30);
    expect(counted.opened.length).toBe(30);
    expect(clock.nowMs()).toBe(0);
  });

  it("takes a file in another way is not waited for with it", async () => {
    const copies = copiesOf(1, LARGE);
    await using sharing = share(copies);
    sharing.join().leavesOut(copies);
    await readAll(sharing.join(), copies);
    expect(counted.readBytes).toBe(LARGE);
  });

  it("reads a file a second time, as for a request that is sent anew, gets all of it", async () => {
    const [copy = copyOf("", 0)] = copiesOf(1, LARGE);
    await using sharing = share([copy]);
    const again = sharing.join();
    const other = sharing.join();
    await Promise.all([Array.fromAsync(again.read(copy)), Array.fromAsync(other.read(copy))]);
    expect(whole(copy)(Buffer.concat(await Array.fromAsync(again.read(copy))))).toBe(true);
    expect(counted).toMatchObject({ readBytes: 2 * LARGE, openNow: 0 });
  });
});

describe("files that are not what they were", () => {
  it.each([
    ["of another content", Buffer.alloc(10, 2), "sum"],
    ["of another size", Buffer.alloc(11, 1), "size"],
    ["that is gone", undefined, "reading"],
  ])("one %s is given to nobody whole", async (_, content, what) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "0.dcm");
    if (content !== undefined) await writeFile(path, content);
    const sha256 = createHash("sha256").update(Buffer.alloc(10, 1)).digest("hex");
    const copy = { path, sizeBytes: 10, sha256 };
    await using sharing = createSharedReading([copy], signal);
    const both = [sharing.join(), sharing.join()].map((reading) => Array.fromAsync(reading.read(copy)));
    for (const end of await Promise.allSettled(both))
      expect(end).toMatchObject({ status: "rejected", reason: { code: "DELIVERY_FILE_CHANGED", details: { what } } });
  });
});

it("ends with the job: who waits for room is told why", async () => {
  const [copy = copyOf("", 0)] = copiesOf(1, LARGE);
  const job = new AbortController();
  await using sharing = createSharedReading([copy], job.signal, { clock, open: counted.open });
  sharing.join();
  const waiting = readAll(sharing.join(), [copy]);
  waiting.catch(() => undefined);
  await settle();
  job.abort(new Error("cancelled"));
  await expect(waiting).rejects.toThrow("cancelled");
});
