import { expect } from "vitest";
import type { JobFilter } from "../store.ts";
import { type ContractCases, claimed, finish, refusal, study, submit } from "./support.testing.ts";

export const listing: ContractCases = {
  "pages by key through every filter": async (store) => {
    const rows = Array.from({ length: 7 }, (_, index) => ({ studyInstanceUid: `1.${index + 1}` }));
    const cohort = await submit(store, rows);
    const lessUrgent = rows.map((row) => ({ ...row, priority: 1 }));
    await submit(store, lessUrgent, { project: "heart" });
    const failedId = await finish(store, "failed");
    const idsOf = async (filter: Omit<JobFilter, "limit">) => {
      const ids: string[] = [];
      for (let after: string | undefined; ; after = ids.at(-1)) {
        const page = await store.listJobs({ ...filter, ...(after === undefined ? {} : { after }), limit: 2 });
        ids.push(...page.map(({ id }) => id));
        if (page.length < 2) return ids;
      }
    };
    expect(new Set(await idsOf({})).size).toBe(14);
    expect(await idsOf({ projects: ["lung"] })).toEqual(await idsOf({ cohort }));
    expect(await idsOf({ state: "failed" })).toEqual([failedId]);
    expect(await idsOf({ state: "queued", projects: ["lung"] })).toHaveLength(6);
    expect(await idsOf({ state: "queued" })).toHaveLength(13);
    expect(await idsOf({ state: "failed", cohort, projects: ["lung"] })).toEqual([failedId]);
    expect(await idsOf({ cohort, projects: ["heart"] })).toEqual([]);
    expect(await idsOf({ cohort, state: "failed" })).toEqual([failedId]);
    expect(await idsOf({ cohort, state: "queued" })).toHaveLength(6);
    expect(await idsOf({ projects: ["heart", "lung"] })).toEqual(await idsOf({}));
    expect(await idsOf({ projects: ["heart", "lung"], state: "queued" })).toEqual(await idsOf({ state: "queued" }));
    expect(await idsOf({ projects: [] })).toEqual([]);
    expect(await store.retryJobs({ cohort }, 9)).toBe(1);
    expect(await idsOf({ cohort, state: "failed" })).toEqual([]);
    expect(await idsOf({ cohort, state: "queued" })).toHaveLength(7);
  },

  "lists what runs by its number, whenever its leases end, and as queued once it is given back": async (store) => {
    const uids = ["1.1", "1.2", "1.3"];
    await submit(
      store,
      uids.map((studyInstanceUid) => ({ studyInstanceUid })),
    );
    for (const nowMs of [300, 200]) await claimed(store, nowMs);
    const third = await claimed(store, 100);
    await submit(store, [{ studyInstanceUid: "1.4" }], { project: "heart" });
    const listed = async (filter: Omit<JobFilter, "limit">, limit = 9) =>
      (await store.listJobs({ ...filter, limit })).map(({ studyInstanceUid }) => studyInstanceUid);
    expect(await listed({ state: "running" })).toEqual(uids);
    expect(await listed({ state: "running" }, 2)).toEqual(["1.1", "1.2"]);
    expect(await listed({ state: "running", projects: ["lung"] }, 2)).toEqual(["1.1", "1.2"]);
    expect(await listed({ state: "running", projects: ["heart"] })).toEqual([]);
    const [, second] = await store.listJobs({ state: "running", limit: 2 });
    const after = String(second?.id);
    expect(await listed({ state: "running", after })).toEqual(["1.3"]);
    expect(await listed({ state: "running", projects: ["lung"], after })).toEqual(["1.3"]);
    expect(await listed({ state: "queued" })).toEqual(["1.4"]);
    const [ours] = await store.listCohorts({ limit: 1 });
    const cohort = String(ours?.cohort);
    expect([await listed({ cohort, state: "queued" }), await listed({ cohort, state: "running" })]).toEqual([[], uids]);
    expect(await listed({ cohort, state: "running", projects: ["heart"] })).toEqual([]);
    const code = "ARCHIVE_UNABLE";
    await store.change(third.lease, { code }, 100);
    expect([await listed({ cohort, code }), await listed({ cohort, code, state: "queued" })]).toEqual([["1.3"], []]);
    expect(await listed({ cohort, code: "STORE_FULL" })).toEqual([]);
    expect(await store.cohortStatus(cohort)).toMatchObject({ total: 3, states: { running: 3 } });
    const another = await submit(store, [{ studyInstanceUid: "1.5" }]);
    expect(await listed({ cohort: another, state: "running" })).toEqual([]);
    expect(await store.cohortStatus(another)).toMatchObject({ total: 1, states: { queued: 1 } });
    await store.cancelJobs({ cohort: another }, 100);
    expect(await store.releaseLeases(400)).toBe(3);
    expect(await listed({ cohort, code, state: "queued" })).toEqual(["1.3"]);
    expect(await store.cohortStatus(cohort)).toMatchObject({ total: 3, states: { queued: 3 } });
    expect(await listed({ state: "running" })).toEqual([]);
    expect(await listed({ state: "queued" })).toEqual([...uids, "1.4"]);
    expect(await listed({ state: "queued", projects: ["lung"] })).toEqual(uids);
  },

  "pages through cohorts": async (store) => {
    const cohorts = [await submit(store, []), await submit(store, []), await submit(store, [])];
    const [first] = await store.listCohorts({ limit: 1 });
    const rest = await store.listCohorts({ after: String(first?.cohort), limit: 5 });
    expect([first, ...rest].map((record) => record?.cohort)).toEqual(cohorts);
    const [newest] = await store.listCohorts({ limit: 1, newestFirst: true });
    const older = await store.listCohorts({ after: String(newest?.cohort), limit: 5, newestFirst: true });
    expect([newest, ...older].map((record) => record?.cohort)).toEqual(cohorts.toReversed());
  },

  "lists cohorts of some projects, in their order": async (store) => {
    const first = await submit(store, []);
    await submit(store, [], { project: "heart" });
    const third = await submit(store, [], { project: "brain" });
    const namesOf = async (newestFirst: boolean, after?: string) => {
      const page = { projects: ["brain", "lung"], limit: 5, newestFirst, ...(after === undefined ? {} : { after }) };
      return (await store.listCohorts(page)).map(({ cohort }) => cohort);
    };
    expect(await namesOf(false)).toEqual([first, third]);
    expect(await namesOf(true)).toEqual([third, first]);
    expect(await namesOf(true, third)).toEqual([first]);
  },

  "tells the cohorts of each job asked for, in the order asked, of one dissolved those of the job that took it over":
    async (store) => {
      const first = await submit(store, [{ accessionNumber: "A1" }, { studyInstanceUid: "1.2" }]);
      const second = await submit(store, [{ studyInstanceUid: "1.2" }, { studyInstanceUid: "1.3" }]);
      const [dissolved, both, alone] = (await store.listJobs({ limit: 3 })).map(({ id }) => id);
      const { lease } = await claimed(store);
      expect(await store.located(lease, "vna", [study("1.3")], 1)).toBe("joined");
      expect(await store.cohortsOfEach([`${alone}`, `${both}`, `${dissolved}`])).toEqual([
        [first, second],
        [first, second],
        [first, second],
      ]);
      const third = await submit(store, [{ studyInstanceUid: "1.4" }]);
      const [, , last] = await store.listJobs({ limit: 3 });
      expect(await store.cohortsOfEach([`${last?.id}`, `${both}`])).toEqual([[third], [first, second]]);
      expect(await store.cohortsOfEach([])).toEqual([]);
      await expect(store.cohortsOfEach([`${both}`, "absent"])).rejects.toEqual(refusal("JOB_NOT_FOUND"));
    },

  "goes on after a job that was dissolved since, from that job's own place": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }, { studyInstanceUid: "1.2" }, { studyInstanceUid: "1.3" }]);
    const [first, second, third] = await store.listJobs({ limit: 3 });
    const { lease } = await claimed(store);
    expect(await store.located(lease, "vna", [study("1.3")], 1)).toBe("joined");
    const rest = await store.listJobs({ after: String(first?.id), limit: 3 });
    expect(rest.map(({ id }) => id)).toEqual([second?.id, third?.id]);
  },
};
