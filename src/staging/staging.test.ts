import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SmallObject, smallObject } from "../../test/support/small-object.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { element, textElement } from "../dicom/values.ts";
import { systemDisk } from "../units/disk.ts";
import type { CreateFile } from "./incoming-file.ts";
import { openStagingArea } from "./open-staging.ts";
import { openOutbox } from "./outbox.ts";
import type { StagedInstance, StagingArea, TakeElsewhere } from "./staging-area.ts";

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

async function openAndSync(path: string): Promise<StagedInstance> {
  await using staging = await openAt(path);
  const staged = await stage(staging, object);
  await staging.sync(STUDY);
  return staged;
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

it("keeps one of two that arrive at the same time", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const other = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.1" }, [
    textElement(tags.PatientComments, "sent again after a change"),
  ]);
  const [one, another] = await Promise.all([stage(staging, object), stage(staging, other)]);
  expect(another).toEqual(one);
  expect((await stat(one.path)).size).toBe(one.sizeBytes);
  expect(await staging.list(STUDY)).toEqual([one]);
  expect(await readdir(join(folder.path, "incoming"))).toEqual([]);
});

it("syncs nothing of a study whose use is over, until more comes of it", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  await stage(staging, object);
  await staging.markSpent(STUDY);
  await staging.sync(STUDY);
  expect(await readdir(join(folder.path, "studies", STUDY))).toEqual(["1.2.3.1.1.dcm"]);
  await stage(staging, smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.2" }));
  await staging.sync(STUDY);
  expect(await staging.list(STUDY)).toHaveLength(2);
  expect(await readdir(join(folder.path, "studies", STUDY))).toContain("manifest.json");
});

it("forgets what was removed by hand, so that it is fetched again", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const { path } = await stage(staging, object);
  await rm(path);
  await staging.sync(STUDY);
  expect(await staging.list(STUDY)).toEqual([]);
  await stage(staging, object);
  expect(await staging.list(STUDY)).toHaveLength(1);
});

it("mixes up no bytes of instances that come side by side, and one after the other into the same memory", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const elsewhere = new Map<string, Buffer>();
  const takeElsewhere: TakeElsewhere = async ({ instance, pieces }) => {
    // Others come while it is kept.
    const other = await staging.begin({ ...object, sourceAeTitle: "PACS" });
    await other.write(randomBytes(700_000));
    await other.abort();
    if (pieces !== undefined) elsewhere.set(instance.sopInstanceUid, Buffer.concat(pieces));
  };
  // The last does not stay in memory.
  for (const sizeBytes of [100, 70_000, 600_000, 1_300_000]) {
    const objects = [1, 2, 3, 4].map((part) =>
      smallObject({ study: STUDY, series: "1.2.3.1", instance: `1.2.3.1.${sizeBytes}.${part}` }, [
        element(tags.EncapsulatedDocument, "OB", randomBytes(sizeBytes)),
      ]),
    );
    const files = await Promise.all(objects.map((each) => staging.begin({ ...each, sourceAeTitle: "PACS" })));
    for (let start = 0; start < sizeBytes + 1_000; start += 16_370)
      for (const [index, { bytes }] of objects.entries())
        await files[index]?.write(bytes.subarray(start, start + 16_370));
    await Promise.all(files.map((file, index) => file.commit(() => index % 2 === 0, takeElsewhere)));
    for (const { sopInstanceUid, bytes } of objects) {
      const staged = (await staging.list(STUDY)).find((each) => each.sopInstanceUid === sopInstanceUid);
      const found = staged === undefined ? elsewhere.get(sopInstanceUid) : await readFile(staged.path);
      const isTheSame = found?.subarray(-bytes.length).equals(bytes) ?? sizeBytes > 1_000_000;
      expect({ sopInstanceUid, isTheSame }).toEqual({ sopInstanceUid, isTheSame: true });
    }
  }
});

