import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text } from "../testing/objects.ts";
import { createStudyVerification, type StudyVerdict } from "./study-verification.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "study-verification-"));
});
afterEach(() => rm(folder, { recursive: true }));

const UID_ROOT = "1.2.826.0.1.3680043.9.7.3";

type Instances = readonly (readonly DataElement[])[];

/** Instance numbers of the outputs that the study gives away, with the reason; and the notes. */
async function verdictOn(...instances: Instances): Promise<Omit<StudyVerdict, "accepted" | "identifiers">> {
  const { accepted: _, identifiers: __, ...verdict } = await verdictWith({}, ...instances);
  return verdict;
}

/** @param of the numbers of outputs that are left out, and places where identifiers are allowed */
async function verdictWith(
  of: { readonly leftOut?: readonly number[]; readonly allowed?: readonly string[] },
  ...instances: Instances
): Promise<StudyVerdict> {
  const engine = createDeidentifier({
    profile: await loadProfile("research"),
    key: projectKeyOf(Buffer.alloc(32, 7)),
    filters: {},
  });
  const study = createStudyVerification({ allowedPlaces: new Set(of.allowed) });
  for (const [index, changes] of instances.entries()) {
    const dataSet = ctImage([
      text(0x00080018, `${UID_ROOT}.${index}`),
      ...changes.filter(({ tag }) => tag !== 0x00080018),
    ]);
    const own = changes.find(({ tag }) => tag === 0x00080018);
    const object = own === undefined ? dataSet : ctImage(changes);
    const path = await put(join(folder, `${index}.dcm`), await part10Bytes(object));
    const outputPath = `${index}.dcm`;
    const task = {
      path,
      outputPath: join(folder, "out", outputPath),
      participantId: undefined,
      seriesInstanceCount: 9,
      study,
    };
    const isDocument = changes.some(({ tag }) => tag === tags.SOPClassUID);
    const isDamaged = changes.some(({ tag }) => tag === tags.PixelData);
    const kind = isDocument ? "excluded" : isDamaged ? "rejected" : "deidentified";
    expect(await engine.instance(task, neverAborted())).toMatchObject({ kind });
  }
  for (const number of of.leftOut ?? []) study.leaveOut(join(folder, "out", `${number}.dcm`));
  const { findings, ...verdict } = await study.finish(neverAborted());
  return { ...verdict, findings: findings.map((one) => ({ ...one, outputPath: one.outputPath.slice(-5) })) };
}

const table = (value: string): DataElement => element(tagOf(0x00283006), "OW", Buffer.from(value));
const operator = text(0x00081070, "Borogove^Mimsy");
/** As an enhanced image refers to what it was derived from. PS3.3 C.7.6.16.2.6. */
function reference(uid: string): DataElement {
  const image = dataSetOf([text(0x00081150, SOP_CLASSES.ct), text(0x00081155, uid)]);
  const derivation = dataSetOf([sequenceElement(tagOf(0x00082112), [image])]);
  const group = dataSetOf([sequenceElement(tagOf(0x00089124), [derivation])]);
  return sequenceElement(tagOf(0x52009229), [group]);
}

it("finds nothing in a sound study", async () => {
  expect(await verdictOn([operator], [], [])).toMatchObject({ findings: [], notes: new Map(), durationMs: undefined });
});

it("searches every output for what only the last instance tells", async () => {
  const { findings } = await verdictOn([table("..borogove")], [table("..nothing here")], [operator]);
  expect(findings).toEqual([{ outputPath: "0.dcm", code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)" }]);
});

it("searches for what an instance tells that is left out", async () => {
  const document = [text(0x00080016, SOP_CLASSES.pdf), operator];
  const { findings } = await verdictOn([table("..borogove")], document);
  expect(findings).toEqual([{ outputPath: "0.dcm", code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)" }]);
});

it("searches for what an instance tells that was rejected as it was composed", async () => {
  const damaged = [element(tagOf(0x7fe00010), "OW", Buffer.alloc(4)), operator];
  const { findings } = await verdictOn([table("..borogove")], damaged);
  expect(findings).toEqual([{ outputPath: "0.dcm", code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)" }]);
});

it("reads tables again that are too long to be kept", async () => {
  const long = table("..".repeat(40_000) + "borogove".padEnd(10_000, "."));
  const { findings } = await verdictOn([long], [operator]);
  expect(findings).toEqual([{ outputPath: "0.dcm", code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)" }]);
});

it("refuses a study of two patients", async () => {
  const { findings } = await verdictOn([], [text(0x00100020, "MRN9988776")]);
  expect(findings).toEqual(
    ["0.dcm", "1.dcm"].map((outputPath) => ({
      outputPath,
      code: "DEIDENTIFICATION_UNPROVEN",
      reason: "study-pseudonym-differs",
    })),
  );
});

it("refuses an instance that is there twice", async () => {
  const twice = text(0x00080018, `${UID_ROOT}.77`);
  const { findings } = await verdictOn([twice], [twice], []);
  expect(findings).toMatchObject([{ outputPath: "1.dcm", reason: "sop-instance-uid-repeated" }]);
});

it("tells of references to what is not delivered", async () => {
  const { findings, notes } = await verdictOn([reference(`${UID_ROOT}.1`)], [reference("1.2.826.0.1.99.1")]);
  expect(findings).toEqual([]);
  expect([...notes]).toEqual([["reference-not-delivered", 1]]);
});

it("finds nothing in an output that is left out, and counts no reference to it as delivered", async () => {
  const instances = [[reference(`${UID_ROOT}.1`)], [table("..borogove")], [operator]];
  expect((await verdictWith({}, ...instances)).findings).toMatchObject([{ outputPath: "1.dcm" }]);
  const { findings, notes } = await verdictWith({ leftOut: [1] }, ...instances);
  expect(findings).toEqual([]);
  expect([...notes]).toEqual([["reference-not-delivered", 1]]);
  const without = await verdictWith({ leftOut: [1] }, [], [text(0x00100020, "MRN9988776")]);
  expect(without.findings).toEqual([]);
});

it("accepts an identifier where it is allowed, and tells in how many outputs", async () => {
  const long = table("..".repeat(40_000) + "borogove".padEnd(10_000, "."));
  const instances = [[table("..borogove")], [table("..borogove")], [long], [operator]];
  const { findings, accepted } = await verdictWith({ allowed: ["(0028,3006)"] }, ...instances);
  expect(findings).toEqual([]);
  expect([...accepted]).toEqual([["name in (0028,3006)", 3]]);
  const elsewhere = await verdictWith({ allowed: ["(0028,3010)/(0028,3006)"] }, ...instances);
  expect(elsewhere.findings).toHaveLength(3);
  expect(elsewhere.accepted.size).toBe(0);
});
