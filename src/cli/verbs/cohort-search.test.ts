import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { gatewayOf, jumpingClock, runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { SearchDocument } from "../../operations/inquiries.ts";
import type { Operations } from "../../operations/operations.ts";
import type { SearchEstimate, SearchSummary, SearchWish } from "../../operations/search/documents.ts";

const SUMMARY: SearchSummary = {
  ...{ instances: 900, studiesWithoutCount: 1 },
  ...{
    queries: 1,
    studies: 2,
    questions: 3,
    passedOver: 0,
    modalityUntold: 0,
    cutDays: 0,
    isComplete: true,
    isKept: true,
  },
};

const ESTIMATE: SearchEstimate = {
  ...{ project: "lung", archive: "vna", queries: 1, associations: 4, longestQuestionSeconds: 300 },
  questions: { least: 1, forDates: 180, forSeries: 4_999, most: 5_000 },
  ...{ secondsPerQuestion: null, leastSeconds: null, state: "open", closesAt: null },
  startsAt: "2026-01-01T00:00:00.000Z",
  retrieval: {
    ...{ maximumStudies: 500_000, studiesPerMinute: null, bytesPerSecond: null, workSeconds: null, doneAt: null },
  },
};

interface Scene {
  readonly csv?: string;
  readonly summary?: SearchSummary;
  readonly estimate?: Partial<SearchEstimate>;
}

async function search(args: readonly string[], more: Scene = {}) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), "home: ./home\n");
  await writeFile(join(folder.path, "queries.csv"), more.csv ?? "");
  const wishes: SearchWish[] = [];
  const document: SearchDocument = {
    ...{ id: "i1", kind: "search", project: "lung", archive: "vna", state: "done", code: null, endedAt: null },
    ...{ startedAt: "2026-01-01T00:00:00.000Z", progress: { done: 1, total: 1 }, summary: more.summary ?? SUMMARY },
    estimate: { ...ESTIMATE, ...more.estimate },
  };
  const operations: Partial<Operations> = {
    estimateSearch: async () => document.estimate,
    async searchCohort(wish) {
      wishes.push(wish);
      return document;
    },
    inquiryItems: async () => [{ number: 1, studies: 2, questions: 3, cutDays: 0, code: null }],
    async *searchResult() {
      yield Buffer.from("study_instance_uid\n1.2\n");
    },
    submitSearch: async () => ({ cohort: "c9", project: "lung", rows: 2, accepted: 2, joined: 1, refused: [] }),
  };
  const world = {
    workingFolder: folder.path,
    clock: jumpingClock(),
    openGateway: async () => gatewayOf(operations),
  };
  const ran = await runCli(["cohort", "search", "--project", "lung", "--archive", "vna", ...args], world);
  const written = await readFile(join(folder.path, "wanted.csv"), "utf8").catch(() => undefined);
  return { ...ran, wishes, written };
}

it("counts, and keeps nothing, unless a file or a cohort is asked for", async () => {
  const { exitCode, wishes, stderr } = await search(["PatientID=7", "--from", "2026-01-31", "--modality", "CT"]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain("2 studies by 1 query, which asked the archive 3 questions");
  expect(stderr).toContain("900 instances to retrieve, and of 1 study the archive does not say how many");
  expect(wishes).toMatchObject([
    { countOnly: true, queries: [{ keys: ["PatientID=7"], from: "20260131", modality: "CT" }] },
  ]);
});

it("writes what was found, and submits it", async () => {
  const { stdout, written } = await search(["--from", "20260131", "-o", "wanted.csv", "--submit"]);
  expect(written).toBe("study_instance_uid\n1.2\n");
  expect(stdout).toContain("cohort c9: 2 studies accepted, 1 of them known already");
});

it("takes a query from each row of a file", async () => {
  const csv = "patient_id,From,StudyID,description\n4711,2026-01-01,,\n4712,,S1,/lung/i\n";
  const { wishes } = await search(["--queries", "queries.csv"], { csv });
  expect(wishes[0]?.queries).toMatchObject([
    { keys: ["PatientID=4711"], from: "20260101" },
    { keys: ["PatientID=4712", "StudyID=S1"], description: "/lung/i" },
  ]);
  expect((await search(["PatientID=1", "--queries", "queries.csv"], { csv })).exitCode).toBe(2);
});

it("says by its exit code that something may be missing, or that nothing was found", async () => {
  expect((await search([], { summary: { ...SUMMARY, cutDays: 1, isComplete: false } })).exitCode).toBe(3);
  expect((await search([], { summary: { ...SUMMARY, studies: 0 } })).exitCode).toBe(1);
});

it("says what it will cost the archive before it is asked", async () => {
  const { stderr } = await search(["--from", "2026-01-31", "--modality", "CT"]);
  const [first, ...rest] = stderr.split("\n");
  expect(first).toBe("to ask vna: 1 question for 1 query, 5000 at most");
  expect(rest.slice(0, 5)).toEqual([
    "  up to 180 of them to divide dates, if it cuts its answers",
    "  up to 4999 of them for series, if it does not tell of which modality studies are",
    "  one question at a time, of 4 that it allows, each 300 s at most; how fast it answers is not known yet",
    "  it may be asked now",
    "  what is found is then retrieved without a limit of studies per minute",
  ]);
});

it("asks nothing in a rehearsal", async () => {
  const retrieval = { ...ESTIMATE.retrieval, maximumStudies: 600, studiesPerMinute: 2, workSeconds: 18_000 };
  const estimate: Partial<SearchEstimate> = {
    ...{ state: "closed", startsAt: "2026-01-01T20:00:00.000Z", leastSeconds: 3 },
    retrieval: { ...retrieval, doneAt: "2026-01-02T01:00:00.000Z" },
  };
  const { exitCode, stdout, wishes } = await search(["PatientID=7", "--submit", "--dry-run"], { estimate });
  expect({ exitCode, wishes }).toEqual({ exitCode: 0, wishes: [] });
  expect(stdout).toContain("its windows are closed: it can be asked from 2026-01-01T20:00:00.000Z");
  expect(stdout).toContain("about 3 s as of late");
  expect(stdout).toContain("to retrieve 600 studies takes 5 h at 2 a minute, done at 2026-01-02T01:00:00.000Z");
});
