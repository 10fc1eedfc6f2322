import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { fileOperations } from "../../dicom/file-output.ts";
import { readPart10File } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import { composeOutput } from "../engine/compose-output.ts";
import { writeOutput } from "../engine/output-file.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { OPTIONS, type OptionName } from "../profiles/options.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { createPseudonymizer } from "../pseudonyms/pseudonymizer.ts";
import { ctImage, part10Bytes, put, text } from "../testing/objects.ts";
import { expectationsOf } from "./expectations.ts";
import { harvestIdentifiers } from "./harvest.ts";
import { type Verification, verifyDeidentified } from "./verify.ts";

const profile = loadProfile("research");
const DATES = ["retain-longitudinal-modified-dates"] as const;
const key = projectKeyOf(Buffer.alloc(32, 9));
const pseudonymizer = createPseudonymizer(key);

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "verify-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** The verdict on a correct output into which something was put afterwards. */
async function verifyWith(
  planted: readonly DataElement[],
  tamper = (bytes: Buffer): Buffer => bytes,
  source: DataSet = ctImage(),
): Promise<Verification> {
  await using file = await readPart10File(await put(join(folder, "in.dcm"), await part10Bytes(source)));
  const harvest = harvestIdentifiers(file.dataSet);
  const options = { profile, pseudonymizer, participantId: undefined, harvest, signal: neverAborted() };
  const output = await composeOutput(file, options);
  const tags = new Set<number>(planted.map((one) => one.tag));
  const dataSet = dataSetOf([...[...output.dataSet.values()].filter((one) => !tags.has(one.tag)), ...planted]);
  const writing = { files: fileOperations({ blocking: true }), memory: Buffer.alloc(256), signal: neverAborted() };
  const written = await writeOutput(join(folder, "out.dcm"), { ...output, dataSet }, writing);
  await writeFile(written.temporaryPath, tamper(await readFile(written.temporaryPath)));
  const expectations = expectationsOf(output, harvest, { profile }, file.dataSet);
  return await verifyDeidentified({ outputPath: written.temporaryPath, rules: profile.rules, harvest, expectations });
}

it("passes what the engine wrote", async () => {
  expect(await verifyWith([])).toMatchObject({ ok: true });
});

describe("what the output says of itself must be true", () => {
  const RESEARCH = ["basic", "clean-descriptors", ...DATES, "retain-patient-characteristics"] as const;
  const entry = (value: string, meaning: string, scheme = "DCM"): DataSet =>
    dataSetOf([text(0x00080100, value), text(0x00080102, scheme), text(0x00080104, meaning)]);
  const claim = (...options: readonly OptionName[]): DataElement =>
    sequenceElement(
      tagOf(0x00120064),
      options.map((option) => entry(OPTIONS[option].code, OPTIONS[option].meaning)),
    );
  const { code: basicCode, meaning: basicMeaning } = OPTIONS.basic;

  it("passes the options that were applied, and one of the profile that left no trace", async () => {
    expect(await verifyWith([claim(...RESEARCH)])).toMatchObject({ ok: true });
    expect(await verifyWith([claim(...RESEARCH, "retain-safe-private")])).toMatchObject({ ok: true });
  });

  it.each<[string, DataElement, string]>([
    ["no basic profile", claim("clean-descriptors", ...DATES, "retain-patient-characteristics"), "method-codes"],
    ["an option twice", claim(...RESEARCH, "retain-patient-characteristics"), "method-codes"],
    ["another order", claim("basic", ...DATES, "clean-descriptors", "retain-patient-characteristics"), "method-codes"],
    ["an option of no mask", claim("basic", "clean-pixel-data", ...RESEARCH.slice(1)), "method-codes"],
    ["an option that is not the profile's", claim(...RESEARCH, "retain-uids"), "element-not-allowed"],
    [
      "a meaning of another code",
      sequenceElement(tagOf(0x00120064), [entry(basicCode, OPTIONS[DATES[0]].meaning)]),
      "method-codes",
    ],
    ["half an entry", sequenceElement(tagOf(0x00120064), [dataSetOf([text(0x00080100, basicCode)])]), "method-codes"],
    [
      "another scheme",
      sequenceElement(tagOf(0x00120064), [entry(basicCode, basicMeaning, "SCT")]),
      "element-not-allowed",
    ],
    [
      "moved dates that nobody claims",
      claim("basic", "clean-descriptors", "retain-patient-characteristics"),
      "option-not-claimed",
    ],
    [
      "a cleaned description that nobody claims",
      claim("basic", ...DATES, "retain-patient-characteristics"),
      "option-not-claimed",
    ],
    ["dates that are said to be as they were", text(0x00280303, "UNMODIFIED"), "dates-mark"],
    ["dates that are said to be gone", text(0x00280303, "REMOVED"), "dates-mark"],
  ])("%s", async (_, planted, reason) => {
    const verdict = await verifyWith([planted]);
    expect(verdict.ok ? "" : verdict.reason.split(" ", 1)[0]).toBe(reason);
  });
});

