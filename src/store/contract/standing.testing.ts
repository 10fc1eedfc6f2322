import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { StandingCounts, StandingEnd } from "../standing.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, finish, request, submit, theJob } from "./support.testing.ts";

const audit = (event: AuditEvent["event"]): AuditEvent => ({
  event,
  actor: { name: "ann", kind: "command line", role: "operator" },
  outcome: "success",
  project: "lung",
  detail: { standing: "nightly" },
});

const COUNTS: StandingCounts = { found: 3, fresh: 1, changed: 1, known: 1, refused: 0 };

function add(store: Store, name = "nightly", { nextRunAtMs }: { readonly nextRunAtMs?: number } = { nextRunAtMs: 10 }) {
  const facts = { name, project: "lung", archive: "vna", wish: "{}", timetable: "[]", nextRunAtMs };
  return store.addStandingCohort(facts, audit("standing-cohort-added"), 1);
}

function begin(store: Store, nowMs: number, name = "nightly") {
  return store.beginStandingRun(name, { reason: "timetable", dueAtMs: 10, missed: 2, nextRunAtMs: 50 }, nowMs);
}

const end = (facts: Partial<StandingEnd> = {}): StandingEnd => ({ state: "done", counts: COUNTS, ...facts });

async function eventsOf(store: Store): Promise<readonly string[]> {
  return (await store.auditRecords({ after: 0, limit: 9 })).map(({ record }) => JSON.parse(record).event);
}

