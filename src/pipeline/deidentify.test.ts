import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { StudyMatch, StudyQuery } from "../archive/archive.ts";
import { INTAKE_ARCHIVE } from "../archive/intake/intake-archive.ts";
import { loadProfile } from "../deid/profiles/load-profile.ts";
import { projectKeyOf } from "../deid/pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, text } from "../deid/testing/objects.ts";
import { createStudyDeidentifier } from "../deid/workers/study-run.ts";
import type { DataElement } from "../dicom/data-set.ts";
import { readPart10File } from "../dicom/reader.ts";
import { tagOf } from "../dicom/tag.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { element, textOf } from "../dicom/values.ts";
import type { JobChange, LedgerEntry, PseudonymLink, Release } from "../store/records.ts";
import { type DeidentifiedStudy, deidentifyStudy } from "./deidentify.ts";
import type { StepContext } from "./step.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deidentify-step-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Outcome extends DeidentifiedStudy {
  readonly changes: readonly JobChange[];
  /** What is left in the outbox. */
  readonly names: readonly string[];
}

interface Circumstances {
  readonly release?: Partial<Release>;
  readonly participantId?: string;
  readonly mergePatients?: boolean;
  /** What is known of pseudonyms, as "kind digest". */
  readonly links?: Map<string, string>;
  /** Studies become one; what the archive says of those of this Patient ID and Accession Number. */
  readonly combined?: readonly StudyMatch[];
  /** Where it came from; and an instance of it that was delivered earlier is not staged any more. */
  readonly goneFrom?: string;
  /** What became of that one; and of those that are staged. */
  readonly gone?: Partial<LedgerEntry>;
  readonly past?: Partial<LedgerEntry>;
  /** Patients who opted out, by the list the job began with and by the one of now; and who were withdrawn. */
  readonly optOut?: readonly string[];
  readonly optOutNow?: readonly string[];
  readonly withdrawn?: readonly string[];
}

/** An instance, changed as told. */
async function stage(elements: readonly DataElement[], index: number) {
  const sopInstanceUid = `1.2.826.0.1.3680043.9.7.3.${index}`;
  const dataSet = ctImage([text(0x00080018, sopInstanceUid), ...elements]);
  const path = await put(join(folder, "staged", `${index}.dcm`), await part10Bytes(dataSet));
  return { path, sopInstanceUid, seriesInstanceUid: "1.2.826.0.1.3680043.9.7.2" };
}

