import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Operations } from "../../src/operations/operations.ts";
import type { NewStanding, StandingDetailDocument } from "../../src/operations/standing/documents.ts";
import { systemClock } from "../../src/units/clock.ts";
import { freePort } from "../peers/free-port.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DAY_MS = 86_400_000;
const plan = { modality: "CT", rows: 2, columns: 2 } as const;
const small = (seed: number, instancesPerSeries = 1) => syntheticStudy({ ...plan, instancesPerSeries, seed });
const BEFORE = [small(1_101), small(1_102)];
/** One study more, and an instance more of the first. */
const AFTER = [small(1_101, 2), small(1_102), small(1_103)];
const ALL = { keys: [], from: "19000101", to: "today" };
const WAIT = { timeout: 25_000, interval: 50 };

const opened = new AsyncDisposableStack();
let site: ApiSite;
let archive: PracticeArchive;
let archivePort = 0;
/** How far the clock is ahead. */
let aheadMs = 0;

async function openArchive(studies: readonly SyntheticStudy[]): Promise<void> {
  archive = await startPracticeArchive({ studies, port: archivePort });
}

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  const projects = ["lung", "brain"];
  for (const [index, name] of projects.entries())
    await writeFile(join(folder.path, name), `${String(index).repeat(64)}\n`, { mode: 0o600 });
  archivePort = await freePort();
  await openArchive(BEFORE);
  opened.defer(() => archive[Symbol.asyncDispose]());
  const reading = { kind: "dimse", address: `PRACTICE@127.0.0.1:${archivePort}`, retrieve: "get" };
  site = opened.use(
    await openApiSite({
      clock: { ...systemClock, nowMs: () => Date.now() + aheadMs },
      settings: {
        dicom: { port: await freePort() },
        archives: [
          { name: "practice", ...reading },
          { name: "paused", ...reading },
        ],
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: projects.map((name) => ({
          ...{ name, archives: ["practice", "paused"], destinations: ["store"], profile: "research" },
          keyFile: join(folder.path, name),
        })),
      },
    }),
  );
});
afterAll(() => opened.disposeAsync());

const operations = (): Operations => site.service.gateway.operations;

/** Far from now, so that it runs when a test says so. */
async function add(name: string, wish: Partial<NewStanding> = {}): Promise<void> {
  const times = [new Date(Date.now() + aheadMs + DAY_MS / 2).toISOString().slice(11, 16)];
  const facts = { name, project: "lung", archive: "practice", queries: [ALL], times, timeZone: "UTC", ...wish };
  expect(await site.call("POST", "/standing-cohorts", { body: facts })).toMatchObject({ status: 201 });
}

/** When a run of so high a number has ended. */
async function ended(name: string, number: number): Promise<StandingDetailDocument> {
  return await vi.waitFor(async () => {
    const standing = await operations().showStanding(name);
    const { state } = standing.lastRun ?? {};
    if (standing.lastRun?.number !== number || state === "running") throw new Error(`run ${number} is ${state}`);
    return standing;
  }, WAIT);
}

async function delivered(cohort: string | null | undefined): Promise<void> {
  await vi.waitFor(async () => {
    const { states, total } = await operations().cohortStatus(cohort ?? "");
    expect(states.delivered).toBe(total);
  }, WAIT);
}

it("fetches what is new, then nothing, then what is new or changed", async () => {
  await add("nightly");
  await site.call("POST", "/standing-cohorts/nightly/run");
  const first = (await ended("nightly", 1)).lastRun;
  expect(first).toMatchObject({ state: "done", reason: "asked", found: 2, fresh: 2, changed: 0, known: 0 });
  expect(first?.cohort).toMatch(/^nightly-1-/);
  await delivered(first?.cohort);

  await operations().runStanding("nightly");
  expect((await ended("nightly", 2)).lastRun).toMatchObject({
    state: "done",
    found: 2,
    fresh: 0,
    known: 2,
    cohort: null,
  });

  await archive[Symbol.asyncDispose]();
  await openArchive(AFTER);
  await operations().runStanding("nightly");
  const third = (await ended("nightly", 3)).lastRun;
  expect(third).toMatchObject({ state: "done", found: 3, fresh: 1, changed: 1, known: 1 });
  await delivered(third?.cohort);
  const jobs = await Array.fromAsync(operations().listStudies({ cohort: third?.cohort ?? "" }));
  expect(jobs.map(({ delivered: count }) => count).toSorted()).toEqual([1, 2]);
  expect(archive.timesAsked.get(BEFORE[1]?.studyInstanceUid ?? "")).toBeUndefined();

  await operations().runStanding("nightly");
  expect((await ended("nightly", 4)).lastRun).toMatchObject({ found: 3, fresh: 0, changed: 0, known: 3, cohort: null });
});

