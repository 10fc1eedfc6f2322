import { expect, it } from "vitest";
import { createStudyReport } from "../deid/study-report.ts";
import type { CodeCount } from "../store/failures.ts";
import type { Store } from "../store/store.ts";
import type { ThroughputCount } from "../store/throughput.ts";
import type { AuditEvent } from "../units/audit.ts";
import { packJson } from "../units/packed-json.ts";
import { contextOf } from "./context.testing.ts";
import type { OperationsContext } from "./context.ts";
import { createOperations } from "./create-operations.ts";

const HOUR_MS = 3_600_000;

function operationsOver(store: Partial<Store>, of: Partial<OperationsContext> = {}, told: AuditEvent[] = []) {
  return createOperations({ ...contextOf({ role: "admin", told, store }), ...of });
}

/** Somebody who may see one project. */
const LUNG_ONLY = { actor: { name: "pat", kind: "token", role: "operator", projects: ["lung"] } } as const;

const COUNTS: readonly CodeCount[] = [
  { project: "lung", code: "STUDY_NOT_FOUND", state: "not-found", jobs: 2 },
  { project: "heart", code: "STUDY_NOT_FOUND", state: "not-found", jobs: 5 },
  { project: "lung", code: "ARCHIVE_UNABLE", state: "waiting", jobs: 9 },
  { project: "lung", code: "ARCHIVE_UNABLE", state: "failed", jobs: 3 },
  { project: "lung", code: "CANCELLED", state: "cancelled", jobs: 40 },
  { project: "lung", code: "NOTHING_LEFT_BY_FILTERS", state: "excluded", jobs: 50 },
];
const counted = { codeCounts: async () => COUNTS };

it("groups what went wrong by code, the most frequent first, with what to do", async () => {
  expect(await operationsOver(counted).listFailures()).toEqual([
    expect.objectContaining({
      code: "STUDY_NOT_FOUND",
      class: "permanent",
      remedy: expect.stringContaining("Check the identifiers"),
      studies: 7,
      waiting: 0,
      projects: { lung: 2, heart: 5 },
    }),
    expect.objectContaining({
      code: "ARCHIVE_UNABLE",
      // Nothing of the three goes on by itself, whatever is said of the code.
      remedy: expect.stringContaining("used up its tries: `radferry study retry --code ARCHIVE_UNABLE`"),
      studies: 3,
      waiting: 9,
      states: { waiting: 9, failed: 3 },
      projects: { lung: 12 },
    }),
  ]);
});

it("shows who is limited to some projects what went wrong in them", async () => {
  const operations = operationsOver(counted, LUNG_ONLY);
  expect((await operations.listFailures()).map(({ code, studies }) => [code, studies])).toEqual([
    ["ARCHIVE_UNABLE", 3],
    ["STUDY_NOT_FOUND", 2],
  ]);
  await expect(operations.listFailures({ project: "heart" })).rejects.toMatchObject({ code: "PROJECT_UNKNOWN" });
});

it("tells who is limited to some projects nothing of what waits in others", async () => {
  const store: Partial<Store> = {
    jobCounts: async () => [],
    listNodes: async () => [],
    oldestWaitingAtMs: async (projects) => (projects?.includes("heart") === false ? undefined : 0),
  };
  expect((await operationsOver(store).overview()).oldestWaitingSeconds).not.toBeNull();
  expect((await operationsOver(store, LUNG_ONLY).overview()).oldestWaitingSeconds).toBeNull();
});

/** A store with so many jobs that were not found; each call is written down. */
function storeOf(jobs: number) {
  const asked: unknown[] = [];
  let left = jobs;
  const store: Partial<Store> = {
    async retryFailures(selection, page) {
      asked.push({ ...selection, ...(page.after === undefined ? {} : { after: page.after }) });
      if (selection.state !== "not-found") return { retried: 0, last: undefined };
      const retried = Math.min(left, page.limit);
      left -= retried;
      return { retried, last: retried < page.limit ? undefined : `job-${left}` };
    },
  };
  return { store, asked };
}

it("retries all that ended with a code, part by part, and writes it down once", async () => {
  const told: AuditEvent[] = [];
  const { store, asked } = storeOf(450);
  expect(await operationsOver(store, {}, told).retryFailures("STUDY_NOT_FOUND")).toEqual({ retried: 450 });
  const ofNotFound = asked.filter((each) => JSON.stringify(each).includes("not-found"));
  const selection = { code: "STUDY_NOT_FOUND", state: "not-found" };
  expect(ofNotFound).toEqual([selection, { ...selection, after: "job-250" }, { ...selection, after: "job-50" }]);
  expect(told).toMatchObject([
    { event: "studies-retried", actor: { name: "sam" }, detail: { code: "STUDY_NOT_FOUND", studies: 450 } },
  ]);
});

