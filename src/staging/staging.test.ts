import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SmallObject, smallObject } from "../../test/support/small-object.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { systemDisk } from "../units/disk.ts";
import { openStagingArea } from "./open-staging.ts";
import type { StagedInstance, StagingArea } from "./staging-area.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const object = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.1" });

function openAt(path: string, reserveBytes = 0): Promise<StagingArea> {
  return openStagingArea({ path, reserveBytes, disk: systemDisk });
}

async function stage(
  staging: StagingArea,
  { bytes, ...facts }: SmallObject,
  options: { readonly announcedAs?: string; readonly admit?: boolean; readonly cutTo?: number } = {},
): Promise<StagedInstance> {
  const sopInstanceUid = options.announcedAs ?? facts.sopInstanceUid;
  const file = await staging.begin({ ...facts, sopInstanceUid, sourceAeTitle: "PACS" });
  const sent = bytes.subarray(0, options.cutTo ?? bytes.length);
  for (let start = 0; start < sent.length; start += 100) await file.write(sent.subarray(start, start + 100));
  return await file.commit(() => options.admit ?? true);
}

it("gives an instance its name once it is whole, and leaves nothing temporary", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const staged = await stage(staging, object);
  expect(staged).toMatchObject({ studyInstanceUid: STUDY, sopInstanceUid: "1.2.3.1.1", modality: "CT" });
  expect(staged.path).toBe(join(folder.path, "studies", STUDY, "1.2.3.1.1.dcm"));
  expect((await readFile(staged.path)).subarray(-object.bytes.length)).toEqual(object.bytes);
  expect(await readdir(join(folder.path, "incoming"))).toEqual([]);
  expect(await staging.list(STUDY)).toEqual([staged]);
});

describe("an instance is refused, and leaves nothing behind,", () => {
  it.each([
    ["when it is cut short", { cutTo: object.bytes.length - 10 }, "INSTANCE_UNREADABLE"],
    ["when its UID is not the one it was announced as", { announcedAs: "1.2.3.9" }, "INSTANCE_MISMATCH"],
    ["when nobody asked for it", { admit: false }, "INSTANCE_UNSOLICITED"],
  ])("%s", async (_, options, code) => {
    await using folder = await temporaryFolder();
    await using staging = await openAt(folder.path);
    await expect(stage(staging, object, options)).rejects.toThrow(expect.objectContaining({ code }));
    expect(await staging.list(STUDY)).toEqual([]);
    expect(await readdir(join(folder.path, "incoming"))).toEqual([]);
  });

  it("when its UID is no UID but a path", async () => {
    await using folder = await temporaryFolder();
    await using staging = await openAt(folder.path);
    const evil = smallObject({ study: "../../evil", series: "1.2.3.1", instance: "1.2.3.1.1" });
    await expect(stage(staging, evil)).rejects.toThrow(expect.objectContaining({ code: "INSTANCE_MISMATCH" }));
    expect(await readdir(folder.path)).toEqual(["incoming", "studies"]);
  });
});

it("keeps the first of two, also when the second is cut short", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const first = await stage(staging, object);
  const before = await readFile(first.path);
  await expect(stage(staging, object, { cutTo: 200 })).rejects.toThrow();
  expect(await stage(staging, object)).toEqual(first);
  expect(await readFile(first.path)).toEqual(before);
});

describe("after a restart", () => {
  it("trusts what was synced without looking into it, and drops what arrived last and is not whole", async () => {
    await using folder = await temporaryFolder();
    const second = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.2" });
    {
      await using staging = await openAt(folder.path);
      await stage(staging, object);
      await staging.sync(STUDY);
      const { path } = await stage(staging, second);
      await truncate(path, 700);
    }
    await writeFile(join(folder.path, "incoming", "left.part"), "");
    await using staging = await openAt(folder.path);
    expect((await staging.list(STUDY)).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(["1.2.3.1.1"]);
    expect(await readdir(join(folder.path, "studies", STUDY))).toEqual(["1.2.3.1.1.dcm", "manifest.json"]);
    expect(await readdir(join(folder.path, "incoming"))).toEqual([]);
  });
});

it("says when the disk is below its reserve", async () => {
  await using folder = await temporaryFolder();
  await using roomy = await openAt(folder.path, 1);
  expect(await roomy.isBelowReserve()).toBe(false);
  await using full = await openAt(folder.path, Number.MAX_SAFE_INTEGER);
  expect(await full.isBelowReserve()).toBe(true);
});
