import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { textOf } from "../../src/dicom/values.ts";
import type { SearchDocument } from "../../src/operations/inquiries.ts";
import type { FoundStudy } from "../../src/operations/search/documents.ts";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const STUDIES = Array.from({ length: 40 }, (_, index) =>
  syntheticStudy({ modality: "CT", rows: 2, columns: 2, instancesPerSeries: 1, seed: 900 + index }),
);
const UIDS = STUDIES.map(({ studyInstanceUid }) => studyInstanceUid).sort();
const textIn = (study: (typeof STUDIES)[number] | undefined, tag: Parameters<typeof textOf>[1]): string => {
  const dataSet = study?.instances[0]?.dataSet;
  return (dataSet === undefined ? undefined : textOf(dataSet, tag)) ?? "";
};
const DATES = STUDIES.map((study) => textIn(study, tags.StudyDate));
const ALL = { from: "19000101", to: "20991231" };

const opened = new AsyncDisposableStack();
let site: ApiSite;
let home = "";

/** How many studies a day of the busiest day has: no cap below it can be divided away. */
const BUSIEST = Math.max(
  ...Map.groupBy(DATES, (date) => date)
    .values()
    .map((all) => all.length),
);
const CAP = BUSIEST + 2;
const daysIn = (range: string): number =>
  (Date.parse(dashed(range.slice(9))) - Date.parse(dashed(range.slice(0, 8)))) / 86_400_000;