/** The step on a study of staged instances, each changed as told. */
async function deidentify(
  profileName: string,
  changes: readonly (readonly DataElement[])[],
  {
    release,
    participantId,
    mergePatients = false,
    links = new Map(),
    combined,
    goneFrom,
    gone,
    past,
    ...left
  }: Circumstances = {},
): Promise<Outcome> {
  const profile = await loadProfile(profileName);
  const key = projectKeyOf(Buffer.alloc(32, 4));
  const staged = await Promise.all(changes.map(stage));
  const written: JobChange[] = [];
  const outbox = join(folder, "outbox");
  const context = {
    services: {
      store: {
        ledger: async () => [
          ...staged.map((one) => ({ ...one, receivedAtMs: 1, ...past })),
          ...(goneFrom === undefined
            ? []
            : [{ sopInstanceUid: "1.2.3", receivedAtMs: 1, ...(gone ?? { deliveredAtMs: 2 }) }]),
        ],
        releaseOf: async () => release && { leaveOut: [], allowTags: [], ...release },
        linkPseudonyms: async (_: string, __: string, asked: readonly PseudonymLink[]) =>
          asked.flatMap(({ kind, replacement, digest }) => {
            const known = links.get(replacement) ?? digest;
            links.set(replacement, known);
            return known === digest ? [] : [kind];
          }),
      },
      staging: { list: async () => staged },
      outbox: { folderOf: () => outbox },
      projects: new Map([["trial", { optOut: new Set(left.optOutNow) }]]),
      isWithdrawn: async (_: string, patientId: string) => left.withdrawn?.includes(patientId) === true,
      clock: { nowMs: () => 0 },
    },
    project: {
      name: "trial",
      profile,
      keyId: key.id,
      mergePatients,
      optOut: new Set(left.optOut),
      combinesStudies: combined !== undefined,
      archives: [{ name: "pacs", findStudies: async (query: StudyQuery) => (isForAll(query) ? combined : []) }],
      deidentifier: createStudyDeidentifier({ profile, key, filters: {} }),
    },
    job: {
      id: "job",
      participantId,
      studyInstanceUid: STUDY,
      archive: goneFrom ?? "pacs",
      patientId: "P1",
      accessionNumber: "A1",
    },
    signal: new AbortController().signal,
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  const result = await deidentifyStudy(context);
  return { ...result, changes: written, names: await readdir(outbox).catch(() => []) };
}

const STUDY = "1.2.826.0.1.3680043.9.7.1";

function isForAll(query: StudyQuery): boolean {
  return (
    query.by === "accession-number" &&
    query.accessionNumber === "A1" &&
    query.patientId === "P1" &&
    query.described === true
  );
}

const leaking = element(tagOf(0x00283006), "OW", Buffer.from("..borogove"));
const naming = text(0x00081070, "Borogove^Mimsy");

it.each([
  ["fetches again what an archive has", "pacs", { kind: "next", stage: "retrieving" }, 0],
  ["goes on without what was sent to us", INTAKE_ARCHIVE, undefined, 1],
])("%s and was delivered before staging was emptied", async (_, goneFrom, end, count) => {
  const result = await deidentify("research", [[]], { goneFrom });
  expect(result.end).toEqual(end);
  expect(result.files).toHaveLength(count);
});

it.each([
  ["goes on without what was left out and is gone", { gone: { excludedAtMs: 2 } }, undefined, 1],
  ["fetches what is gone and was not done with", { gone: {} }, { kind: "next", stage: "retrieving" }, 0],
  [
    "delivers with what comes later what was delivered and is still there",
    { past: { deliveredAtMs: 2 } },
    undefined,
    1,
  ],
] as const)("%s, of a study that was sent to us", async (_, of, end, count) => {
  const result = await deidentify("research", [[]], { goneFrom: INTAKE_ARCHIVE, ...of });
  expect(result.end).toEqual(end);
  expect(result.files).toHaveLength(count);
});

it("accounts for every instance of a study that is larger than what is written at once", async () => {
  const { files, changes } = await deidentify(
    "research",
    Array.from({ length: 201 }, () => []),
  );
  const accounted = new Set(changes.flatMap(({ ledger = [] }) => ledger.map(({ sopInstanceUid }) => sopInstanceUid)));
  expect([files.length, accounted.size]).toEqual([201, 201]);
});

it("lets a sound study out", async () => {
  const { files, end, report } = await deidentify("research", [[], [], [naming]]);
  expect(end).toBeUndefined();
  expect(files).toHaveLength(3);
  expect(report.document().verify).toMatchObject({ hits: 0, ms: 0 });
});

it("leaves behind the instance that a later one of its study gives away", async () => {
  const { files, end, report, changes, names } = await deidentify("research", [[], [leaking], [naming]]);
  expect(end).toBeUndefined();
  expect(files).toHaveLength(2);
  expect([...names].sort()).toEqual(["0.dcm", "2.dcm"]);
  expect(changes.flatMap(({ ledger }) => ledger ?? []).at(-1)).toEqual({
    kind: "excluded",
    sopInstanceUid: "1.2.826.0.1.3680043.9.7.3.1",
    reason: "IDENTIFIER_FOUND",
    detail: "name in (0028,3006)",
  });
  expect(report.document()).toMatchObject({
    counts: { instances: 3, deidentified: 2, rejected: 1 },
    reasons: [{ code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)", count: 1 }],
  });
});

it("holds the whole study back where the profile says so", async () => {
  const { end, report } = await deidentify("basic", [[], [leaking], [naming]]);
  expect(end).toEqual({ kind: "end", state: "quarantined", code: "IDENTIFIER_FOUND" });
  expect(report.document().outcome).toBe("quarantined");
});

const uidOf = (index: number) => `1.2.826.0.1.3680043.9.7.3.${index}`;

it("goes without what a person left out, and still seeks in the others what it tells", async () => {
  const changes = [[], [leaking], [naming]];
  const without = await deidentify("basic", changes, { release: { leaveOut: [uidOf(1)] } });
  expect(without.end).toBeUndefined();
  expect([...without.names].sort()).toEqual(["0.dcm", "2.dcm"]);
  const excluded = { kind: "excluded", sopInstanceUid: uidOf(1), reason: "released-without" };
  expect(without.changes.flatMap(({ ledger }) => ledger ?? [])).toContainEqual(excluded);
  expect(without.report.document()).toMatchObject({
    outcome: "delivered",
    counts: { instances: 3, deidentified: 2, excluded: 1, rejected: 0 },
    release: { leftOut: 1, allowedTags: [], accepted: [] },
    reasons: [{ code: "EXCLUDED", reason: "released-without", count: 1 }],
  });

  const withoutTheNaming = await deidentify("basic", changes, { release: { leaveOut: [uidOf(2)] } });
  expect(withoutTheNaming.end).toMatchObject({ state: "quarantined", code: "IDENTIFIER_FOUND" });
});

it("lets an identifier stand where a person allowed it, there alone, and tells of it", async () => {
  const changes = [[], [leaking], [naming]];
  const allowed = await deidentify("basic", changes, { release: { allowTags: ["(0028,3006)"] } });
  expect(allowed.end).toBeUndefined();
  expect(allowed.files).toHaveLength(3);
  expect(allowed.report.document().release).toEqual({
    leftOut: 0,
    allowedTags: ["(0028,3006)"],
    accepted: [{ reason: "name in (0028,3006)", count: 1 }],
  });
  const elsewhere = await deidentify("basic", changes, { release: { allowTags: ["(0028,0010)/(0028,3006)"] } });
  expect(elsewhere.end).toMatchObject({ code: "IDENTIFIER_FOUND" });
});

it("waives nothing but the search where a tag is allowed", async () => {
  const unclean = text(0x00280301, "YES");
  const { end, changes } = await deidentify("basic", [[], [unclean]], { release: { allowTags: ["(0028,0301)"] } });
  expect(end).toMatchObject({ state: "quarantined", code: "BURNED_IN_ANNOTATION" });
  expect(changes.flatMap(({ ledger }) => ledger ?? []).at(-1)).toMatchObject({ reason: "BURNED_IN_ANNOTATION" });
});

it("holds a study back whose pseudonym stands for another patient, unless patients may become one", async () => {
  const links = new Map<string, string>();
  const patient = (id: string) => [text(0x00100020, id)];
  const participantId = "LUNG-1";
  expect((await deidentify("basic", [patient("P1")], { links, participantId })).end).toBeUndefined();
  expect((await deidentify("basic", [patient("P1 ")], { links, participantId })).end).toBeUndefined();
  const other = await deidentify("basic", [patient("P2")], { links, participantId });
  expect(other.end).toEqual({ kind: "end", state: "quarantined", code: "PSEUDONYM_COLLISION" });
  const merged = await deidentify("basic", [patient("P2")], { links, participantId, mergePatients: true });
  expect(merged.end).toBeUndefined();
});

it("holds a study back whose new UID stands for another study, also where patients may become one", async () => {
  const links = new Map<string, string>();
  const { files } = await deidentify("basic", [[]], { links, mergePatients: true });
  links.set(`${files[0]?.studyInstanceUid}`, "of another study");
  const other = await deidentify("basic", [[]], { links, mergePatients: true });
  expect(other.end).toMatchObject({ state: "quarantined", code: "PSEUDONYM_COLLISION" });
});

function match(uid: string, studyDate: string, studyDescription: string): StudyMatch {
  const described = { studyDate, studyTime: "101500", studyDescription };
  return { studyInstanceUid: parseStudyInstanceUid(uid), patientId: "P1", accessionNumber: "A1", described };
}

it.each<[string, readonly StudyMatch[], string]>([
  ["the earliest", [match(STUDY, "20240229", "Knee"), match(`${STUDY}.1`, "20240115", "Chest")], "Chest"],
  [
    "of two of one day the one of the first UID",
    [match(`${STUDY}.1`, "20240229", "Knee"), match(STUDY, "20240229", "Hip")],
    "Hip",
  ],
  ["itself alone", [match(STUDY, "20240229", "Knee")], "Abdomen"],
  ["one without a date", [match(STUDY, "20240229", "Knee"), match(`${STUDY}.1`, "", "Chest")], "Abdomen"],
  [
    "two of which one comes before, and one without a date",
    [match(STUDY, "20240229", "Knee"), match(`${STUDY}.1`, "20240115", "Chest"), match(`${STUDY}.2`, "", "Hip")],
    "Abdomen",
  ],
  ["none", [], "Abdomen"],
])(
  "has a study that becomes part of another described as the archive describes %s",
  async (_name, combined, expected) => {
    const describe = async (found: readonly StudyMatch[]): Promise<string | undefined> => {
      const { files, end } = await deidentify("research", [[text(0x00081030, "Abdomen")]], { combined: found });
      expect(end).toBeUndefined();
      await using file = await readPart10File(files[0]?.path ?? "");
      return textOf(file.dataSet, tagOf(0x00081030));
    };
    // Whatever comes first in the archive's answer, and however often it is done.
    expect(await describe(combined)).toBe(expected);
    expect(await describe([...combined].reverse())).toBe(expected);
  },
);

it("asks no archive where studies stay apart", async () => {
  const { files } = await deidentify("research", [[text(0x00081030, "Abdomen")]]);
  await using file = await readPart10File(files[0]?.path ?? "");
  expect(textOf(file.dataSet, tagOf(0x00081030))).toBe("Abdomen");
});

const patient = (id: string): DataElement => text(0x00100020, id);

it.each([
  ["who opted out", { optOut: ["P2"] }, "PATIENT_OPTED_OUT"],
  ["who opted out since the study was asked for", { optOutNow: ["P2"] }, "PATIENT_OPTED_OUT"],
  ["who was withdrawn", { withdrawn: ["P2"] }, "PATIENT_WITHDRAWN"],
] as const)(
  "lets no study out in which an image names a patient %s, whoever the archive says it is of",
  async (_, left, code) => {
    const { files, end, changes } = await deidentify("research", [[patient("P1")], [patient("P2 ")]], left);
    expect(end).toEqual({ kind: "end", state: "excluded", code });
    expect(files).toEqual([]);
    expect(changes.filter(({ pseudonym, link }) => pseudonym !== undefined || link !== undefined)).toEqual([]);
    expect((await deidentify("research", [[patient("P3")]], left)).end).toBeUndefined();
  },
);
