import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DataElement, DataSet } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../dicom/reader.ts";
import { tagOf } from "../dicom/tag.ts";
import { bytesOf, dataSetOf, element, itemsOf, sequenceElement, textOf, textsOf, uidOf } from "../dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../dicom/writer.ts";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier, type Deidentifier, type DeidentifierOptions, type InstanceTask } from "./deidentifier.ts";
import type { InstanceOutcome } from "./outcome.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { createPseudonymizer } from "./pseudonyms/pseudonymizer.ts";
import { ctImage, part10Bytes, pixels, put, SOP_CLASSES, text, unsigned, without } from "./testing/objects.ts";

const KEY = projectKeyOf(Buffer.alloc(32, 11));
const OTHER_KEY = projectKeyOf(Buffer.alloc(32, 12));
const DEFLATED = "1.2.840.10008.1.2.1.99";
const BIG_ENDIAN = "1.2.840.10008.1.2.2";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deid-"));
});
afterEach(() => rm(folder, { recursive: true }));

function deidentifier(options: Partial<DeidentifierOptions> = {}): Deidentifier {
  return createDeidentifier({ profile: loadProfile("research"), key: KEY, filters: {}, ...options });
}

async function run(
  bytes: Uint8Array,
  engine = deidentifier(),
  task: Partial<InstanceTask> = {},
): Promise<InstanceOutcome> {
  const path = await put(join(folder, "in.dcm"), bytes);
  const outputPath = join(folder, "outbox", "out.dcm");
  return engine.instance(
    { path, outputPath, participantId: undefined, seriesInstanceCount: 5, ...task },
    neverAborted(),
  );
}

async function outputOf(dataSet: DataSet, engine?: Deidentifier, task?: Partial<InstanceTask>): Promise<DataSet> {
  const outcome = await run(await part10Bytes(dataSet), engine, task);
  if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
  await using file = await readPart10File(outcome.file.path);
  return file.dataSet;
}

