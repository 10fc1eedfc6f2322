import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeZip } from "../../../test/peers/xnat/zip.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { dataSetOfTexts, textOf, textsOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { ARCHIVE_CONTRACT } from "../archive-contract.testing.ts";
import { createFolderIndex } from "./folder-index.ts";
import { type FolderScene, MEDIA_FILES, openFolderScene, STUDIES, writeTo } from "./folder-scene.testing.ts";
import { takeIn } from "./take-in.ts";

const [, OTHER] = STUDIES;
const study = parseStudyInstanceUid(OTHER.studyInstanceUid);
const signal = neverAborted();

/** Each file in a folder of its own, as results of scanners lie; among them what is no DICOM. */
async function lakeOfScans(folder: string): Promise<undefined> {
  for (const { sopInstanceUid, file } of MEDIA_FILES) await writeTo(join(folder, sopInstanceUid, "scan.dcm"), file);
  await writeTo(join(folder, "device_parameter.json"), "{}");
  await writeTo(join(folder, ".staging", "half.dcm"), MEDIA_FILES[0]?.file ?? "");
  await symlink(folder, join(folder, "round-and-round"));
  return undefined;
}

/** One study as files, the other in a zip among them. */
async function filesAndZip(folder: string): Promise<undefined> {
  const [files, zipped] = [true, false].map((isFirst) =>
    MEDIA_FILES.filter(({ name }) => name.includes("ST0") === isFirst),
  );
  for (const { name, file } of files ?? []) await writeTo(join(folder, name), file);
  const entries = (zipped ?? []).map(({ name, file }) => ({ name, bytes: file }));
  await writeTo(join(folder, "export"), writeZip(entries));
  return undefined;
}

describe.each([
  ["a folder as archive", lakeOfScans],
  ["a folder with a zip in it as archive", filesAndZip],
] as const)("%s", (_, lay) => {
  it.each(Object.entries(ARCHIVE_CONTRACT))("%s", async (_name, run) => {
    await using site = await openFolderScene(lay);
    await run(site);
  });
});

const listed = async ({ archive }: FolderScene) => {
  const listing = await archive.listStudy(study, signal);
  return listing.kind === "instances" ? listing.instances.map(({ sopInstanceUid }) => sopInstanceUid) : [];
};

