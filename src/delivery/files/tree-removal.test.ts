import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf, PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { STUDY_REPORT } from "../../staging/study-folder-report.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { destinationFolder } from "../folder/destination-folder.ts";
import { createFolderDestination } from "../folder/folder-destination.ts";
import { deliverStudy } from "../receipts.ts";
import { removeStudy } from "../removal/removal.ts";
import type { FileServer } from "./file-server.ts";
import { localFiles } from "./local-files.ts";
import { reportedIn } from "./tree-destination.ts";
import { treeRemoval } from "./tree-removal.ts";

const signal = neverAborted();

async function scene() {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const { path: source } = stack.use(await temporaryFolder());
  const destination = stack.use(await createFolderDestination({ name: "store", path }));
  const delivery = await deliveryOf(source, 2);
  await deliverStudy(destination, delivery, systemClock, signal);
  const kept = stack.move();
  const patient = join(path, "trial", PSEUDONYM);
  return { destination, delivery, patient, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

it("leaves no empty folder of the patient behind", async () => {
  await using site = await scene();
  await removeStudy(site, site.delivery, signal);
  expect(await readdir(join(site.patient, ".."))).toEqual([]);
});

it("leaves what nobody here delivered, and says that a person has to look", async () => {
  await using site = await scene();
  await writeFile(join(site.patient, STUDY, "notes.txt"), "of a reader");
  const end = await removeStudy(site, site.delivery, signal);
  expect(end).toEqual({ kind: "person", code: "REMOVAL_OTHERS_LEFT", left: 1 });
  expect(await readdir(join(site.patient, STUDY))).toEqual(["notes.txt"]);
  expect(await removeStudy(site, site.delivery, signal)).toEqual(end);
});

it("leaves a report that is none of ours", async () => {
  await using site = await scene();
  await writeFile(join(site.patient, STUDY, STUDY_REPORT), "of somebody else");
  const end = await removeStudy(site, site.delivery, signal);
  expect(end).toEqual({ kind: "person", code: "REMOVAL_OTHERS_LEFT", left: 1 });
  expect(await readdir(join(site.patient, STUDY))).toEqual([STUDY_REPORT]);
});

it("removes what an earlier delivery brought, by the report beside it, and what one that was cut left", async () => {
  await using site = await scene();
  await writeFile(join(site.patient, STUDY, SERIES, ".2.25.3.7.part"), "half of it");
  expect(await removeStudy(site, { ...site.delivery, files: [] }, signal)).toEqual({ kind: "removed" });
});

it("knows what an earlier delivery brought by the report that one that was cut set aside, and removes that last", async () => {
  await using site = await scene();
  const study = join(site.patient, STUDY);
  await rename(join(study, STUDY_REPORT), join(study, ".report.old"));
  const path = join(site.patient, "..", "..");
  const files = localFiles(destinationFolder({ name: "store", path }));
  const removed: string[] = [];
  const server: FileServer = {
    ...files,
    async open(until) {
      const session = await files.open(until);
      return {
        ...session,
        async remove(name) {
          removed.push(basename(name));
          await session.remove(name);
        },
      };
    },
  };
  const removal = treeRemoval({ server, path, parallel: 2, reported: reportedIn });
  const destination = { name: "store", removal };
  expect(await removeStudy({ destination }, { ...site.delivery, files: [] }, signal)).toEqual({ kind: "removed" });
  expect(removed).toHaveLength(3);
  expect(removed.at(-1)).toBe(".report.old");
});

it("leaves the patient's other studies", async () => {
  await using site = await scene();
  const other = { ...site.delivery, studyInstanceUid: parseStudyInstanceUid("2.25.77") };
  await deliverStudy(site.destination, other, systemClock, signal);
  expect(await removeStudy(site, site.delivery, signal)).toEqual({ kind: "removed" });
  expect(await readdir(site.patient)).toEqual(["2.25.77"]);
  expect((await site.destination.held(other, signal)).size).toBe(2);
});

it("goes into no folder that is nested without end", async () => {
  await using site = await scene();
  await mkdir(join(site.patient, STUDY, ..."123456789".split("")), { recursive: true });
  await expect(removeStudy(site, site.delivery, signal)).rejects.toMatchObject({ code: "REMOVAL_OTHERS_LEFT" });
});
