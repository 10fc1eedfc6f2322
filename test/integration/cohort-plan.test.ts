import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { PlanDocument } from "../../src/operations/inquiries.ts";
import type { PlannedRow } from "../../src/operations/plan/documents.ts";
import { freePort } from "../peers/free-port.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ct = { modality: "CT", rows: 4, columns: 4, instancesPerSeries: 3 } as const;
const FIRST = syntheticStudy({ ...ct, seed: 81, series: 2 });
const SECOND = syntheticStudy({ ...ct, seed: 82 });
const DELIVERED = syntheticStudy({ ...ct, seed: 83 });
const WITHDRAWN = syntheticStudy({ ...ct, seed: 84, patientId: "WITHDRAWN" });
/** A window that begins tomorrow at the earliest, on whichever day this runs. */
const IN_TWO_DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(new Date().getUTCDay() + 2) % 7];
const NEVER_NOW = `${IN_TWO_DAYS} 10:00-12:00`;
const CSV = { "content-type": "text/csv" };

const opened = new AsyncDisposableStack();
let archive: PracticeArchive;
let site: ApiSite;

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  await writeFile(join(folder.path, "key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
  await writeFile(join(folder.path, "other-key"), `${"2".repeat(64)}\n`, { mode: 0o600 });
  await writeFile(join(folder.path, "opt-out.csv"), "patient_id\nOPTED-OUT\n");
  const port = await freePort();
  const studies = [FIRST, SECOND, DELIVERED, WITHDRAWN];
  archive = opened.use(await startPracticeArchive({ studies, destinations: [`RADFERRY@127.0.0.1:${port}`] }));
  const project = { destinations: ["store"], profile: "research", optOut: [join(folder.path, "opt-out.csv")] };
  site = opened.use(
    await openApiSite({
      settings: {
        dicom: { port },
        archives: [
          {
            name: "practice",
            kind: "dimse",
            address: archive.address,
            retrieve: "move",
            availability: { studiesPerMinute: 1_000 },
          },
          {
            name: "nights",
            kind: "dimse",
            address: archive.address,
            retrieve: "move",
            availability: { windows: [NEVER_NOW], timeZone: "UTC" },
          },
        ],
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: [
          { name: "lung", ...project, archives: ["practice"], keyFile: join(folder.path, "key") },
          { name: "heart", ...project, archives: ["nights"], keyFile: join(folder.path, "other-key") },
        ],
      },
    }),
  );
});
afterAll(() => opened.disposeAsync());

async function ended(id: string): Promise<PlanDocument> {
  return await vi.waitFor(
    async () => {
      const { json } = await site.call("GET", `/inquiries/${id}`);
      expect(json).not.toMatchObject({ state: "running" });
      return json as PlanDocument;
    },
    { timeout: 20_000, interval: 20 },
  );
}

async function plan(
  text: string,
  project = "lung",
): Promise<{ readonly document: PlanDocument; readonly rows: readonly PlannedRow[] }> {
  const begun = await site.call("POST", `/cohorts/plan?project=${project}`, { body: text, headers: CSV });
  expect(begun.status).toBe(202);
  const { id } = begun.json as PlanDocument;
  const document = await ended(id);
  const { json } = await site.call("GET", `/inquiries/${id}/items?limit=100`);
  return { document, rows: (json as { readonly items: readonly PlannedRow[] }).items };
}

const COLUMNS = "study_instance_uid,accession_number,patient_id,series_instance_uids";
const uidRow = (study: { readonly studyInstanceUid: string }, series = "") => `${study.studyInstanceUid},,,${series}`;

