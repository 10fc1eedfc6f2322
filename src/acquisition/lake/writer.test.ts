import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { BLOCK_BYTES, BLOCKS } from "./protocol.ts";
import { startLakeWriter } from "./writer.ts";

const MORE_THAN_BLOCKS = new Uint8Array((2 * BLOCKS + 1) * BLOCK_BYTES);

it("lets go of who waits for room in a file that is discarded meanwhile", async () => {
  await using folder = await temporaryFolder();
  await using writer = startLakeWriter();
  const file = await writer.begin(join(folder.path, "one.part"));
  const writing = file.write(MORE_THAN_BLOCKS);
  expect(writing).toBeInstanceOf(Promise);
  await Promise.allSettled([writing, file.discard()]);
  expect(await readdir(folder.path)).toEqual([]);
});

it("ends no file that is discarded already", async () => {
  await using folder = await temporaryFolder();
  await using writer = startLakeWriter();
  const file = await writer.begin(join(folder.path, "one.part"));
  await file.discard();
  await expect(file.finish()).rejects.toMatchObject({ code: "SCAN_TRANSFER_CUT" });
});

it("fails what grows when its thread is gone, and what is given up then is given up at once", async () => {
  await using folder = await temporaryFolder();
  const writer = startLakeWriter();
  const file = await writer.begin(join(folder.path, "one.part"));
  await writer[Symbol.asyncDispose]();
  expect(() => file.write(new Uint8Array(1))).toThrow(expect.objectContaining({ code: "SCAN_LAKE_UNAVAILABLE" }));
  await file.discard();
  await expect(writer.begin(join(folder.path, "two.part"))).rejects.toMatchObject({ code: "SCAN_LAKE_UNAVAILABLE" });
});
