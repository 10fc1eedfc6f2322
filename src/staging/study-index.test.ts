import { readdir, rm, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { smallObject } from "../../test/support/small-object.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { systemDisk } from "../units/disk.ts";
import { syncFile, syncFolder, writeFileDurably } from "../units/durable-files.ts";
import { openStagingArea } from "./open-staging.ts";
import { readStagedInstance } from "./read-staged-instance.ts";
import type { StagedInstance, StagingArea } from "./staging-area.ts";

vi.mock("../units/durable-files.ts", { spy: true });
vi.mock("node:fs/promises", { spy: true });
vi.mock("./read-staged-instance.ts", { spy: true });
afterEach(() => vi.clearAllMocks());

const STUDY = parseStudyInstanceUid("1.2.3");
const unavailable = expect.objectContaining({ code: "STAGING_UNAVAILABLE" });
const diskError = (): Error => Object.assign(new Error("EIO"), { code: "EIO", syscall: "read" });
const openAt = (path: string) => openStagingArea({ path, reserveBytes: 0, disk: systemDisk });

async function stage(staging: StagingArea): Promise<StagedInstance> {
  const { bytes, ...facts } = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.1" });
  const file = await staging.begin({ ...facts, sourceAeTitle: "PACS" });
  await file.write(bytes);
  return await file.commit(() => true);
}

it("syncs files, then their names and that of their folder, and only then writes what vouches for them", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const { path } = await stage(staging);
  await staging.sync(STUDY);
  const spies = [vi.mocked(syncFile), vi.mocked(syncFolder), vi.mocked(writeFileDurably)];
  const calls = spies.flatMap(({ mock }) =>
    mock.calls.map(([of], index) => ({ of, turn: mock.invocationCallOrder[index] ?? 0 })),
  );
  const studies = join(folder.path, "studies");
  const expected = [path, join(studies, STUDY), studies, join(studies, STUDY, "manifest.json")];
  expect(calls.sort((a, b) => a.turn - b.turn).map(({ of }) => of)).toEqual(expected);
});

it("says so where the disk does not sync a file, and syncs it the next time", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const staged = await stage(staging);
  vi.mocked(syncFile).mockRejectedValueOnce(diskError());
  await expect(staging.sync(STUDY)).rejects.toThrow(unavailable);
  expect(writeFileDurably).not.toHaveBeenCalled();
  expect(await staging.list(STUDY)).toEqual([staged]);
  await staging.sync(STUDY);
  expect(writeFileDurably).toHaveBeenCalledOnce();
});

it("takes no file away that the disk cannot read just now, and reads it the next time", async () => {
  await using folder = await temporaryFolder();
  {
    await using staging = await openAt(folder.path);
    await stage(staging);
  }
  await using staging = await openAt(folder.path);
  vi.mocked(readStagedInstance).mockRejectedValueOnce(diskError());
  await expect(staging.list(STUDY)).rejects.toThrow(unavailable);
  vi.mocked(readdir).mockRejectedValueOnce(diskError());
  await expect(staging.list(STUDY)).rejects.toThrow(unavailable);
  expect(await staging.list(STUDY)).toHaveLength(1);
});

it("does not trust a synced file that is shorter since, whatever its time says", async () => {
  await using folder = await temporaryFolder();
  {
    await using staging = await openAt(folder.path);
    const { path } = await stage(staging);
    await utimes(path, 1_700_000_000, 1_700_000_000);
    await staging.sync(STUDY);
    await truncate(path, 700);
    await utimes(path, 1_700_000_000, 1_700_000_000);
  }
  await using staging = await openAt(folder.path);
  expect(await staging.list(STUDY)).toEqual([]);
});

it("takes in again what was removed, at once, or once it was looked for where that was by hand", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const byHand = async ({ path }: StagedInstance): Promise<void> => {
    await rm(path);
    expect(await staging.list(STUDY)).toEqual([]);
  };
  for (const remove of [byHand, staging.removeInstance, () => staging.removeStudy(STUDY)]) {
    const staged = await stage(staging);
    await staging.sync(STUDY);
    await remove(staged);
    await stage(staging);
    expect(await staging.list(STUDY)).toEqual([staged]);
  }
});