export const standing: ContractCases = {
  "keeps a search with its timetable, one of a name, and writes down who made it": async (store) => {
    expect(await add(store)).toBe(true);
    expect(await add(store)).toBe(false);
    await add(store, "always", {});
    const facts = { project: "lung", archive: "vna", wish: "{}", timetable: "[]", paused: false, createdAtMs: 1 };
    expect(await store.listStandingCohorts({ limit: 9 })).toEqual([
      { name: "always", ...facts, nextRunAtMs: undefined },
      { name: "nightly", ...facts, nextRunAtMs: 10 },
    ]);
    expect(await store.listStandingCohorts({ after: "always", limit: 9 })).toMatchObject([{ name: "nightly" }]);
    const events = (await store.auditRecords({ after: 0, limit: 9 })).map(({ record }) => record);
    expect(events.filter((record) => record.includes("standing-cohort-added"))).toHaveLength(2);
  },

  "is due when its time has come and nobody paused it": async (store) => {
    await add(store);
    const due = async (nowMs: number) => (await store.dueStandingCohorts(9, nowMs)).map(({ name }) => name);
    expect(await due(9)).toEqual([]);
    expect(await due(10)).toEqual(["nightly"]);
    const changed = audit("standing-cohort-changed");
    await store.changeStandingCohort("nightly", { paused: true }, changed, 11);
    expect(await due(12)).toEqual([]);
    expect(await store.standingCohort("nightly")).toMatchObject({ paused: true, nextRunAtMs: 10 });
    await store.changeStandingCohort("nightly", { paused: false, nextRunAtMs: 20 }, changed, 12);
    expect(await due(19)).toEqual([]);
    expect(await due(20)).toEqual(["nightly"]);
    expect(await store.changeStandingCohort("other", { paused: true }, changed, 12)).toBe(false);
    expect(await eventsOf(store)).toEqual(["standing-cohort-added", changed.event, changed.event]);
  },

  "has one run at a time, which is gone on with until it has ended": async (store) => {
    await add(store);
    const run = await begin(store, 11);
    expect(run).toMatchObject({ standing: "nightly", number: 1, state: "running", reason: "timetable", missed: 2 });
    expect(
      await store.beginStandingRun("nightly", { reason: "asked", dueAtMs: 12, missed: 0, nextRunAtMs: 99 }, 12),
    ).toEqual(run);
    expect((await store.dueStandingCohorts(9, 12)).map(({ nextRunAtMs }) => nextRunAtMs)).toEqual([50]);
    expect(await store.endStandingRun("nightly", 1, end(), 13)).toMatchObject({
      state: "done",
      ...COUNTS,
      endedAtMs: 13,
    });
    expect(await store.endStandingRun("nightly", 1, end(), 14)).toBeUndefined();
    expect(await store.dueStandingCohorts(9, 49)).toEqual([]);
    expect(await begin(store, 51)).toMatchObject({ number: 2 });
    expect(await begin(store, 51, "other")).toBeUndefined();
    expect(await store.endStandingRun("nightly", 1, end(), 52), "of a process that was thought dead").toBeUndefined();
    expect(await store.dueStandingCohorts(9, 60), "due again and running").toHaveLength(1);
    expect((await store.standingRuns("nightly", { limit: 9 })).map(({ number }) => number)).toEqual([2, 1]);
    expect(await store.standingRuns("nightly", { before: 2, limit: 9 })).toMatchObject([{ number: 1 }]);
  },

  "makes a cohort of what is new, named after it, and delivers again what changed": async (store) => {
    const earlier = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    await finish(store, "delivered");
    await finish(store, "failed");
    const [delivered, failed] = await store.listJobs({ cohort: earlier, limit: 9 });
    await add(store);
    await begin(store, 11);
    const ended = await store.endStandingRun(
      "nightly",
      1,
      end({
        cohort: {
          ...{ project: "lung", columns: ["uid"], refused: [] },
          requests: ["1.1", "1.3"].map((studyInstanceUid, index) =>
            request({ rowNumber: index + 1, studyInstanceUid }),
          ),
        },
        again: [delivered?.id ?? "", failed?.id ?? ""],
        seen: [{ studyInstanceUid: "1.1", instances: 9 }],
        audit: { ...audit("cohort-submitted"), detail: { standing: "nightly" } },
      }),
      12,
    );
    expect(ended?.cohort).toMatch(/^nightly-1-/);
    const status = await store.cohortStatus(ended?.cohort ?? "");
    expect(status).toMatchObject({ total: 2, states: { queued: 2 } });
    expect(await store.job(failed?.id ?? "")).toMatchObject({ state: "failed" });
    expect(await store.knownStudies("nightly", ["1.1", "1.3", "1.4"])).toEqual([
      { job: delivered?.id, state: "queued", instances: 0, seen: 9 },
      { job: expect.any(String), state: "queued", instances: 0, seen: undefined },
      { job: undefined, state: undefined, instances: undefined, seen: undefined },
    ]);
    await begin(store, 51);
    await store.endStandingRun("nightly", 2, end({ seen: [{ studyInstanceUid: "1.1", instances: 12 }] }), 52);
    expect(await store.knownStudies("nightly", ["1.1"])).toMatchObject([{ seen: 12 }]);
    const records = await store.auditRecords({ after: 0, limit: 99 });
    expect(records.at(-1)?.record).toContain(ended?.cohort);
  },

  "makes no cohort where nothing is to be fetched, and tells of runs in trouble in the order they ended": async (
    store,
  ) => {
    await add(store);
    await add(store, "weekly");
    await begin(store, 11);
    await begin(store, 11, "weekly");
    await store.endStandingRun("weekly", 1, end({ state: "failed", code: "ARCHIVE_UNABLE" }), 12);
    const requests = { ...{ project: "lung", columns: [], refused: [] }, requests: [] };
    expect(await store.endStandingRun("nightly", 1, end({ cohort: requests }), 13)).toMatchObject({
      cohort: undefined,
    });
    expect(await store.listCohorts({ limit: 9 })).toEqual([]);
    await begin(store, 51);
    await store.endStandingRun("nightly", 2, end({ state: "incomplete", code: "TIMED_OUT" }), 52);
    const troubles = await store.standingTroubles({ after: 0, limit: 9 });
    expect(troubles).toMatchObject([
      { trouble: 1, standing: "weekly", number: 1, project: "lung", code: "ARCHIVE_UNABLE" },
      { trouble: 2, standing: "nightly", number: 2, project: "lung", code: "TIMED_OUT" },
    ]);
    expect(await store.standingTroubles({ after: 1, limit: 9 })).toHaveLength(1);
  },

  "is removed with its runs, and what it brought stays": async (store) => {
    await add(store);
    await begin(store, 11);
    const cohort = {
      ...{ project: "lung", columns: [], refused: [] },
      requests: [request({ studyInstanceUid: "1.1" })],
    };
    const seen = [{ studyInstanceUid: "1.1", instances: 9 }];
    const ended = await store.endStandingRun("nightly", 1, end({ cohort, seen }), 12);
    const job = await theJob(store, ended?.cohort ?? "");
    expect(await store.removeStandingCohort("nightly", audit("standing-cohort-removed"), 13)).toBe(true);
    expect(await store.removeStandingCohort("nightly", audit("standing-cohort-removed"), 13)).toBe(false);
    expect(await eventsOf(store)).toEqual(["standing-cohort-added", "standing-cohort-removed"]);
    expect(await store.standingCohort("nightly")).toBeUndefined();
    expect((await claimed(store)).job.id).toBe(job.id);
    await add(store);
    expect(await store.standingRuns("nightly", { limit: 9 })).toEqual([]);
    expect(await store.knownStudies("nightly", ["1.1"])).toMatchObject([{ job: job.id, seen: undefined }]);
  },
};