it("runs by its timetable, once for all times that passed while nothing ran", async () => {
  await add("daily");
  aheadMs += DAY_MS;
  const first = await ended("daily", 1);
  expect(first.lastRun).toMatchObject({ state: "done", reason: "timetable", missed: 0, known: 3 });
  expect(Date.parse(first.nextRunAt ?? "")).toBeGreaterThan(Date.now() + aheadMs);
  const restarted = site.service.restart();
  aheadMs += 3 * DAY_MS;
  await restarted;
  const { lastRun } = await ended("daily", 2);
  expect(lastRun).toMatchObject({ state: "done", reason: "caught-up", missed: 2 });
  await operations().removeStanding("daily");
});

it("does nothing while it is paused, and goes on without making up for it", async () => {
  await add("resting");
  expect(await operations().pauseStanding("resting")).toMatchObject({ paused: true, nextRunAt: null });
  aheadMs += DAY_MS;
  const { nextRunAt, lastRun } = await operations().resumeStanding("resting");
  expect(lastRun).toBeNull();
  expect(Date.parse(nextRunAt ?? "")).toBeGreaterThan(Date.now() + aheadMs);
  await operations().removeStanding("resting");
  expect(await site.call("GET", "/standing-cohorts/resting")).toMatchObject({
    status: 404,
    json: { code: "STANDING_NOT_FOUND" },
  });
});

it("waits for its archive, over a restart, and is then run once", async () => {
  await operations().controlArchive("paused", { paused: true });
  await add("waiting", { archive: "paused" });
  await operations().runStanding("waiting");
  await operations().runStanding("waiting");
  await site.service.restart();
  expect(await operations().showStanding("waiting")).toMatchObject({ lastRun: { number: 1, state: "running" } });
  await operations().controlArchive("paused", { paused: false });
  expect((await ended("waiting", 1)).runs).toMatchObject([{ state: "done", known: 3 }]);
  await operations().controlArchive("paused", { overrides: { windows: closedNow(), timeZone: "UTC" } });
  const { opensAt } = await operations().runStanding("waiting");
  expect(Date.parse(opensAt ?? "")).toBeGreaterThan(Date.now() + aheadMs);
  await operations().removeStanding("waiting");
});

/** A window that begins in about six hours. */
function closedNow(): readonly string[] {
  const hour = new Date(Date.now() + aheadMs + DAY_MS / 4).getUTCHours();
  const two = (part: number): string => String(part % 24).padStart(2, "0");
  return [`Mon-Sun ${two(hour)}:00-${two(hour + 1)}:00`];
}

it("refuses a run that finds more than it may, and says so", async () => {
  await add("growing", { maximumStudies: 2 });
  await operations().runStanding("growing");
  const { lastRun } = await ended("growing", 1);
  expect(lastRun).toMatchObject({ state: "failed", code: "STANDING_SEARCH_GREW", cohort: null });
});

it.each([
  ["a name twice", { name: "nightly" }, "STANDING_NAME_TAKEN"],
  ["no time", { times: ["2 am"] }, "STANDING_TIMETABLE_INVALID"],
  ["everything", { queries: [{}] }, "SEARCH_TOO_BROAD"],
  ["a date that is none", { queries: [{ from: "yesterday" }] }, "API_REQUEST_INVALID"],
  ["another project's archive", { archive: "vna" }, "ARCHIVE_UNKNOWN"],
])("refuses %s", async (_, wish, code) => {
  const facts = { name: "other", project: "lung", archive: "practice", queries: [ALL], times: ["02:00"] };
  expect((await site.call("POST", "/standing-cohorts", { body: { ...facts, ...wish } })).json).toMatchObject({ code });
});

it("asks for no study of a patient who was withdrawn", async () => {
  const before = await Array.fromAsync(operations().listStudies({}));
  const [, { patientId } = { patientId: "" }] = BEFORE;
  await site.call("POST", "/projects/lung/withdrawals", { body: { patientIds: [patientId] } });
  const { lastRun } = await operations().showStanding("nightly");
  for (const number of [1, 2].map((more) => (lastRun?.number ?? 0) + more)) {
    await operations().runStanding("nightly");
    expect((await ended("nightly", number)).lastRun).toMatchObject({ found: 3, fresh: 0, refused: 1, cohort: null });
  }
  expect(await Array.fromAsync(operations().listStudies({}))).toHaveLength(before.length);
});

it("is for who may see the whole archive; others see what runs for their projects", async () => {
  const limited = await site.tokenOf("lung-only", "operator", ["lung"]);
  const viewer = await site.tokenOf("brain-only", "viewer", ["brain"]);
  const asked = await site.call("POST", "/standing-cohorts/nightly/run", { token: limited });
  expect(asked.json).toMatchObject({ code: "PROJECTS_LIMITED" });
  const listed = await site.call("GET", "/standing-cohorts", { token: limited });
  expect((listed.json as { readonly items: readonly object[] }).items).toMatchObject([
    { name: "growing" },
    { name: "nightly" },
  ]);
  expect(listed.text).not.toContain("19000101");
  expect((await site.call("GET", "/standing-cohorts", { token: viewer })).json).toEqual({ items: [] });
});