describe("a folder that others write", () => {
  const [first, second] = OTHER.instances.map(({ sopInstanceUid }) => sopInstanceUid);

  it("shows what came and what went since it was looked at last", async () => {
    await using site = await openFolderScene(lakeOfScans);
    expect(await listed(site)).toEqual([first, second]);
    await rm(join(site.path, first ?? ""), { recursive: true });
    expect(await listed(site)).toEqual([second]);
    await writeTo(join(site.path, "late"), OTHER.instances[0]?.file ?? "");
    expect(await listed(site)).toEqual([second, first]);
    await rm(site.path, { recursive: true });
    await expect(site.archive.echo(signal)).rejects.toMatchObject({ code: "ARCHIVE_FOLDER_UNREADABLE" });
  });

  it("does not read a file again whose size and time are what they were", async () => {
    await using site = await openFolderScene(lakeOfScans);
    const path = join(site.path, first ?? "", "scan.dcm");
    const { atime, mtime } = await stat(path);
    await utimes(path, atime, mtime);
    expect(await listed(site)).toEqual([first, second]);
    const { size } = await stat(path);
    await writeFile(path, Buffer.alloc(size));
    await utimes(path, atime, mtime);
    expect(await listed(site)).toEqual([first, second]);
    await utimes(path, atime, new Date(0));
    expect(await listed(site)).toEqual([second]);
  });

  it("gives each instance once, however often it lies there", async () => {
    await using site = await openFolderScene(lakeOfScans);
    await writeTo(join(site.path, "again"), OTHER.instances[0]?.file ?? "");
    expect(await listed(site)).toEqual([first, second]);
    expect(await site.archive.retrieve({ studyInstanceUid: study }, signal)).toMatchObject({ completed: 2, failed: 0 });
  });

  it.each([
    ["has changed", (path: string) => appendFile(path, Buffer.alloc(2))],
    ["is gone", (path: string) => rm(path)],
  ] as const)("takes nothing of a file that %s since it was looked at, and says so", async (_, harm) => {
    await using site = await openFolderScene(lakeOfScans);
    await using index = createFolderIndex(site.path, systemClock);
    const [instance] = (await index.look(signal)).byStudy.get(study) ?? [];
    if (instance === undefined) throw new Error("no instance");
    await harm(instance.place.file?.path ?? "");
    const forgotten: string[] = [];
    const taking = { taker: site.taker, forget: (path: string) => void forgotten.push(path) };
    expect(await takeIn(taking, instance, signal)).toBe(false);
    expect(site.taker.refusals.takeReason([instance.sopInstanceUid])?.code).toBe("MEDIA_FILE_CHANGED");
    expect(forgotten).toEqual([instance.place.file?.path]);
    expect(await site.staging.list(study)).toEqual([]);
  });

  it("does not take for the instance what lies under its name now", async () => {
    await using site = await openFolderScene(lakeOfScans);
    await site.archive.echo(signal);
    const stranger = STUDIES[0].instances[0]?.file ?? Buffer.alloc(0);
    await writeFile(join(site.path, first ?? "", "scan.dcm"), stranger);
    expect(await site.archive.retrieve({ studyInstanceUid: study }, signal)).toMatchObject({ completed: 1 });
    expect((await site.staging.list(study)).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([second]);
  });

  it.each([
    ["all may read and nobody write", 0o444],
    ["a group may write", 0o664],
  ])("that %s is staged for the gateway alone, to be written over one day", async (_, mode) => {
    await using site = await openFolderScene(lakeOfScans);
    for (const name of [first, second]) await chmod(join(site.path, name ?? "", "scan.dcm"), mode);
    await site.archive.retrieve({ studyInstanceUid: study }, signal);
    const modes = (await site.staging.list(study)).map(async ({ path }) => (await stat(path)).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o600, 0o600]);
  });

  it("takes nothing of a file that is cut short behind its header", async () => {
    await using site = await openFolderScene(lakeOfScans);
    const file = OTHER.instances[0]?.file ?? Buffer.alloc(0);
    await truncate(join(site.path, first ?? "", "scan.dcm"), file.length - 100);
    expect(await site.archive.retrieve({ studyInstanceUid: study }, signal)).toMatchObject({ completed: 1, failed: 1 });
    expect(site.taker.refusals.takeReason([first ?? ""])?.code).toBe("INSTANCE_UNREADABLE");
  });

  it("tells the doctor what cannot be taken, and what is only no DICOM", async () => {
    await using site = await openFolderScene(lakeOfScans);
    const [check] = site.archive.checks;
    expect(await check?.examine(signal)).toBe("8 instances of 2 studies in 9 files; no DICOM: 1, links: 1");
    await truncate(join(site.path, first ?? "", "scan.dcm"), 200);
    await expect(check?.examine(signal)).rejects.toMatchObject({ code: "INSTANCE_UNREADABLE" });
  });

  it("goes down so many folders, and counts what it leaves out", async () => {
    await using site = await openFolderScene(lakeOfScans);
    const deep = join(site.path, ...Array.from({ length: 80 }, () => "d"));
    await mkdir(deep, { recursive: true });
    await rename(join(site.path, first ?? ""), join(deep, "scan"));
    expect(await listed(site)).toEqual([second]);
    await expect(site.archive.checks[0]?.examine(signal)).rejects.toMatchObject({ code: "MEDIA_TOO_DEEP" });
  });
});

