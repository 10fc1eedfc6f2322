import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { importPixlTagOperations } from "../../../src/deid/profiles/import-pixl.ts";
import { checkProfileText, loadProfile } from "../../../src/deid/profiles/load-profile.ts";
import { pixlHash } from "../../../src/deid/pseudonyms/pixl-hash.ts";
import { studyFolderReportSchema } from "../../../src/deid/study-report-schema.ts";
import { SOP_CLASSES, text } from "../../../src/deid/testing/objects.ts";
import type { DataElement } from "../../../src/dicom/data-set.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { textOf } from "../../../src/dicom/values.ts";
import { runCli } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { PIXL_PROJECT, PIXL_SCHEMES, pixlScheme } from "./support/pixl-schemes.ts";
import { deidentified, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

/** Of PIXL's hasher, with answers that are known. */
const SECRETS = { hashKey: "test-key", projectSalt: "a161577b49a9235a", localSalt: "pixl_salt" };

describe("given a scheme in the shape of PIXL's", () => {
  const importing = (name: string) => {
    const file = pixlScheme(name);
    const files = name.startsWith("manufacturer-overrides/")
      ? { base: [], manufacturerOverrides: [file] }
      : { base: [file] };
    return importPixlTagOperations(files, { name: "imported", acceptFreeText: true });
  };

  it.each(PIXL_SCHEMES)("when %s is imported, then there is no error, and its profile can be used", (name) => {
    expect(checkProfileText(JSON.stringify(importing(name).document)).problems).toEqual([]);
  });

  it("when it is imported once more, or named twice, then the profile is the same", () => {
    const base = PIXL_SCHEMES.filter((name) => !name.includes("/")).map(pixlScheme);
    const options = { name: "imported", acceptFreeText: true };
    const once = importPixlTagOperations({ base }, options);
    expect(importPixlTagOperations({ base }, options)).toEqual(once);
    expect(importPixlTagOperations({ base: [...base, ...base] }, options)).toEqual(once);
  });
});

it.each([
  [64, "cc8ab6f3e63235b45f3d00cbc4873efac59bf15cec4bdffd461882d57dfc010f"],
  [16, "b721eef65328a79c"],
])("given PIXL's secrets, when `test` is hashed to length %i, then it is what PIXL makes of it", (length, digest) => {
  expect(pixlHash(SECRETS, "test", length)).toBe(digest);
});

it("given PIXL's secrets, when lengths are odd or out of bounds, then one character is less, or there is an error", () => {
  expect(pixlHash(SECRETS, "test", 63)).toHaveLength(62);
  for (const length of [0, 1, 65]) expect(() => pixlHash(SECRETS, "test", length)).toThrow(RangeError);
});

describe("given two studies of one MRN and accession number, and a third with another", async () => {
  const tokens = createTokens(22);
  const first = studyIdentity(tokens, { patientId: "test" });
  const { patientName, patientId, accessionNumber } = first;
  const second = studyIdentity(tokens, { patientName, patientId, accessionNumber });
  const third = studyIdentity(tokens, { patientName, patientId });
  const studies = [first, second, third];
  const objects = studies.flatMap((study, series) =>
    [1, 2].map((number) => slice(study, number, tokens, [text(0x00200011, String(series + 5))])),
  );
  const run = await deidentified(objects, { profile: "pixl", pixl: SECRETS });
  const valuesOf = (tag: number): readonly string[] => [
    ...new Set(run.files.map(({ dataSet }) => textOf(dataSet, tagOf(tag)) ?? "")),
  ];

  it("when they are de-identified, then the two have one study UID, and the third has its own", () => {
    expect(run.files).toHaveLength(objects.length);
    expect(valuesOf(0x0020000d)).toHaveLength(2);
  });

  it("then the folder of the one study tells of both, and of every file", () => {
    const [combined] = run.reports.filter((report) => "studies" in report);
    expect(run.reports).toHaveLength(2);
    expect(studyFolderReportSchema.parse(combined)).toMatchObject({
      studies: [{ outcome: "delivered" }, { outcome: "delivered" }],
    });
    const listed = run.reports.flatMap(({ pseudonym, studyInstanceUid, files }) =>
      files.map(({ path }) => `trial/${pseudonym}/${studyInstanceUid}/${path}`),
    );
    expect(listed.sort()).toEqual(run.files.map(({ name }) => name).sort());
  });

  it("then the patient is hashed as PIXL does", () => {
    expect(valuesOf(0x00100020)).toEqual([pixlHash(SECRETS, "test", 64)]);
  });

  it("then series keep their numbers and have UIDs of their own", () => {
    expect([...valuesOf(0x00200011)].sort()).toEqual(["5", "6", "7"]);
    expect(valuesOf(0x0020000e)).toHaveLength(3);
  });

  it("then no token is left", () => {
    for (const [name, bytes] of run.contents) expect(tracesOf(bytes, tokens.marks), name).toEqual([]);
  });
});

it("given studies that become one, when their dates and descriptions differ, then all say what the earliest says, by date and UID", async () => {
  await using folder = await temporaryFolder();
  const profile = join(folder.path, "profile.yaml");
  const rules = "rules: [{tag: StudyDescription, action: clean}]\npseudonyms: {mode: pixl}";
  const options = "options: [retain-longitudinal-modified-dates, clean-descriptors]";
  await writeFile(profile, `profile: dates\nversion: 1\nbase: basic-2026c\n${options}\n${rules}\n`);
  const tokens = createTokens(221);
  const first = studyIdentity(tokens);
  const { patientName, patientId, accessionNumber } = first;
  const same = { patientName, patientId, accessionNumber };
  const dated = [
    [studyIdentity(tokens, { ...same, studyInstanceUid: "1.2.826.0.1.3680043.9.7.20" }), "20240301", "KNEE"],
    [studyIdentity(tokens, { ...same, studyInstanceUid: "1.2.826.0.1.3680043.9.7.12" }), "20240229", "CHEST"],
    [studyIdentity(tokens, { ...same, studyInstanceUid: "1.2.826.0.1.3680043.9.7.11" }), "20240229", "HEAD"],
    [studyIdentity(tokens, { patientName, patientId }), "20240201", "PELVIS"],
  ] as const;
  const objects = dated.flatMap(([study, date, description]) =>
    [1, 2].map((number) =>
      slice(study, number, tokens, [text(0x00080020, date), text(0x00080021, date), text(0x00081030, description)]),
    ),
  );
  const { files, result } = await deidentified(objects, { profile, pixl: SECRETS });
  expect(result.failures).toEqual([]);
  const told = files.map(({ dataSet }) =>
    [0x0020000d, 0x00081030, 0x00080020].map((tag) => textOf(dataSet, tagOf(tag)) ?? "").join(" "),
  );
  expect(new Set(told).size).toBe(2);
  const byDescription = (word: string) => told.filter((each) => each.includes(word)).length;
  expect(["HEAD", "PELVIS", "KNEE", "CHEST"].map(byDescription)).toEqual([6, 2, 0, 0]);
  // The dates of their series stay as far apart as they were.
  expect(new Set(files.map(({ dataSet }) => textOf(dataSet, tagOf(0x00080021)))).size).toBe(3);
});

describe("given a project's configuration, when it is imported with its schemes and used", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "trial.yaml"), PIXL_PROJECT);
  for (const name of PIXL_SCHEMES) {
    const path = join(folder.path, "tag-operations", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, pixlScheme(name).text);
  }
  const options = ["--project-config", "trial.yaml", "--name", "trial", "--accept-free-text", "--pseudonyms", "hmac"];
  const { stdout, exitCode } = await runCli(["deid", "import-pixl", ...options], { workingFolder: folder.path });
  const profile = join(folder.path, "profile.yaml");
  await writeFile(profile, stdout);
  const loaded = exitCode === 0 ? loadProfile(profile) : undefined;

  const table: readonly (readonly [string, readonly DataElement[], number, string | undefined])[] = [
    ["a manufacturer that is allowed, in other letters", [text(0x00080070, "Company Medical")], 2, undefined],
    ["a manufacturer that is not", [text(0x00080070, "The Company")], 2, "manufacturer"],
    ["no manufacturer", [text(0x00080070, "")], 2, "manufacturer"],
    [
      "a description that holds a filter in other letters",
      [text(0x0008103e, "3 plane LOCALIZER fast")],
      2,
      "series-description",
    ],
    ["no description", [text(0x0008103e, "")], 2, undefined],
    ["a number left out for this manufacturer", [text(0x00200011, "123456789")], 2, "series-number"],
    ["the same number of another manufacturer", [text(0x00080070, "Philips"), text(0x00200011, "3")], 2, undefined],
    ["no number", [text(0x00200011, "")], 2, "series-number"],
    ["another modality", [text(0x00080060, "CT")], 2, "modality"],
    ["a series of one instance where two are asked for", [], 1, "too-few-instances"],
  ];
  const usual = [
    text(0x00080016, SOP_CLASSES.mr),
    text(0x00080060, "MR"),
    text(0x00080070, "Company"),
    text(0x00200011, "4"),
  ];

  it("then its name and its operations are there", () => {
    expect(loaded).toMatchObject({ name: "trial" });
    expect(loaded?.needsMask({ manufacturer: "", model: "", software: "" })).toBe(false);
  });

  it.each(table)("then %s: left out, or not", async (_, changes, count, reason) => {
    await using own = await temporaryFolder();
    await writeFile(join(own.path, "profile.yaml"), stdout);
    const tokens = createTokens(220);
    const study = studyIdentity(tokens);
    const changed = new Set(changes.map(({ tag }) => tag));
    const elements = [...usual.filter(({ tag }) => !changed.has(tag)), ...changes];
    const objects = Array.from({ length: count }, (__, index) => slice(study, index + 1, tokens, elements));
    const { result } = await deidentified(objects, { profile: join(own.path, "profile.yaml") });
    expect(result.failures).toEqual([]);
    expect(result.exclusions).toEqual(reason === undefined ? {} : { [reason]: count });
    expect(result.studies).toMatchObject(reason === undefined ? { delivered: 1 } : { excluded: 1 });
  });
});