describe("finds what was planted", () => {
  const words = (value: string | Buffer): DataElement => element(tagOf(0x00283006), "OW", Buffer.from(value));
  it.each<[string, DataElement, string, string]>([
    [
      "an institution",
      text(0x00080080, "Saint Elsewhere"),
      "DEIDENTIFICATION_UNPROVEN",
      "element-not-allowed (0008,0080)",
    ],
    [
      "a description",
      text(0x0008103e, "of Brandybuck"),
      "DEIDENTIFICATION_UNPROVEN",
      "element-not-allowed (0008,103E)",
    ],
    ["another name", text(0x00100010, "Brandybuck"), "DEIDENTIFICATION_UNPROVEN", "element-not-allowed (0010,0010)"],
    [
      "an original UID",
      text(0x00080018, "1.2.826.0.1.3680043.9.7.3.1"),
      "DEIDENTIFICATION_UNPROVEN",
      "element-not-allowed (0008,0018)",
    ],
    [
      "a date that was not moved",
      text(0x00080020, "20240229"),
      "DEIDENTIFICATION_UNPROVEN",
      "date-unchanged (0008,0020)",
    ],
    [
      "a term of no list",
      text(0x00180022, "BRANDYBUCK"),
      "DEIDENTIFICATION_UNPROVEN",
      "element-not-allowed (0018,0022)",
    ],
    ["an age over 89", text(0x00101010, "092Y"), "DEIDENTIFICATION_UNPROVEN", "element-not-allowed (0010,1010)"],
    [
      "a private element",
      element(tagOf(0x00290010), "LO", Buffer.from("X ")),
      "DEIDENTIFICATION_UNPROVEN",
      "private-element (0029,0010)",
    ],
    [
      "a lying VR",
      element(tagOf(0x00180050), "LO", Buffer.from("1.25")),
      "DEIDENTIFICATION_UNPROVEN",
      "vr (0018,0050)",
    ],
    ["another method", text(0x00120063, "by hand"), "DEIDENTIFICATION_UNPROVEN", "element-not-allowed (0012,0063)"],
    ["a name in a table of numbers", words("xxbrandybuck"), "IDENTIFIER_FOUND", "name in (0028,3006)"],
    ["a name in UTF-16", words(Buffer.from("Meriadoc", "utf16le")), "IDENTIFIER_FOUND", "name in (0028,3006)"],
    ["a name byte-swapped", words(Buffer.from("Meriadoc").swap16()), "IDENTIFIER_FOUND", "name in (0028,3006)"],
    ["a UID in a table of numbers", words("1.2.826.0.1.3680043.9.7.2 "), "IDENTIFIER_FOUND", "uid in (0028,3006)"],
  ])("%s", async (_name, planted, code, reason) => {
    expect(await verifyWith([planted])).toEqual({ ok: false, code, reason });
  });

  it.each([
    ["three digits that are the patient's number", "123", false],
    ["which others have", "124", true],
  ])("%s", async (_name, patientId, ok) => {
    const planted = text(0x0008103e, "CHEST 123 lung");
    expect(await verifyWith([planted], undefined, ctImage([text(0x00100020, patientId)]))).toMatchObject({ ok });
  });

  it("what is nested", async () => {
    const inner = dataSetOf([text(0x00100020, "MRN4455667")]);
    expect(await verifyWith([sequenceElement(tagOf(0x52009229), [inner])])).toEqual({
      ok: false,
      code: "DEIDENTIFICATION_UNPROVEN",
      reason: "element-not-allowed (5200,9229)/(0010,0020)",
    });
  });

  it("a sequence that no list names", async () => {
    expect(await verifyWith([sequenceElement(tagOf(0x00081110), [])])).toMatchObject({ ok: true });
    expect(await verifyWith([sequenceElement(tagOf(0x00101002), [])])).toMatchObject({ ok: false });
  });
});

