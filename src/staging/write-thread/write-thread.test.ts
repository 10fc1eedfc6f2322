import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mountSmallDisk } from "../../../test/support/small-disk.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { asStagingError } from "../staging-error.ts";
import { createWriteThread } from "./write-thread.ts";

function shared(text: string): Buffer {
  const bytes = Buffer.from(new SharedArrayBuffer(text.length));
  bytes.write(text);
  return bytes;
}

it("writes shared memory and other memory where it belongs, with zeros behind it", async () => {
  await using folder = await temporaryFolder();
  await using thread = createWriteThread();
  const path = join(folder.path, "pack");
  await using file = await open(path, "wx");
  const whole = Buffer.from("other memory of a larger piece");
  await Promise.all([
    thread.write({ file, pieces: [shared("x".repeat(200_000)), whole.subarray(0, 12)], zeroBytes: 3, offset: 5 }),
    thread.write({ file, pieces: [shared("first")], zeroBytes: 0, offset: 0 }),
  ]);
  expect(await readFile(path, "latin1")).toBe(`first${"x".repeat(200_000)}other memory\0\0\0`);
});

it("passes on what the disk says", async () => {
  await using folder = await temporaryFolder();
  await using thread = createWriteThread();
  await using file = await open(join(folder.path, "pack"), "wx");
  await using onlyRead = await open(join(folder.path, "pack"), "r");
  const refused = thread.write({ file: onlyRead, pieces: [Buffer.from("a")], zeroBytes: 0, offset: 0 });
  const thrown: unknown = await refused.catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: "EBADF" });
  expect(asStagingError(thrown)).toMatchObject({ code: "STAGING_UNAVAILABLE" });
  await thread.write({ file, pieces: [Buffer.from("b")], zeroBytes: 0, offset: 0 });
});

it.runIf(process.platform === "linux")("says so when the disk is full", async () => {
  await using thread = createWriteThread();
  await using file = await open("/dev/full", "r+");
  const refused = thread.write({ file, pieces: [Buffer.from("a")], zeroBytes: 0, offset: 0 });
  expect(asStagingError(await refused.catch((error: unknown) => error))).toMatchObject({ code: "STAGING_FULL" });
});

it("says that the disk is full, too, where it took some of it", async ({ skip }) => {
  using disk = mountSmallDisk(64);
  if (disk === undefined) return skip();
  await using thread = createWriteThread();
  await using file = await open(join(disk.path, "pack"), "wx");
  const refused = thread.write({ file, pieces: [shared("x".repeat(200_000))], zeroBytes: 0, offset: 5 });
  await expect(refused).rejects.toThrow(expect.objectContaining({ code: "STAGING_FULL" }));
});

it("answers what comes while the thread ends", async () => {
  await using folder = await temporaryFolder();
  await using file = await open(join(folder.path, "pack"), "wx");
  const thread = createWriteThread();
  await thread.write({ file, pieces: [Buffer.from("in time")], zeroBytes: 0, offset: 0 });
  const ending = thread[Symbol.asyncDispose]();
  const late = thread.write({ file, pieces: [Buffer.from("late")], zeroBytes: 0, offset: 7 });
  await expect(late).rejects.toThrow(expect.objectContaining({ code: "STAGING_UNAVAILABLE" }));
  await ending;
});

it("leaves the writing to its caller once the thread is gone", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pack");
  await using file = await open(path, "wx");
  const thread = createWriteThread();
  await thread.write({ file, pieces: [Buffer.from("by the thread, ")], zeroBytes: 0, offset: 0 });
  await thread[Symbol.asyncDispose]();
  await thread.write({ file, pieces: [Buffer.from("then here")], zeroBytes: 0, offset: 15 });
  expect(await readFile(path, "utf8")).toBe("by the thread, then here");
});