const dashed = (date: string): string => `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  await writeFile(join(folder.path, "key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
  const port = await freePort();
  home = join(folder.path, "home");
  const archives = {
    open: opened.use(await startPracticeArchive({ studies: STUDIES })),
    capped: opened.use(await startPracticeArchive({ studies: STUDIES, faults: { answersAtMost: CAP } })),
    strict: opened.use(
      await startPracticeArchive({
        studies: STUDIES,
        faults: { refuses: (identifier) => daysIn(textOf(identifier, tags.StudyDate) ?? "19000101-20991231") > 4_000 },
      }),
    ),
    shut: opened.use(await startPracticeArchive({ studies: STUDIES, faults: { refuses: () => true } })),
  };
  site = opened.use(
    await openApiSite({
      settings: {
        home,
        dicom: { port },
        archives: Object.entries(archives).map(([name, { address }]) => ({
          ...{ name, kind: "dimse", address, retrieve: "get" },
        })),
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: [
          {
            ...{ name: "lung", destinations: ["store"], profile: "research" },
            ...{ archives: Object.keys(archives), keyFile: join(folder.path, "key") },
          },
        ],
      },
    }),
  );
});
afterAll(() => opened.disposeAsync());

async function searchFor(wish: object) {
  const begun = await site.call("POST", "/cohorts/search", { body: { project: "lung", ...wish } });
  if (begun.status !== 202) throw new Error(`${begun.status} ${begun.text}`);
  const { id } = begun.json as SearchDocument;
  const document = await vi.waitFor(
    async () => {
      const { json } = await site.call("GET", `/inquiries/${id}`);
      expect(json).not.toMatchObject({ state: "running" });
      return json as SearchDocument;
    },
    { timeout: 20_000, interval: 20 },
  );
  const result = await site.call("GET", `/inquiries/${id}/result`);
  const lines = result.text.trimEnd().split("\n");
  return { id, document, result, uids: lines.slice(1).map((line) => line.split(",")[0]) };
}

it("finds every study once in an archive that answers all, and in one that cuts its answers without a word", async () => {
  const open = await searchFor({ archive: "open", queries: [ALL] });
  expect(open.document).toMatchObject({ state: "done", summary: { studies: 40, questions: 1, isComplete: true } });
  expect(open.uids.toSorted()).toEqual(UIDS);
  // That it was asked, and that what was found was given out: the next look is the newest record.
  const { items } = (await site.call("GET", "/audit?limit=3")).json as { readonly items: unknown[] };
  expect(items.slice(0, 2)).toMatchObject([
    { event: "cohort-searched", project: "lung", detail: { archive: "open", queries: 1 } },
    { event: "cohort-searched", project: "lung", detail: { given: true } },
  ]);
  const capped = await searchFor({ archive: "capped", queries: [ALL], archiveCap: CAP });
  expect(capped.document.summary).toMatchObject({ studies: 40, cutDays: 0, isComplete: true });
  expect(capped.document.summary?.questions).toBeGreaterThan(2);
  expect(capped.uids.toSorted()).toEqual(UIDS);
  expect(capped.result.text).toContain("study_instance_uid,accession_number,patient_id,study_date");
});

it("asks for shorter ranges where the archive refuses long ones, and says what it refuses altogether", async () => {
  const { document, uids } = await searchFor({ archive: "strict", queries: [{ keys: ["PatientID=*"], ...ALL }] });
  expect(document.summary).toMatchObject({ studies: 40, isComplete: true });
  expect(uids.toSorted()).toEqual(UIDS);
  const shut = await searchFor({ archive: "shut", queries: [ALL, ALL] });
  expect(shut.document).toMatchObject({ state: "done", summary: { studies: 0, isComplete: false } });
  const { json } = await site.call("GET", `/inquiries/${shut.id}/items`);
  expect((json as { readonly items: unknown[] }).items).toMatchObject([
    { number: 1, studies: 0, code: "DIMSE_FAILED" },
    { number: 2, studies: 0, code: "DIMSE_FAILED" },
  ]);
});

it("matches patterns itself, and a patient and a day by the archive", async () => {
  const [study] = STUDIES;
  const matched = await searchFor({ archive: "open", queries: [{ ...ALL, description: "/MADE-UP p/i" }] });
  expect(matched.document.summary).toMatchObject({ studies: 40, passedOver: 0 });
  const other = await searchFor({ archive: "open", queries: [{ ...ALL, description: "/^(abdomen|head)/i" }] });
  expect(other.document.summary).toMatchObject({ studies: 0, passedOver: 40 });
  const wildcard = await searchFor({ archive: "open", queries: [{ ...ALL, description: "Thorax*" }] });
  expect(wildcard.document.summary).toMatchObject({ studies: 40 });
  const day = DATES[0];
  const patient = await searchFor({
    ...{ archive: "open", queries: [{ keys: [`PatientID=${study?.patientId}`], from: day, to: day }] },
  });
  expect(patient.uids).toEqual([study?.studyInstanceUid]);
});

it.each([
  ["everything", { queries: [{ keys: ["PatientName=*"] }] }, "SEARCH_TOO_BROAD"],
  ["everything without a cap", { queries: [{}], yesAll: true }, "SEARCH_TOO_BROAD"],
  ["a pattern alone", { queries: [{ description: "/lung/" }] }, "SEARCH_TOO_BROAD"],
  ["a pattern that may take for ever", { queries: [{ ...ALL, description: "/(a+)+$/" }] }, "SEARCH_QUERY_INVALID"],
  ["no day", { queries: [{ from: "20260231" }] }, "SEARCH_QUERY_INVALID"],
  ["an unknown keyword", { queries: [{ ...ALL, keys: ["Patient=1"] }] }, "QUERY_KEY_UNKNOWN"],
])("refuses to ask for %s", async (_, wish, code) => {
  const body = { project: "lung", archive: "open", ...wish };
  expect((await site.call("POST", "/cohorts/search", { body })).json).toMatchObject({ code });
});

it("takes everything up to a cap when that is meant, and submits it", async () => {
  const wish = { archive: "open", queries: [{}], yesAll: true, maximumStudies: 7 };
  const { id, document } = await searchFor(wish);
  expect(document.summary).toMatchObject({ studies: 7, isComplete: false });
  const submitted = await site.call("POST", `/inquiries/${id}/submit`);
  expect(submitted).toMatchObject({ status: 201, json: { rows: 7, accepted: 7, project: "lung" } });
  const counted = await searchFor({ ...wish, countOnly: true });
  expect(counted.result).toMatchObject({ status: 409, json: { code: "SEARCH_NOT_KEPT" } });
});

it("shows what it found in pages, and submits the rows that are chosen", async () => {
  const { id, document } = await searchFor({ archive: "open", queries: [ALL] });
  expect(document.summary).toMatchObject({ studies: 40, instances: 40, studiesWithoutCount: 0 });
  type Found = { readonly items: readonly FoundStudy[]; readonly next: string | null };
  const first = (await site.call("GET", `/inquiries/${id}/studies?limit=30`)).json as Found;
  const rest = (await site.call("GET", `/inquiries/${id}/studies?limit=30&cursor=${first.next}`)).json as Found;
  const all = [...first.items, ...rest.items];
  expect(rest.next).toBeNull();
  expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  expect(all.map(({ studyInstanceUid }) => studyInstanceUid).toSorted()).toEqual(UIDS);
  expect(all[0]).toMatchObject({
    patientId: expect.stringMatching(/./),
    instances: 1,
    studyDate: expect.stringMatching(/^\d{8}$/),
  });
  const choose = (choice: object) => site.call("POST", `/inquiries/${id}/submit-chosen`, { body: choice });
  expect(await choose({ only: [2, 40] })).toMatchObject({ status: 201, json: { rows: 2, accepted: 2 } });
  expect(await choose({ without: [1, 2, 3] })).toMatchObject({ status: 201, json: { rows: 37, accepted: 37 } });
  expect(await choose({ only: [41] })).toMatchObject({ status: 422 });
  expect(await choose({})).toMatchObject({ status: 422, json: { code: "API_REQUEST_INVALID" } });
});

it("tells what a search would cost before anything is asked, and how fast the archive was of late", async () => {
  const body = { project: "lung", archive: "capped", queries: [ALL, { ...ALL, modality: "CT" }], archiveCap: CAP };
  const { json } = await site.call("POST", "/cohorts/search/estimate", { body: { ...body, archive: "shut" } });
  expect(json).toMatchObject({ queries: 2, questions: { least: 2, most: 5_000 }, state: "open" });
  const { document } = await searchFor(body);
  const { estimate, summary } = document;
  expect(estimate.questions.least).toBeLessThanOrEqual(summary?.questions ?? 0);
  expect(estimate.questions.most).toBeGreaterThanOrEqual(summary?.questions ?? Number.POSITIVE_INFINITY);
  const again = await site.call("POST", "/cohorts/search/estimate", { body });
  expect(again.json).toMatchObject({ secondsPerQuestion: expect.any(Number), leastSeconds: expect.any(Number) });
  const broad = { body: { ...body, queries: [{}] } };
  expect((await site.call("POST", "/cohorts/search/estimate", broad)).json).toMatchObject({ code: "SEARCH_TOO_BROAD" });
});

it("asks no archive that is paused", async () => {
  await site.service.gateway.operations.controlArchive("strict", { paused: true });
  const body = { project: "lung", archive: "strict", queries: [ALL] };
  expect((await site.call("POST", "/cohorts/search", { body })).json).toMatchObject({ code: "ARCHIVE_PAUSED" });
  await site.service.gateway.operations.controlArchive("strict", { paused: false });
});

it("is for who may see the whole archive, and leaves no file behind", async () => {
  const limited = await site.tokenOf("lung-only", "operator", ["lung"]);
  const body = { project: "lung", archive: "open", queries: [ALL] };
  expect((await site.call("POST", "/cohorts/search", { body, token: limited })).json).toMatchObject({
    code: "PROJECTS_LIMITED",
  });
  const folder = join(home, "searches");
  expect((await readdir(folder)).length).toBeGreaterThan(0);
  await site.service.restart();
  expect(await readdir(folder)).toEqual([]);
});
