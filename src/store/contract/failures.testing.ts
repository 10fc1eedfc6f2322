import { expect } from "vitest";
import type { ErrorCode } from "../../errors/registry.ts";
import type { JobState } from "../job-states.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, study, submit } from "./support.testing.ts";

async function countsOf(store: Store): Promise<readonly string[]> {
  const counts = await store.codeCounts();
  return counts.map(({ project, code, state, jobs }) => `${project} ${code} ${state} ${jobs}`).sort();
}

/** Ends the next job. */
async function end(store: Store, state: Exclude<JobState, "running">, code?: ErrorCode): Promise<string> {
  const { lease, job } = await claimed(store);
  const dueAtMs = 10_000;
  await store.settle(lease, { state, attempts: 1, dueAtMs, ...(code === undefined ? {} : { code }) }, 1);
  return job.id;
}

/** Jobs of two projects; returns the ids of those that ended with STUDY_NOT_FOUND, in order. */
async function severalFailures(store: Store): Promise<{ readonly cohort: string; readonly lost: readonly string[] }> {
  const cohort = await submit(
    store,
    [1, 2, 3, 4].map((number) => ({ studyInstanceUid: `1.${number}` })),
  );
  const lost = [await end(store, "not-found", "STUDY_NOT_FOUND"), await end(store, "not-found", "STUDY_NOT_FOUND")];
  await end(store, "waiting", "ARCHIVE_UNABLE");
  await end(store, "delivered");
  await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.5" }], { project: "heart" });
  lost.push(await end(store, "not-found", "STUDY_NOT_FOUND"));
  await end(store, "failed", "ARCHIVE_UNABLE");
  return { cohort, lost };
}

export const failures: ContractCases = {
  "counts jobs by project, code and state, whatever becomes of them": async (store) => {
    await severalFailures(store);
    expect(await countsOf(store)).toEqual([
      "heart ARCHIVE_UNABLE failed 1",
      "heart STUDY_NOT_FOUND not-found 1",
      "lung ARCHIVE_UNABLE waiting 1",
      "lung STUDY_NOT_FOUND not-found 2",
    ]);
    // What is taken up again has no code any more.
    await claimed(store, 10_000);
    await store.retryJobs({ job: String((await store.listJobs({ projects: ["heart"], limit: 1 }))[0]?.id) }, 10_001);
    expect(await countsOf(store)).toEqual(["heart ARCHIVE_UNABLE failed 1", "lung STUDY_NOT_FOUND not-found 2"]);
  },

  "counts no job that was dissolved": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { accessionNumber: "A1" }]);
    await end(store, "failed", "STORE_FULL");
    const { lease } = await claimed(store);
    await store.change(lease, { code: "ARCHIVE_UNABLE" }, 1);
    expect(await countsOf(store)).toEqual(["lung ARCHIVE_UNABLE running 1", "lung STORE_FULL failed 1"]);
    expect(await store.located(lease, "vna", [study("1.1")], 2)).toBe("joined");
    // Who asked for the dissolved one asks for the other again.
    expect(await countsOf(store)).toEqual([]);
  },

  "lists jobs by code, with every other condition": async (store) => {
    const { cohort, lost } = await severalFailures(store);
    const idsOf = async (filter: Omit<Parameters<Store["listJobs"]>[0], "limit">) =>
      (await store.listJobs({ ...filter, limit: 9 })).map(({ id }) => id);
    expect(await idsOf({ code: "STUDY_NOT_FOUND" })).toEqual(lost);
    expect(await idsOf({ code: "STUDY_NOT_FOUND", after: String(lost[0]) })).toEqual(lost.slice(1));
    expect(await idsOf({ code: "STUDY_NOT_FOUND", projects: ["heart"] })).toEqual([lost[2]]);
    expect(await idsOf({ code: "STUDY_NOT_FOUND", state: "failed" })).toEqual([]);
    expect(await idsOf({ code: "STUDY_NOT_FOUND", state: "not-found", projects: ["lung"] })).toEqual(lost.slice(0, 2));
    expect(await idsOf({ code: "STUDY_NOT_FOUND", cohort })).toEqual(lost.slice(0, 2));
    expect(await idsOf({ code: "ARCHIVE_UNABLE", state: "waiting" })).toHaveLength(1);
  },

  "retries jobs of one code a part at a time, each once": async (store) => {
    const { lost } = await severalFailures(store);
    const selection = { code: "STUDY_NOT_FOUND", state: "not-found" } as const;
    const first = await store.retryFailures(selection, { limit: 2 }, 20);
    expect(first).toEqual({ retried: 2, last: lost[1] });
    // The first fails again before the rest is looked at.
    await end(store, "not-found", "STUDY_NOT_FOUND");
    expect(await store.retryFailures(selection, { limit: 2, after: String(first.last) }, 21)).toEqual({
      retried: 1,
      last: undefined,
    });
    expect(await store.job(String(lost[2]))).toMatchObject({ state: "queued", code: undefined, attempts: 0 });
    expect(await countsOf(store)).toContain("lung STUDY_NOT_FOUND not-found 1");
  },

  "retries those of a project or a cohort, and nothing that is under way": async (store) => {
    const { cohort } = await severalFailures(store);
    const of = { code: "STUDY_NOT_FOUND", state: "not-found" } as const;
    expect(await store.retryFailures({ ...of, project: "heart" }, { limit: 9 }, 20)).toMatchObject({ retried: 1 });
    expect(await store.retryFailures({ ...of, cohort, project: "heart" }, { limit: 9 }, 20)).toMatchObject({
      retried: 0,
    });
    expect(await store.retryFailures({ ...of, cohort }, { limit: 9 }, 20)).toMatchObject({ retried: 2 });
    // Who has some of a cohort tried again wants it again: another cohort's cancel leaves its studies alone.
    await store.cancelJobs({ cohort }, 21);
    const cancelled = { code: "CANCELLED", state: "cancelled", cohort } as const;
    expect(await store.retryFailures(cancelled, { limit: 9 }, 22)).toMatchObject({ retried: 3 });
    const rows = [1, 2, 3].map((number) => ({ studyInstanceUid: `1.${number}` }));
    expect(await store.cancelJobs({ cohort: await submit(store, rows, { nowMs: 23 }) }, 24)).toBe(0);
    const waiting = { code: "ARCHIVE_UNABLE", state: "waiting" } as const;
    expect(await store.retryFailures(waiting, { limit: 9 }, 20)).toEqual({ retried: 0, last: undefined });
  },
};
