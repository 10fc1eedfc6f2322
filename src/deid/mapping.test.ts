import { chmod, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tagOf } from "../dicom/tag.ts";
import { dataSetOf, sequenceElement } from "../dicom/values.ts";
import { neverAborted } from "../units/abort.ts";
import { exportMapping } from "./mapping.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { createPseudonymizer } from "./pseudonyms/pseudonymizer.ts";
import { deidentifyFolder } from "./run-folder.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text } from "./testing/objects.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const key = projectKeyOf(Buffer.alloc(32, 9));
const at = (...names: readonly string[]): string => join(folder.path, ...names);
const task = (mapping: string) => ({
  profile: loadProfile("research"),
  key,
  input: at("in"),
  output: at("out"),
  project: "lung",
  folder: mapping,
  signal: neverAborted(),
});
/** Study, series and instance of the image that tests begin with, and what it refers to. */
const [STUDY, SERIES, INSTANCE, SEEN] = ["1.2.3.7.1", "1.2.3.7.2", "1.2.3.7.3", "1.2.3.7.9"];
const image = ctImage([
  text(0x0020000d, STUDY),
  text(0x0020000e, SERIES),
  text(0x00080018, INSTANCE),
  text(0x00100020, 'MRN,4455"67'),
  sequenceElement(tagOf(0x00081250), [dataSetOf([text(0x0020000d, SEEN)])]),
]);

async function rowsOf(name: string): Promise<readonly string[]> {
  return (await readFile(at("mapping", name), "utf8")).split("\n");
}

it("names every UID at every depth, and every patient, beside what it became", async () => {
  await put(at("in", "a.dcm"), await part10Bytes(image));
  await deidentifyFolder(task(""));
  expect(await exportMapping(task(at("mapping")))).toEqual({ uids: 5, patients: 1 });
  const pseudonymizer = createPseudonymizer(key);
  const uids = await rowsOf("uids.csv");
  expect(uids.slice(0, 1)).toEqual(["id_old,id_new"]);
  for (const uid of [STUDY, SERIES, INSTANCE, SEEN]) expect(uids).toContain(`${uid},${pseudonymizer.uid(uid)}`);
  expect(uids.join()).not.toContain(SOP_CLASSES.ct);
  const pseudonym = pseudonymizer.patientPseudonym({ patientId: 'MRN,4455"67', studyInstanceUid: STUDY });
  expect(await rowsOf("patients.csv")).toEqual(["id_old,id_new", `"MRN,4455""67",${pseudonym}`, ""]);
});

it("is for its owner alone, and writes the same every time", async () => {
  await put(at("in", "a.dcm"), await part10Bytes(image));
  await deidentifyFolder(task(""));
  await exportMapping(task(at("mapping")));
  const first = await rowsOf("uids.csv");
  for (const name of ["", "uids.csv", "patients.csv"]) expect((await stat(at("mapping", name))).mode & 0o077).toBe(0);
  await exportMapping(task(at("mapping")));
  expect(await rowsOf("uids.csv")).toEqual(first);
});

it("leaves out what was not let out", async () => {
  await put(at("in", "a.dcm"), await part10Bytes(ctImage([text(0x00280301, "YES")])));
  await deidentifyFolder(task(""));
  expect(await exportMapping(task(at("mapping")))).toEqual({ uids: 0, patients: 0 });
});

it.each([
  ["within the output", ["out", "mapping"]],
  ["the output itself", ["out"]],
  ["beside the originals", ["in"]],
  ["around both", []],
])("refuses a folder %s", async (_where, names) => {
  await put(at("in", "a.dcm"), await part10Bytes(image));
  await mkdir(at("out"), { recursive: true });
  for (const path of [at(), at("in"), at("out")]) await chmod(path, 0o700);
  const refused = { code: "MAPPING_FOLDER_UNSAFE", details: { reason: "inside-another-folder" } };
  await expect(exportMapping(task(at(...names)))).rejects.toMatchObject(refused);
  expect(await readdir(at("out"))).toEqual([]);
});

it("refuses a folder that others can look into", async () => {
  await mkdir(at("mapping"), { recursive: true });
  await chmod(at("mapping"), 0o750);
  const refused = { code: "MAPPING_FOLDER_UNSAFE", details: { reason: "readable-by-others" } };
  await expect(exportMapping(task(at("mapping")))).rejects.toMatchObject(refused);
});