describe("with a disk of the test's own", () => {
  const MEBIBYTE = 1024 * 1024;

  /** A real file, whose writes are done by `write` instead of at once. */
  function createFile(write: (real: () => Promise<unknown>) => Promise<unknown>): CreateFile {
    return async (path) => {
      const file = await open(path, "wx");
      const writev: typeof file.writev = async (buffers) => {
        await write(() => file.writev(buffers));
        const bytesWritten = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
        return { bytesWritten, buffers };
      };
      return { writev, close: () => file.close() };
    };
  }

  it("holds the sender back only when the disk is a mebibyte behind, and keeps the order", async () => {
    await using folder = await temporaryFolder();
    const gate = Promise.withResolvers<void>();
    const slow = createFile(async (real) => {
      await gate.promise;
      await real();
    });
    await using staging = await openStagingArea({
      path: folder.path,
      reserveBytes: 0,
      disk: systemDisk,
      createFile: slow,
    });
    const large = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.7" }, [
      element(tags.EncapsulatedDocument, "OB", randomBytes(3 * MEBIBYTE)),
    ]);
    const file = await staging.begin({ ...large, sourceAeTitle: "PACS" });
    expect(file.write(large.bytes.subarray(0, MEBIBYTE))).toBeUndefined();
    const held = file.write(large.bytes.subarray(MEBIBYTE, 2 * MEBIBYTE));
    expect(held).toBeInstanceOf(Promise);
    gate.resolve();
    await held;
    await file.write(large.bytes.subarray(2 * MEBIBYTE));
    const staged = await file.commit(() => true);
    expect((await readFile(staged.path)).subarray(-large.bytes.length).equals(large.bytes)).toBe(true);
  });

  it.each([
    ["ENOSPC", "STAGING_FULL"],
    ["EDQUOT", "STAGING_FULL"],
    ["EIO", "STAGING_UNAVAILABLE"],
  ])("says %s as %s, to be retried, and leaves nothing behind", async (systemCode, code) => {
    await using folder = await temporaryFolder();
    const failing = createFile(async () => {
      throw Object.assign(new Error(systemCode), { code: systemCode, syscall: "write" });
    });
    const options = { path: folder.path, reserveBytes: 0, disk: systemDisk, createFile: failing };
    await using staging = await openStagingArea(options);
    await expect(stage(staging, object)).rejects.toThrow(expect.objectContaining({ code, class: "transient" }));
    expect(await readdir(join(folder.path, "incoming"))).toEqual([]);
    expect(await staging.list(STUDY)).toEqual([]);
  });
});

describe("after a restart", () => {
  it("does not trust another file under the name of a synced one", async () => {
    await using folder = await temporaryFolder();
    const { path } = await openAndSync(folder.path);
    await writeFile(path, Buffer.alloc((await stat(path)).size));
    await using staging = await openAt(folder.path);
    expect(await staging.list(STUDY)).toEqual([]);
  });

  it("drops what was written before the machine started and never synced, even if it looks whole", async () => {
    await using folder = await temporaryFolder();
    const second = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.2" });
    await openAndSync(folder.path);
    {
      await using staging = await openAt(folder.path);
      const { path } = await stage(staging, second);
      await utimes(path, 0, 0);
    }
    await using staging = await openAt(folder.path);
    expect((await staging.list(STUDY)).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(["1.2.3.1.1"]);
  });

  it("keeps what arrived last and is whole, and syncs it next time", async () => {
    await using folder = await temporaryFolder();
    {
      await using staging = await openAt(folder.path);
      await stage(staging, object);
    }
    await using staging = await openAt(folder.path);
    const [staged] = await staging.list(STUDY);
    expect(staged).toMatchObject({ sopInstanceUid: "1.2.3.1.1", modality: "CT" });
    await staging.sync(STUDY);
    expect(await readdir(join(folder.path, "studies", STUDY))).toEqual(["1.2.3.1.1.dcm", "manifest.json"]);
  });

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

it("removes an instance or a study, and lists the studies that are left", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  const other = parseStudyInstanceUid("1.2.4");
  const staged = await stage(staging, object);
  await stage(staging, smallObject({ study: other, series: "1.2.4.1", instance: "1.2.4.1.1" }));
  expect((await staging.studies()).map(({ study }) => study).sort()).toEqual([STUDY, other]);
  await staging.removeInstance(staged);
  expect(await staging.list(STUDY)).toEqual([]);
  await staging.removeStudy(STUDY);
  expect((await staging.studies()).map(({ study }) => study)).toEqual([other]);
});

it("lists what is left where a study is removed at the same moment", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(folder.path);
  await stage(staging, object);
  // In the listing, and not there when it is looked at.
  await symlink(join(folder.path, "gone"), join(folder.path, "studies", "1.2.4"));
  expect((await staging.studies()).map(({ study }) => study)).toEqual([STUDY]);
});

it("keeps identifiable files to their owner", async () => {
  await using folder = await temporaryFolder();
  await using staging = await openAt(join(folder.path, "staging"));
  const { path } = await stage(staging, object);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
});

it("has an outbox folder for each job, and names those that a crash left", async () => {
  await using folder = await temporaryFolder();
  const outbox = await openOutbox({ path: join(folder.path, "outbox") });
  await mkdir(outbox.folderOf("job-1"));
  await mkdir(outbox.folderOf("job-2"));
  await outbox.remove("job-1");
  expect(await outbox.jobs()).toEqual(["job-2"]);
});