it("tells row by row what a cohort would come to, and moves nothing", async () => {
  const { gateway } = site.service;
  const before = await site.call("POST", "/cohorts?project=lung", {
    body: `study_instance_uid\n${DELIVERED.studyInstanceUid}\n`,
    headers: CSV,
  });
  const { cohort } = before.json as { readonly cohort: string };
  await vi.waitFor(
    async () => expect(await gateway.operations.cohortStatus(cohort)).toMatchObject({ done: true }),
    20_000,
  );
  const asked = archive.timesAsked.size;
  const withdrawals = { body: { patientIds: [WITHDRAWN.patientId] } };
  expect((await site.call("POST", "/projects/lung/withdrawals", withdrawals)).json).toMatchObject({ done: 1 });

  const [oneSeries = ""] = FIRST.instances.map(({ seriesInstanceUid }) => seriesInstanceUid);
  const { document, rows } = await plan(
    [
      COLUMNS,
      uidRow(FIRST, oneSeries),
      `,${SECOND.accessionNumber},${SECOND.patientId},`,
      uidRow(SECOND),
      uidRow(DELIVERED),
      "1.2.3.4.5.6,,,",
      `,${SECOND.accessionNumber},OPTED-OUT,`,
      "1.2.*,,,",
      uidRow(FIRST, "1.2.3.9"),
      `,A-9,${WITHDRAWN.patientId},`,
      uidRow(WITHDRAWN),
    ].join("\n"),
  );
  const nothing = { archive: null, studies: 0, series: 0, instances: 0, sizeBytes: 0 };
  const size = { sizeBytes: expect.any(Number) };
  expect(rows).toEqual([
    { number: 1, outcome: "matched", code: null, archive: "practice", studies: 1, series: 1, instances: 3, ...size },
    { number: 2, outcome: "matched", code: null, archive: "practice", studies: 1, series: 1, instances: 3, ...size },
    { ...nothing, number: 3, outcome: "joined", code: null, archive: "practice" },
    { ...nothing, number: 4, outcome: "delivered", code: null },
    { ...nothing, number: 5, outcome: "absent", code: "STUDY_NOT_FOUND" },
    { ...nothing, number: 6, outcome: "opted-out", code: "PATIENT_OPTED_OUT" },
    { ...nothing, number: 7, outcome: "refused", code: "KEY_HAS_WILDCARD" },
    { ...nothing, number: 8, outcome: "absent", code: "SERIES_NOT_FOUND" },
    { ...nothing, number: 9, outcome: "opted-out", code: "PATIENT_WITHDRAWN" },
    { ...nothing, number: 10, outcome: "opted-out", code: "PATIENT_WITHDRAWN" },
  ]);
  // What a study of the same archive and modality weighed is what these are taken to weigh.
  const mean = Math.round(DELIVERED.instances.reduce((sum, { file }) => sum + file.length, 0) / 3);
  const [basis] = document.summary?.disk.basis ?? [];
  expect(basis).toMatchObject({ archive: "practice", modality: "CT", measuredInstances: 3 });
  expect(Math.abs((basis?.bytesPerInstance ?? 0) - mean)).toBeLessThan(200);
  expect(document.summary).toMatchObject({
    rows: 10,
    outcomes: { matched: 2, joined: 1, delivered: 1, absent: 2, "opted-out": 3, refused: 1 },
    studies: 2,
    series: 2,
    instances: 6,
    disk: { sizeBytes: 6 * (basis?.bytesPerInstance ?? 0), fits: true },
    archives: [{ name: "practice", studies: 2, isOpen: true, studiesPerMinute: 1_000, workSeconds: 1 }],
  });
  expect(archive.timesAsked.size).toBe(asked);
  expect(await Array.fromAsync(gateway.operations.listCohorts())).toHaveLength(1);
  const trail = await gateway.operations.readAudit({ limit: 100 });
  expect(trail).toContainEqual(
    expect.objectContaining({ event: "cohort-planned", project: "lung", detail: { rows: 10 } }),
  );
  expect(JSON.stringify([document, rows])).not.toContain(SECOND.studyInstanceUid);
});

it("asks no archive outside its windows, and says when it opens", async () => {
  const { document, rows } = await plan(`study_instance_uid\n${FIRST.studyInstanceUid}\n`, "heart");
  expect(rows).toMatchObject([{ outcome: "not-asked", code: "ARCHIVE_CLOSED", archive: "nights" }]);
  const [nights] = document.summary?.archives ?? [];
  expect(nights).toMatchObject({ isOpen: false, nextOpening: expect.stringMatching(/T10:00:00.000Z$/) });
});

it("shows an inquiry to nobody who may not see its project, and forgets none that is cancelled", async () => {
  const { document } = await plan(`study_instance_uid\n${FIRST.studyInstanceUid}\n`);
  const heart = await site.tokenOf("heart-only", "operator", ["heart"]);
  const hidden = await site.call("GET", `/inquiries/${document.id}`, { token: heart });
  expect([hidden.status, hidden.json]).toEqual([404, expect.objectContaining({ code: "INQUIRY_NOT_FOUND" })]);
  const cancelled = await site.call("POST", `/inquiries/${document.id}/cancel`);
  expect(cancelled.json).toMatchObject({ id: document.id, state: "done" });
  const viewer = await site.tokenOf("viewer", "viewer");
  expect((await site.call("GET", "/inquiries", { token: viewer })).status).toBe(403);
});
