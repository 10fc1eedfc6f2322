import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { bytesOf, itemsOf, sequenceElement, textOf, textsOf, uidOf } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier, type DeidentifierOptions } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import type { Profile, PseudonymSettings } from "../profiles/profile.ts";
import { compileRules } from "../rules/compiled-rules.ts";
import { ctImage, part10Bytes, put, text, without } from "../testing/objects.ts";
import { lookupTableOf } from "./lookup-table.ts";
import { projectKeyOf } from "./project-key.ts";
import { createPseudonymizer } from "./pseudonymizer.ts";

const KEY = projectKeyOf(Buffer.alloc(32, 11));
const PATIENT = { patientId: "MRN4455667", studyInstanceUid: "1.2.826.0.1.3680043.9.7.1" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

function profileWith(changes: Partial<PseudonymSettings>, name = "research"): Profile {
  const profile = loadProfile(name);
  const pseudonyms = { ...profile.pseudonyms, ...changes };
  const rules = compileRules(profile.options, pseudonyms);
  return { ...profile, pseudonyms, rules, rulesFor: () => rules };
}

async function outcomeOf(dataSet: DataSet, options: Partial<DeidentifierOptions>): Promise<InstanceOutcome> {
  const engine = createDeidentifier({ profile: loadProfile("research"), key: KEY, filters: {}, ...options });
  const path = await put(join(folder.path, "in.dcm"), await part10Bytes(dataSet));
  const task = { path, outputPath: join(folder.path, "out.dcm"), participantId: undefined, seriesInstanceCount: 1 };
  return engine.instance(task, neverAborted());
}

async function outputOf(dataSet: DataSet, options: Partial<DeidentifierOptions>): Promise<DataSet> {
  const outcome = await outcomeOf(dataSet, options);
  if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
  await using file = await readPart10File(outcome.file.path);
  return file.dataSet;
}

describe("identifiers", () => {
  it("are keyed texts where the profile wants pseudonyms, at every depth, and stay empty where there was nothing", async () => {
    const profile = profileWith({ accession: "pseudonym", studyId: "pseudonym", device: "pseudonym" });
    const nested = sequenceElement(tagOf(0x52009230), [new Map([[tags.AccessionNumber, text(0x00080050, "ACC1")]])]);
    const output = await outputOf(ctImage([nested, text(0x00081010, "")]), { profile });
    const { identifier } = createPseudonymizer(KEY).ofStudy(PATIENT);
    expect(textOf(output, tags.AccessionNumber)).toBe(identifier("accession", "ACC7788991"));
    expect(textOf(output, tags.StudyID)).toBe(identifier("id", "STUDY12345"));
    expect(textOf(output, tags.DeviceSerialNumber)).toBe(identifier("device", "SN-778123"));
    expect(bytesOf(output, tags.StationName) ?? new Uint8Array()).toHaveLength(0);
    const items = itemsOf(output, tagOf(0x52009230)).map(({ dataSet }) => textOf(dataSet, tags.AccessionNumber));
    expect(items).toEqual([identifier("accession", "ACC1")]);
  });

  it("come from the lookup table first; without a required row nothing leaves", async () => {
    const csv = "kind,original,replacement\npatient,MRN4455667,P-1\nstudy,1.2.826.0.1.3680043.9.7.1,2.25.5\n";
    const lookup = lookupTableOf(csv, { project: "p", merge: false });
    const profile = profileWith({ lookup: "required" });
    const output = await outputOf(ctImage(), { profile, lookup });
    expect([textOf(output, tags.PatientID), uidOf(output, tags.StudyInstanceUID)]).toEqual(["P-1", "2.25.5"]);
    const stranger = ctImage([text(0x00100020, "MRN1")]);
    const missing = { kind: "rejected", code: "LOOKUP_ROW_MISSING", reason: "no-lookup patient" };
    expect(await outcomeOf(stranger, { profile, lookup })).toEqual(missing);
  });

  it("of devices that stay known: AE titles are what the table says, or empty", async () => {
    const csv = "kind,original,replacement\nae-title,ctscan1,SCANNER_A\nae-title,VNA,ARCHIVE\n";
    const lookup = lookupTableOf(csv, { project: "p", merge: false });
    const options = ["basic", "retain-device-identity"] as const;
    const rules = compileRules(options);
    const profile = { ...loadProfile("basic"), options, rules, rulesFor: () => rules };
    const changes = [text(0x00080055, "ctscan1"), text(0x00080054, "VNA\\BRANDYBUCK")];
    const titlesOf = (output: DataSet) => [0x00080055, 0x00080054].map((tag) => textsOf(output, tagOf(tag)));
    expect(titlesOf(await outputOf(ctImage(changes), { profile, lookup }))).toEqual([["SCANNER_A"], ["ARCHIVE", ""]]);
    expect(titlesOf(await outputOf(ctImage(changes), { profile }))).toEqual([[], []]);
    const basic = await outputOf(ctImage(changes), { profile: loadProfile("basic"), lookup });
    expect([0x00080055, 0x00080054].map((tag) => basic.has(tagOf(tag)))).toEqual([false, false]);
  });

  it("of kinds that stay empty need no row", async () => {
    const csv = "kind,original,replacement\npatient,MRN4455667,P-1\naccession,OTHER,X1\n";
    const lookup = lookupTableOf(csv, { project: "p", merge: false });
    const emptied = profileWith({ lookup: "required" });
    expect(await outcomeOf(ctImage(), { profile: emptied, lookup })).toMatchObject({ kind: "deidentified" });
    const replaced = profileWith({ lookup: "required", accession: "pseudonym" });
    const missing = { kind: "rejected", code: "LOOKUP_ROW_MISSING", reason: "no-lookup accession" };
    expect(await outcomeOf(ctImage(), { profile: replaced, lookup })).toEqual(missing);
  });

  it("may not come back as the patient's own by the table", async () => {
    const lookup = lookupTableOf("kind,original,replacement\npatient,MRN4455667,X-MRN4455667\n", {
      project: "p",
      merge: false,
    });
    expect(await outcomeOf(ctImage(), { lookup })).toMatchObject({ kind: "rejected", code: "IDENTIFIER_FOUND" });
  });

  it("make one study of two with the same patient and accession number, as PIXL does", async () => {
    const pixl = { hashKey: "k", projectSalt: "s", localSalt: "l" };
    const first = await outputOf(ctImage(), { pixl });
    const second = await outputOf(ctImage([text(0x0020000d, "1.2.99")]), { pixl });
    expect(textOf(first, tags.PatientID)).toMatch(/^[0-9a-f]{64}$/);
    expect(uidOf(second, tags.StudyInstanceUID)).toBe(uidOf(first, tags.StudyInstanceUID));
    expect(uidOf(first, tags.SeriesInstanceUID)).toBe(createPseudonymizer(KEY).uid("1.2.826.0.1.3680043.9.7.2"));
  });
});

describe("birth date", () => {
  const young = (changes: readonly DataElement[] = []): DataSet =>
    ctImage([text(0x00100030, "19600704"), text(0x00101010, "063Y"), ...changes]);

  it("is empty unless the profile says otherwise", async () => {
    expect(bytesOf(await outputOf(young(), {}), tags.PatientBirthDate)).toHaveLength(0);
  });

  it("is the year alone, also of who was born on New Year's Day", async () => {
    const profile = profileWith({ birthDate: "year" });
    expect(textOf(await outputOf(young(), { profile }), tags.PatientBirthDate)).toBe("19600101");
    const newYear = young([text(0x00100030, "19600101")]);
    expect(textOf(await outputOf(newYear, { profile }), tags.PatientBirthDate)).toBe("19600101");
  });

  it("moves with the other dates, so that the age stays", async () => {
    const profile = profileWith({ birthDate: "shifted" });
    const output = await outputOf(young(), { profile });
    const asDays = (date = ""): number =>
      Date.UTC(+date.slice(0, 4), +date.slice(4, 6) - 1, +date.slice(6)) / 86_400_000;
    const interval = asDays(textOf(output, tags.StudyDate)) - asDays(textOf(output, tags.PatientBirthDate));
    expect(interval).toBe(asDays("20240229") - asDays("19600704"));
  });

  it.each([
    ["older by the age", [text(0x00101010, "090Y")]],
    ["older by the dates", [text(0x00100030, "19310704"), text(0x00101010, "")]],
    ["of an age nobody knows", [text(0x00080020, ""), text(0x00080022, ""), text(0x00101010, "")]],
    ["of an age that is none", [text(0x00101010, "very")]],
  ])("is empty in every mode for a patient %s", async (_name, changes) => {
    for (const birthDate of ["year", "shifted"] as const) {
      const output = await outputOf(young(changes), { profile: profileWith({ birthDate }) });
      expect(bytesOf(output, tags.PatientBirthDate)).toHaveLength(0);
    }
  });
});

describe("age", () => {
  const ageless = (birthDate: string): DataSet => without(ctImage([text(0x00100030, birthDate)]), 0x00101010);

  it.each([
    ["19600704", "063Y"],
    ["20240219", "010D"],
    ["19310704", "090Y"],
    ["20250101", undefined],
    ["", undefined],
  ])("of who was born on %s is told where the profile derives it: %s", async (birthDate, age) => {
    const output = await outputOf(ageless(birthDate), { profile: profileWith({ deriveAge: true }) });
    expect(textOf(output, tags.PatientAge)).toBe(age);
  });

  it("is not derived otherwise, nor without the option that keeps ages", async () => {
    expect((await outputOf(ageless("19600704"), {})).has(tags.PatientAge)).toBe(false);
    const profile = profileWith({ deriveAge: true }, "basic");
    expect((await outputOf(ageless("19600704"), { profile })).has(tags.PatientAge)).toBe(false);
  });
});

it.each([
  [0x00101030, "71.5", true],
  [0x00101030, "4455667", false],
  [0x00101020, "1.71", true],
  [0x00101020, "171", false],
])("size and weight stay if a person can have them: %d %s", async (tag, value, stays) => {
  const output = await outputOf(ctImage([text(tag, value)]), {});
  expect(textOf(output, tagOf(tag))).toBe(stays ? value : undefined);
});

describe("an object without a Patient ID", () => {
  const objects: readonly (readonly [string, DataSet])[] = [
    ["empty", ctImage([text(0x00100020, "")])],
    ["absent", without(ctImage(), 0x00100020)],
  ];

  it.each(objects)("%s: nothing is hashed, and the patient stays empty", async (_, dataSet) => {
    const output = await outputOf(dataSet, {});
    for (const tag of [tags.PatientID, tags.PatientName]) expect(bytesOf(output, tag)).toHaveLength(0);
  });

  it.each(objects)("%s: it lies in a folder of its study's own", async (_, dataSet) => {
    const pseudonymOf = async (changed: DataSet): Promise<unknown> => {
      const outcome = await outcomeOf(changed, {});
      return outcome.kind === "deidentified" ? outcome.file.pseudonym : outcome;
    };
    const other = new Map([
      ...dataSet,
      [tags.StudyInstanceUID, text(0x0020000d, "1.2.826.0.1.3680043.9.7.99")] as const,
    ]);
    expect(await pseudonymOf(dataSet)).toMatch(/^[0-9A-Z]{16}$/);
    expect(await pseudonymOf(other)).not.toBe(await pseudonymOf(dataSet));
  });
});