describe("a sequence of which a dummy is left", () => {
  const OPERATORS = tagOf(0x00081072);
  const withItem = (...elements: readonly DataElement[]): Promise<Verification> =>
    verifyWith([sequenceElement(OPERATORS, [dataSetOf(elements)])]);
  const code = (value: string): DataElement =>
    sequenceElement(tagOf(0x00401101), [
      dataSetOf([text(0x00080100, value), text(0x00080102, "99RADFERRY"), text(0x00080104, "Anonymized")]),
    ]);

  it("may hold dummies", async () => {
    expect(await withItem(text(0x00080080, "ANONYMIZED"), code("ANON"))).toMatchObject({ ok: true });
    expect(await withItem()).toMatchObject({ ok: true });
  });

  it("may hold nothing of the source's, allowed though it be elsewhere", async () => {
    const refused = { ok: false, code: "DEIDENTIFICATION_UNPROVEN" };
    expect(await withItem(text(0x00180050, "1.25"))).toEqual({
      ...refused,
      reason: "dummy-item (0008,1072)/(0018,0050)",
    });
    expect(await withItem(code("M-01000"))).toEqual({
      ...refused,
      reason: "dummy-item (0008,1072)/(0040,1101)/(0008,0100)",
    });
  });
});

describe("accounts for every byte", () => {
  const changed = (at: number, value: string) => (bytes: Buffer) => {
    bytes.write(value, at, "latin1");
    return bytes;
  };
  it.each([
    ["text in the preamble", changed(10, "Brandybuck"), "preamble"],
    ["no DICM", changed(128, "MCID"), "magic"],
    ["another SOP class in the file meta", changed(128 + 4 + 12 + 14 + 8, "9"), "file-meta"],
    ["bytes behind the end", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("Brandybuck")]), "tag-order"],
    ["a cut end", (bytes: Buffer) => bytes.subarray(0, bytes.length - 2), "length-beyond-parent"],
  ])("%s", async (_name, tamper, reason) => {
    expect(await verifyWith([], tamper)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });
});

describe("refuses identifiers that have the form of what may stay", () => {
  const outcomeOf = async (changes: readonly DataElement[]) => {
    const path = await put(join(folder, "in.dcm"), await part10Bytes(ctImage(changes)));
    const engine = createDeidentifier({ profile, key, filters: {} });
    return engine.instance(
      { path, outputPath: join(folder, "o.dcm"), participantId: undefined, seriesInstanceCount: 1 },
      neverAborted(),
    );
  };

  it("a Patient ID as a number of the acquisition", async () => {
    const found = { kind: "rejected", code: "IDENTIFIER_FOUND", reason: "id in (0020,0012)" };
    expect(await outcomeOf([text(0x00100020, "44556677"), text(0x00200012, "44556677")])).toEqual(found);
  });

  it("a Patient ID as a code of a public scheme", async () => {
    const item = dataSetOf([text(0x00080100, "39607008"), text(0x00080102, "SCT"), text(0x00080104, "x")]);
    const found = { kind: "rejected", code: "IDENTIFIER_FOUND", reason: "id in (0008,2218)/(0008,0100)" };
    expect(await outcomeOf([text(0x00100020, "39607008"), sequenceElement(tagOf(0x00082218), [item])])).toEqual(found);
  });
});

it("notices pixels that are not those of the original", async () => {
  const changed = (bytes: Buffer): Buffer => {
    // Pixel data is what the object ends with.
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    return bytes;
  };
  expect(await verifyWith([], changed)).toMatchObject({ ok: false, reason: "pixels (7FE0,0010)" });
});