describe("what leaves", () => {
  it("keeps geometry, physics and pixels, replaces identity, moves dates", async () => {
    const output = await outputOf(ctImage());
    const pseudonymizer = createPseudonymizer(KEY);
    const patient = { patientId: "MRN4455667", studyInstanceUid: "1.2.826.0.1.3680043.9.7.1" };
    const pseudonym = pseudonymizer.patientPseudonym(patient);
    expect(textOf(output, tags.PatientID)).toBe(pseudonym);
    expect(textOf(output, tags.PatientName)).toBe(pseudonym);
    expect(uidOf(output, tags.StudyInstanceUID)).toBe(pseudonymizer.uid("1.2.826.0.1.3680043.9.7.1"));
    expect(uidOf(output, tags.FrameOfReferenceUID)).toBe(pseudonymizer.uid("1.2.826.0.1.3680043.9.7.4"));
    for (const tag of [tags.PatientBirthDate, tags.AccessionNumber, tags.StudyID, tags.ReferringPhysicianName]) {
      expect(bytesOf(output, tag)).toHaveLength(0);
    }
    for (const tag of [tags.InstitutionName, tags.DeviceSerialNumber]) expect(output.has(tag)).toBe(false);
    expect(textOf(output, tags.StudyDescription)).toBe("Thorax of");
    expect(textOf(output, tags.SeriesDescription)).toBe("AXIAL LUNG");
    for (const tag of [
      tags.Modality,
      tags.KVP,
      tags.SliceThickness,
      tags.ConvolutionKernel,
      tags.ImagePositionPatient,
      tags.ImageOrientationPatient,
      tags.PixelSpacing,
      tags.RescaleSlope,
      tags.RescaleType,
      tags.Manufacturer,
      tags.ManufacturerModelName,
      tags.BodyPartExamined,
      tags.PatientPosition,
      tags.SeriesNumber,
      tags.InstanceNumber,
      tags.ImageType,
      tags.PatientSex,
      tags.PatientWeight,
    ]) {
      expect(textsOf(output, tag)).toEqual(textsOf(ctImage(), tag));
    }
    expect(textOf(output, tags.PatientAge)).toBe("090Y");
  });

  it("keeps the pixels byte for byte, in a private file whose digest is reported", async () => {
    const outcome = await run(await part10Bytes(ctImage()));
    if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
    const bytes = await readFile(outcome.file.path);
    expect(outcome.file.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(outcome.file.sizeBytes).toBe(bytes.length);
    expect(bytes.subarray(-pixels().length)).toEqual(Buffer.from(pixels()));
    expect((await stat(outcome.file.path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "outbox"))).toEqual(["out.dcm"]);
  });

  it("says what was done, and claims no option that was not applied", async () => {
    const output = await outputOf(ctImage([text(0x00120063, "by hand, by Dr Harcourt")]));
    const codes = itemsOf(output, tags.DeidentificationMethodCodeSequence).map((item) =>
      textOf(item.dataSet, tagOf(0x00080100)),
    );
    expect(codes).toEqual(["113100", "113105", "113107", "113108"]);
    expect(textOf(output, tags.PatientIdentityRemoved)).toBe("YES");
    expect(textsOf(output, tags.DeidentificationMethod)).toEqual([
      `Radferry 0.1.0 profile research ${loadProfile("research").hash.slice(0, 12)}`,
    ]);
    expect(textOf(output, tags.LongitudinalTemporalInformationModified)).toBe("MODIFIED");
    const basic = await outputOf(ctImage(), deidentifier({ profile: loadProfile("basic") }));
    expect(itemsOf(basic, tags.DeidentificationMethodCodeSequence)).toHaveLength(1);
    expect(textOf(basic, tags.LongitudinalTemporalInformationModified)).toBe("REMOVED");
    expect(basic.has(tags.PatientWeight)).toBe(false);
    expect(textOf(basic, tags.StudyDate)).toBeUndefined();
  });

  it("keeps intervals between dates, and times as they were", async () => {
    const output = await outputOf(ctImage());
    const day = (tag: typeof tags.StudyDate): number => {
      const date = textOf(output, tag) ?? "";
      return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / 86_400_000;
    };
    expect(day(tags.AcquisitionDate) - day(tags.StudyDate)).toBe(1);
    expect(textOf(output, tags.AcquisitionTime)).toBe("101559.250");
    expect(textOf(output, tags.StudyDate)).not.toBe("20240229");
  });

  it("is the participant of the cohort where there is one, unless that is the patient's own number", async () => {
    const output = await outputOf(ctImage(), deidentifier(), { participantId: "LUNG-017" });
    expect(textOf(output, tags.PatientID)).toBe("LUNG-017");
    expect(await run(await part10Bytes(ctImage()), deidentifier(), { participantId: "MRN4455667" })).toEqual({
      kind: "rejected",
      code: "IDENTIFIER_FOUND",
      reason: "id in (0010,0020)",
    });
  });

  it("shares nothing between projects, and everything between studies of a patient", async () => {
    const first = await outputOf(ctImage());
    const second = await outputOf(ctImage([text(0x0020000d, "1.2.826.0.1.3680043.9.8.1")]));
    const elsewhere = await outputOf(ctImage(), deidentifier({ key: OTHER_KEY }));
    expect(textOf(second, tags.PatientID)).toBe(textOf(first, tags.PatientID));
    expect(textOf(second, tags.StudyDate)).toBe(textOf(first, tags.StudyDate));
    expect(uidOf(second, tags.StudyInstanceUID)).not.toBe(uidOf(first, tags.StudyInstanceUID));
    for (const tag of [
      tags.PatientID,
      tags.StudyInstanceUID,
      tags.SeriesInstanceUID,
      tags.SOPInstanceUID,
      tags.StudyDate,
    ]) {
      expect(textOf(elsewhere, tag)).not.toBe(textOf(first, tag));
    }
  });
});

describe("how it is written", () => {
  it("gives the same bytes for the same object, whatever syntax it came in, and again", async () => {
    const explicit = await part10Bytes(ctImage());
    const body = encodeDataSet(ctImage(), EXPLICIT_VR_LITTLE_ENDIAN);
    const facts = {
      sopClassUid: SOP_CLASSES.ct,
      sopInstanceUid: "1.2.826.0.1.3680043.9.7.3.1",
      transferSyntaxUid: DEFLATED,
    };
    const header = encodeFileMeta(facts);
    const inputs = [
      explicit,
      explicit,
      await part10Bytes(ctImage(), { transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN }),
      await part10Bytes(ctImage(), { transferSyntaxUid: BIG_ENDIAN }),
      Buffer.concat([header, deflateRawSync(body)]),
    ];
    const digests = new Set<string>();
    for (const input of inputs) {
      const outcome = await run(input);
      if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
      expect(outcome.file.transferSyntaxUid).toBe(EXPLICIT_VR_LITTLE_ENDIAN);
      digests.add(outcome.file.sha256);
    }
    expect(digests.size).toBe(1);
  });

  it("cuts what hides behind the pixels, and refuses pixels that are too few", async () => {
    const hidden = Buffer.concat([pixels(), Buffer.from("Brandybuck")]);
    const outcome = await run(await part10Bytes(ctImage([element(tags.PixelData, "OW", hidden)])));
    expect(outcome).toMatchObject({ kind: "deidentified" });
    expect((await readFile(join(folder, "outbox/out.dcm"))).includes("Brandybuck")).toBe(false);
    const short = ctImage([element(tags.PixelData, "OW", pixels().subarray(0, 20))]);
    expect(await run(await part10Bytes(short))).toMatchObject({ kind: "rejected", code: "PIXEL_DATA_INCONSISTENT" });
  });

  it.each([
    ["a number with text behind a NUL", text(0x00180060, "120\0Brandybuck"), 0x00180060, ["120"]],
    ["a number that is a name", text(0x00180060, "Brandybuck"), 0x00180060, []],
    ["a term with a name beside it", text(0x00180022, "FS\\BRANDYBUCK"), 0x00180022, ["FS"]],
    [
      "a type with a name in it",
      text(0x00080008, "ORIGINAL\\PRIMARY\\BRANDYBUCK"),
      0x00080008,
      ["ORIGINAL", "PRIMARY", "OTHER"],
    ],
    ["a manufacturer that nobody knows", text(0x00080070, "Brandybuck Imaging"), 0x00080070, []],
    ["a number of a VR that is not its own", element(tagOf(0x00180060), "LO", Buffer.from("120 ")), 0x00180060, []],
    ["a number as UN", element(tagOf(0x00180060), "UN", Buffer.from("120 ")), 0x00180060, ["120"]],
    ["a decimal that is too long", text(0x00180060, "120.123456789012345678"), 0x00180060, ["120.123456789012"]],
  ])("of %s lets out what has its form", async (_name, changed: DataElement, tag, expected) => {
    expect(textsOf(await outputOf(ctImage([changed])), tagOf(tag))).toEqual(expected);
  });

  it("keeps public codes with a meaning of its own, drops private ones, and maps UIDs inside", async () => {
    const code = (value: string, scheme: string, meaning: string): DataSet =>
      new Map(
        [text(0x00080100, value), text(0x00080102, scheme), text(0x00080104, meaning)].map((one) => [one.tag, one]),
      );
    const anatomy = sequenceElement(tagOf(0x00082218), [
      code("39607008", "SCT", "Brandybuck's lung"),
      code("X1", "99LOCAL", "x"),
    ]);
    const output = await outputOf(ctImage([anatomy]));
    const items = itemsOf(output, tagOf(0x00082218));
    expect(items).toHaveLength(1);
    expect(items.map((item) => textOf(item.dataSet, tagOf(0x00080104)))).toEqual(["Lung"]);
    const bare = await outputOf(ctImage([sequenceElement(tagOf(0x00082218), [code("X1", "99LOCAL", "x")])]));
    expect(bare.has(tagOf(0x00082218))).toBe(false);
    const written = [text(0x00080120, "urn:brandybuck:lung"), text(0x00080119, "39607008")].map((value) =>
      dataSetOf([value, text(0x00080102, "SCT"), text(0x00080104, "x")]),
    );
    const long = itemsOf(await outputOf(ctImage([sequenceElement(tagOf(0x00082218), written)])), tagOf(0x00082218));
    expect(long.map(({ dataSet }) => textOf(dataSet, tagOf(0x00080100)))).toEqual(["39607008"]);
    // Which group of which site it was chosen from. PS3.3 8.8.
    const context = [text(0x0008010b, "Y"), text(0x0008010d, "1.2.826.0.1.3680043.9.7.6"), text(0x0008010f, "4031")];
    const chosen = dataSetOf([...code("39607008", "SCT", "lung").values(), ...context]);
    const [kept] = itemsOf(await outputOf(ctImage([sequenceElement(tagOf(0x00082218), [chosen])])), tagOf(0x00082218));
    expect([...(kept?.dataSet.keys() ?? [])]).toEqual([0x00080100, 0x00080102, 0x00080104]);
  });

  it("goes 64 sequences deep and no deeper", async () => {
    const nest = (depth: number): DataElement => {
      let inner: DataSet = new Map([[tags.PatientName, text(0x00100010, "Brandybuck")]]);
      for (let level = 1; level < depth; level += 1)
        inner = new Map([[tagOf(0x52009230), sequenceElement(tagOf(0x52009230), [inner])]]);
      return sequenceElement(tagOf(0x52009230), [inner]);
    };
    expect(await run(await part10Bytes(ctImage([nest(60)])))).toMatchObject({ kind: "deidentified" });
    expect((await readFile(join(folder, "outbox/out.dcm"))).includes("Brandybuck")).toBe(false);
    expect(await run(await part10Bytes(ctImage([nest(66)])))).toMatchObject({ kind: "rejected" });
  });
});

describe("what stays behind", () => {
  const sopClass = (uid: string): DataElement => text(0x00080016, uid);
  it.each([
    ["ultrasound", [sopClass(SOP_CLASSES.us)], { kind: "rejected", code: "SOP_CLASS_NOT_ALLOWED" }],
    [
      "secondary capture",
      [sopClass(SOP_CLASSES.secondaryCapture)],
      { kind: "rejected", code: "SOP_CLASS_NOT_ALLOWED" },
    ],
    ["a private SOP class", [sopClass("1.3.12.2.1107.5.9.1")], { kind: "rejected", code: "SOP_CLASS_NOT_ALLOWED" }],
    ["burned-in annotation", [text(0x00280301, "YES")], { kind: "rejected", code: "BURNED_IN_ANNOTATION" }],
    [
      "an overlay within the pixels",
      [unsigned(0x60000100, 16)],
      { kind: "rejected", code: "BURNED_IN_ANNOTATION", reason: "embedded-overlay" },
    ],
    ["a recognizable face", [text(0x00280302, "YES")], { kind: "rejected", code: "BURNED_IN_ANNOTATION" }],
    [
      "a screen of a scanner",
      [text(0x00080008, "DERIVED\\SECONDARY\\SCREEN SAVE")],
      { kind: "rejected", code: "BURNED_IN_ANNOTATION" },
    ],
    [
      "a radiograph nobody vouched for",
      [sopClass(SOP_CLASSES.dx), text(0x00080060, "DX")],
      { kind: "rejected", code: "BURNED_IN_ANNOTATION" },
    ],
    ["a document", [sopClass(SOP_CLASSES.pdf)], { kind: "excluded", reason: "document" }],
    ["a report that has pixels", [sopClass(SOP_CLASSES.report)], { kind: "rejected", code: "SOP_CLASS_NOT_ALLOWED" }],
  ])("%s", async (_name, changes, expected) => {
    expect(await run(await part10Bytes(ctImage(changes)))).toMatchObject(expected);
    expect(await readdir(folder)).toEqual(["in.dcm"]);
  });

  it("lets a radiograph out that says it is clean", async () => {
    const changes = [sopClass(SOP_CLASSES.dx), text(0x00080060, "DX"), text(0x00280301, "NO")];
    expect(await run(await part10Bytes(ctImage(changes)))).toMatchObject({ kind: "deidentified" });
  });

  it.each([
    ["series-not-requested", {}, { requestedSeries: new Set(["1.2.3"]) }],
    ["modality", { modalities: ["MR"] }, {}],
    ["series-description", { excludeSeriesDescriptions: ["lung"] }, {}],
    ["too-few-instances", { minimumInstancesPerSeries: 6 }, {}],
  ])("by filter: %s", async (reason, filters, task) => {
    expect(await run(await part10Bytes(ctImage()), deidentifier({ filters }), task)).toEqual({
      kind: "excluded",
      reason,
    });
  });

  it("what cannot be read or has no identity of its own", async () => {
    const bytes = await part10Bytes(ctImage());
    expect(await run(bytes.subarray(0, bytes.length - 9))).toMatchObject({ kind: "rejected" });
    expect(await run(Buffer.from("no DICOM"))).toMatchObject({ kind: "rejected", code: "INSTANCE_NOT_PARSABLE" });
    const nameless = await part10Bytes(without(ctImage(), 0x0020000d));
    expect(await run(nameless)).toMatchObject({
      kind: "rejected",
      code: "INSTANCE_NOT_PARSABLE",
      reason: "uid-missing",
    });
  });

  it("everything, once it is cancelled", async () => {
    const path = await put(join(folder, "in.dcm"), await part10Bytes(ctImage([unsigned(0x00280103, 0)])));
    const task = { path, outputPath: join(folder, "o.dcm"), participantId: undefined, seriesInstanceCount: 1 };
    await expect(deidentifier().instance(task, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    expect(await readdir(folder)).toEqual(["in.dcm"]);
  });
});

it("a directory of a medium, which says what it is before its data set alone, is left out", async () => {
  const meta = [text(0x00020002, "1.2.840.10008.1.3.10")];
  const directory = new Map([...ctImage()].filter(([tag]) => tag !== tags.SOPClassUID));
  expect(await run(await part10Bytes(directory, { meta }))).toEqual({ kind: "excluded", reason: "dicomdir" });
});
