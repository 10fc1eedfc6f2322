import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { deliveryOf } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { syncFile } from "../../units/durable-files.ts";
import { type Placing, placeFile } from "./place-file.ts";

vi.mock("../../units/durable-files.ts", { spy: true });

/** Another file system than that of temporary folders, on Linux. */
const ELSEWHERE = "/dev/shm";

async function place(file: DeidentifiedFile, folder: string, placing: Placing): Promise<string> {
  const target = join(folder, "placed.dcm");
  const temporary = async () => join(folder, "growing.dcm");
  await placeFile(placing, { isHandedOver: true }, file, { isTaken: false, target, temporary });
  return target;
}

async function oneFile(folder: string): Promise<DeidentifiedFile> {
  const [file] = (await deliveryOf(folder, 1)).files;
  if (file === undefined) throw new Error("no file");
  return file;
}

it.skipIf(!existsSync(ELSEWHERE))("copies to another file system, which is asked for a second name once", async () => {
  await using source = await temporaryFolder();
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(ELSEWHERE, "radferry-test-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const file = await oneFile(source.path);
  const placing: Placing = { links: "untried", clones: "untried" };
  const target = await place(file, folder, placing);
  expect(await readFile(target)).toEqual(await readFile(file.path));
  expect((await stat(target)).mode & 0o777).toBe(0o644);
  expect(placing.links).toBe("refused");
});

it("replaces as a whole what somebody else put there in the meantime", async () => {
  await using source = await temporaryFolder();
  await using target = await temporaryFolder();
  const file = await oneFile(source.path);
  await writeFile(join(target.path, "placed.dcm"), "half");
  const placing: Placing = { links: "untried", clones: "untried" };
  const placed = await place(file, target.path, placing);
  expect(await readFile(placed)).toEqual(await readFile(file.path));
  expect((await stat(placed)).ino).not.toBe((await stat(file.path)).ino);
  expect(placing.links).toBe("untried");
});

it("gives a copy that is cut short no name: who looks into the folder would take it for whole", async () => {
  await using source = await temporaryFolder();
  await using target = await temporaryFolder();
  const file = await oneFile(source.path);
  await truncate(file.path, file.sizeBytes - 2);
  const placed = place(file, target.path, { links: "refused", clones: "untried" });
  await expect(placed).rejects.toMatchObject({ code: "DELIVERY_FILE_CHANGED" });
  expect(await readdir(target.path)).toEqual(["growing.dcm"]);
});

it.each(["untried", "refused"] as const)(
  "has the bytes on the disk before they get their name (links: %s)",
  async (links) => {
    await using source = await temporaryFolder();
    await using target = await temporaryFolder();
    const file = await oneFile(source.path);
    const named: boolean[] = [];
    vi.mocked(syncFile).mockImplementationOnce(
      async () => void named.push(existsSync(join(target.path, "placed.dcm"))),
    );
    await place(file, target.path, { links, clones: "untried" });
    expect(named).toEqual([false]);
    const full = Object.assign(new Error("EIO"), { code: "EIO", syscall: "fdatasync" });
    vi.mocked(syncFile).mockRejectedValueOnce(full);
    await rm(join(target.path, "placed.dcm"));
    await expect(place(file, target.path, { links, clones: "untried" })).rejects.toThrow("EIO");
    expect(existsSync(join(target.path, "placed.dcm"))).toBe(false);
  },
);
