import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadProfile } from "../deid/profiles/load-profile.ts";
import { projectKeyOf } from "../deid/pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, text } from "../deid/testing/objects.ts";
import { createStudyDeidentifier } from "../deid/workers/study-run.ts";
import type { DataElement } from "../dicom/data-set.ts";
import { tagOf } from "../dicom/tag.ts";
import { element } from "../dicom/values.ts";
import type { JobChange, PseudonymLink, Release } from "../store/records.ts";
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
}

/** The step on a study of staged instances, each changed as told. */
async function deidentify(
  profileName: string,
  changes: readonly (readonly DataElement[])[],
  { release, participantId, mergePatients = false, links = new Map() }: Circumstances = {},
): Promise<Outcome> {
  const profile = await loadProfile(profileName);
  const key = projectKeyOf(Buffer.alloc(32, 4));
  const staged = await Promise.all(
    changes.map(async (elements, index) => {
      const sopInstanceUid = `1.2.826.0.1.3680043.9.7.3.${index}`;
      const dataSet = ctImage([text(0x00080018, sopInstanceUid), ...elements]);
      const path = await put(join(folder, "staged", `${index}.dcm`), await part10Bytes(dataSet));
      return { path, sopInstanceUid, seriesInstanceUid: "1.2.826.0.1.3680043.9.7.2" };
    }),
  );
  const written: JobChange[] = [];
  const outbox = join(folder, "outbox");
  const context = {
    services: {
      store: {
        ledger: async () => staged.map((one) => ({ ...one, receivedAtMs: 1 })),
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
      clock: { nowMs: () => 0 },
    },
    project: {
      name: "trial",
      profile,
      keyId: key.id,
      mergePatients,
      deidentifier: createStudyDeidentifier({ profile, key, filters: {} }),
    },
    job: { id: "job", participantId, studyInstanceUid: "1.2.826.0.1.3680043.9.7.1" },
    signal: new AbortController().signal,
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  const result = await deidentifyStudy(context);
  return { ...result, changes: written, names: await readdir(outbox) };
}

const leaking = element(tagOf(0x00283006), "OW", Buffer.from("..borogove"));
const naming = text(0x00081070, "Borogove^Mimsy");

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