describe("a zip in a folder", () => {
  const entries = MEDIA_FILES.map(({ name, file }) => ({ name, bytes: file }));

  it("gives nothing under a name that leads out, and writes nothing but staging's own", async () => {
    const [first, ...others] = entries;
    const unsafe = { name: "../../escaped", bytes: first?.bytes ?? Buffer.alloc(0) };
    await using site = await openFolderScene(async (folder) => {
      await writeTo(
        join(folder, "export.zip"),
        writeZip([unsafe, ...others, { name: "notes.txt", bytes: unsafe.bytes.subarray(0, 9) }]),
      );
      return undefined;
    });
    const { archive, path } = site;
    const studies = STUDIES.map(({ studyInstanceUid }) => parseStudyInstanceUid(studyInstanceUid));
    for (const studyInstanceUid of studies) await archive.retrieve({ studyInstanceUid }, signal);
    const staged = await Promise.all(studies.map((uid) => site.staging.list(uid)));
    expect(staged.map(({ length }) => length)).toEqual([5, 2]);
    expect(await readdir(path)).toEqual(["export.zip"]);
    expect((await readdir(dirname(path))).sort()).toEqual(["lake", "staging"]);
    await expect(archive.checks[0]?.examine(signal)).rejects.toMatchObject({ code: "ZIP_ENTRY_UNSAFE" });
  });

  it("that is damaged behind a header gives all but that instance", async () => {
    const zip = writeZip(entries);
    const last = OTHER.instances.at(-1)?.file ?? Buffer.alloc(0);
    zip.writeUInt8(zip.readUInt8(zip.indexOf(last) + last.length - 1) ^ 1, zip.indexOf(last) + last.length - 1);
    await using site = await openFolderScene(async (folder) => {
      await writeTo(join(folder, "export.zip"), zip);
      return join(folder, "export.zip");
    });
    expect(await site.archive.retrieve({ studyInstanceUid: study }, signal)).toMatchObject({ completed: 1, failed: 1 });
    const refusal = site.taker.refusals.takeReason([OTHER.instances.at(-1)?.sopInstanceUid ?? ""]);
    expect(refusal?.code).toBe("ZIP_ENTRY_DAMAGED");
  });

  it("that is cut off is passed over, and what lies beside it is taken", async () => {
    await using site = await openFolderScene(async (folder) => {
      await lakeOfScans(folder);
      await writeTo(join(folder, "cut.zip"), writeZip(entries).subarray(0, -30));
      return undefined;
    });
    expect(await listed(site)).toHaveLength(2);
    await expect(site.archive.checks[0]?.examine(signal)).rejects.toMatchObject({ code: "ZIP_UNREADABLE" });
  });
});

describe("a search of a folder", () => {
  const find = async ({ archive }: FolderScene, texts: readonly (readonly [Tag, string])[], told: Tag) => {
    const answers = await Array.fromAsync(archive.find(dataSetOfTexts(texts), 100, signal));
    return answers.map((answer) => textsOf(answer, told).join(" "));
  };
  const level = [tags.QueryRetrieveLevel, "STUDY"] as const;

  it.each([
    ["a range of dates", tags.StudyDate, "20240112-", [OTHER.studyInstanceUid]],
    ["a range that ends", tags.StudyDate, "20240101-20240111", [STUDIES[0].studyInstanceUid]],
    ["a modality of the study", tags.ModalitiesInStudy, "CT", [OTHER.studyInstanceUid]],
    ["a wildcard", tags.StudyInstanceUID, "*.642", [OTHER.studyInstanceUid]],
    ["a list", tags.StudyInstanceUID, "1.2.3\\".concat(OTHER.studyInstanceUid), [OTHER.studyInstanceUid]],
    ["what is not indexed", tags.Manufacturer, "Nobody", []],
  ] as const)("goes by %s", async (_, tag, value, found) => {
    await using site = await openFolderScene(lakeOfScans);
    expect(await find(site, [level, [tag, value]], tags.StudyInstanceUID)).toEqual(found);
  });

  it("counts what studies and series hold", async () => {
    await using site = await openFolderScene(lakeOfScans);
    expect(await find(site, [level], tags.NumberOfStudyRelatedInstances)).toEqual(["6", "2"]);
    expect(await find(site, [level], tags.ModalitiesInStudy)).toEqual(["MR", "CT"]);
    const series = [tags.QueryRetrieveLevel, "SERIES"] as const;
    expect(await find(site, [series], tags.NumberOfSeriesRelatedInstances)).toEqual(["3", "3", "2"]);
    const [answer] = await Array.fromAsync(site.archive.find(dataSetOfTexts([level]), 100, signal));
    expect(answer && textOf(answer, tags.SOPInstanceUID)).toBeUndefined();
  });
});