it("retries for who is limited to some projects those of them alone", async () => {
  const { store, asked } = storeOf(1);
  await operationsOver(store, LUNG_ONLY).retryFailures("STUDY_NOT_FOUND");
  expect(asked).not.toEqual([]);
  for (const each of asked) expect(each).toMatchObject({ project: "lung" });
});

it("writes down what was retried before the store failed", async () => {
  const told: AuditEvent[] = [];
  const { store } = storeOf(200);
  const first = store.retryFailures;
  const failing: Partial<Store> = {
    async retryFailures(selection, page, nowMs) {
      if (page.after !== undefined || first === undefined) throw new Error("gone");
      return await first(selection, page, nowMs);
    },
  };
  await expect(operationsOver(failing, {}, told).retryFailures("STUDY_NOT_FOUND")).rejects.toThrow("gone");
  expect(told).toMatchObject([{ event: "studies-retried", detail: { studies: 200 } }]);
});

it("gives a number for every hour, also where nothing was delivered", async () => {
  const delivered = { studies: 1, instances: 4, bytes: 100 };
  const counts: readonly ThroughputCount[] = [
    { startedAtMs: 99 * HOUR_MS, project: "lung", ...delivered },
    { startedAtMs: 100 * HOUR_MS, project: "heart", ...delivered },
    { startedAtMs: 100 * HOUR_MS, project: "lung", ...delivered },
  ];
  const asked: unknown[] = [];
  const store: Partial<Store> = {
    throughput: async (...args) => {
      asked.push(args);
      return counts;
    },
  };
  const clock = { nowMs: () => 100.5 * HOUR_MS, sleep: () => Promise.reject(new Error("nothing sleeps here")) };
  const { buckets } = await operationsOver(store, { clock }).throughput({ span: "hour" });
  expect(asked).toEqual([["hour", 53 * HOUR_MS]]);
  expect(buckets).toHaveLength(48);
  expect(buckets.slice(-3)).toEqual([
    { at: "1970-01-05T02:00:00.000Z", studies: 0, instances: 0, bytes: 0 },
    { at: "1970-01-05T03:00:00.000Z", ...delivered },
    { at: "1970-01-05T04:00:00.000Z", studies: 2, instances: 8, bytes: 200 },
  ]);
  const own = await operationsOver(store, { clock, ...LUNG_ONLY }).throughput({ span: "hour" });
  expect(own.buckets.at(-1)).toMatchObject({ studies: 1 });
  await expect(operationsOver(store, { clock }).throughput({ span: "day", project: "none" })).rejects.toMatchObject({
    code: "PROJECT_UNKNOWN",
  });
});

it("names the attributes that de-identification changed", async () => {
  const profile = { name: "research", version: 1, hash: "ab", reviews: [], onReject: "study" };
  const report = createStudyReport({ project: "lung", profile: profile as never, keyId: "12345678" });
  report.add({ kind: "rejected", code: "IDENTIFIER_FOUND", reason: "name in (0008,1030)" });
  const document = {
    ...report.document(),
    actions: { "(0010,0010)": { pseudonym: 2 }, "(0008,0080)": { removed: 2, emptied: 1 }, "(60xx,3000)": { kept: 1 } },
    unlisted: { "(0009,0001)": 2 },
  };
  const packed = await packJson(document);
  const store: Partial<Store> = { studyReport: async () => ({ atMs: 5, packed }), thumbnail: async () => undefined };
  expect(await operationsOver(store).studyReport("job-1")).toMatchObject({
    id: "job-1",
    at: "1970-01-01T00:00:00.005Z",
    outcome: "quarantined",
    hasThumbnail: false,
    counts: { instances: 1, rejected: 1 },
    actions: { pseudonym: 2, removed: 2, emptied: 1, kept: 1 },
    elements: [
      { tag: "(0010,0010)", keyword: "PatientName" },
      { tag: "(0008,0080)", keyword: "InstitutionName", actions: { removed: 2, emptied: 1 } },
      { tag: "(60xx,3000)", keyword: "" },
    ],
    unlisted: [{ tag: "(0009,0001)", keyword: "", count: 2 }],
    reasons: [{ code: "IDENTIFIER_FOUND", reason: "name in (0008,1030)", count: 1 }],
    verification: { hits: 1 },
  });
});

it("says so when no report and no picture of a study is kept", async () => {
  const operations = operationsOver({ studyReport: async () => undefined, thumbnail: async () => undefined });
  await expect(operations.studyReport("j")).rejects.toMatchObject({ code: "STUDY_REPORT_NOT_KEPT" });
  await expect(operations.studyThumbnail("j")).rejects.toMatchObject({ code: "STUDY_THUMBNAIL_NOT_KEPT" });
});

it("takes a report that is none for damage", async () => {
  const packed = await packJson({ some: "thing" });
  const store: Partial<Store> = { studyReport: async () => ({ atMs: 5, packed }), thumbnail: async () => undefined };
  await expect(operationsOver(store).studyReport("j")).rejects.toMatchObject({ code: "STORE_DAMAGED" });
});
