import { expect } from "vitest";
import { type ContractCases, claimed, each, finish, LEASE_MS, submit, theJob } from "./support.testing.ts";

const narrow = { studyInstanceUid: "1.1", seriesInstanceUids: ["1.1.1"] };
const other = { studyInstanceUid: "1.1", seriesInstanceUids: ["1.1.2", "1.1.1"] };

export const widening: ContractCases = {
  "asks for the union of the series, and for the whole study once a row does": async (store) => {
    const cohort = await submit(store, [narrow, other]);
    expect(await theJob(store, cohort)).toMatchObject({ seriesInstanceUids: ["1.1.1", "1.1.2"] });
    await submit(store, [{ studyInstanceUid: "1.1" }, narrow]);
    expect(await theJob(store, cohort)).toMatchObject({ seriesInstanceUids: undefined });
  },

  ...each(
    [
      ["delivered", other, "queued"],
      ["excluded", other, "queued"],
      ["held", other, "held"],
      ["quarantined", other, "quarantined"],
      ["delivered", narrow, "delivered"],
    ] as const,
    "a job that is %s and is asked for %o is then %s",
    async (store, before, row, after) => {
      const cohort = await submit(store, [narrow]);
      await finish(store, before);
      await submit(store, [row]);
      expect(await theJob(store, cohort)).toMatchObject({ state: after });
    },
  ),

  "sends a running job round again when it ends with less": async (store) => {
    await submit(store, [narrow]);
    const { lease, job } = await claimed(store);
    await submit(store, [other]);
    await store.settle(lease, { state: "delivered", attempts: 0 }, 1);
    expect(await store.job(job.id)).toMatchObject({ state: "queued", stage: "locating", finishedAtMs: undefined });
    await finish(store, "delivered");
    expect(await store.job(job.id)).toMatchObject({ state: "delivered" });
  },

  ...each(
    [["excluded"], ["not-found"]] as const,
    "sends a running job round again, too, when it ends as %s without what is asked for meanwhile",
    async (store, state) => {
      await submit(store, [narrow]);
      const { lease, job } = await claimed(store);
      await submit(store, [other]);
      await store.settle(lease, { state, attempts: 0 }, 1);
      expect(await store.job(job.id)).toMatchObject({ state: "queued", stage: "locating" });
    },
  ),

  "lets a job that waits wait on, and then begins where instances are fetched": async (store) => {
    await submit(store, [narrow]);
    const { lease, job } = await claimed(store);
    await store.change(lease, { stage: "delivering" }, 1);
    await submit(store, [other]);
    const outcome = { state: "waiting", code: "STORE_FULL", dueAtMs: 500, attempts: 2 } as const;
    await store.settle(lease, outcome, 1);
    const waiting = { state: "waiting", stage: "retrieving", waitingUntilMs: 500, attempts: 2 };
    expect(await store.job(job.id)).toMatchObject(waiting);
    await finish(store, "delivered", 500);
    expect(await store.job(job.id)).toMatchObject({ state: "delivered" });
  },

  "begins where instances are fetched, too, when more is asked for while a job waits": async (store) => {
    await submit(store, [narrow]);
    const { lease, job } = await claimed(store);
    const outcome = { state: "waiting", code: "STORE_FULL", dueAtMs: 500, attempts: 2 } as const;
    await store.settle(lease, { ...outcome, change: { stage: "delivering" } }, 1);
    await submit(store, [other], { nowMs: 2 });
    const waiting = { state: "waiting", code: "STORE_FULL", stage: "retrieving", waitingUntilMs: 500 };
    expect(await store.job(job.id), "nobody hurries it").toMatchObject(waiting);
  },

  "remembers it over a worker's death": async (store) => {
    await submit(store, [narrow]);
    const { lease } = await claimed(store);
    await store.change(lease, { stage: "confirming" }, 1);
    await submit(store, [other]);
    expect(await claimed(store, LEASE_MS)).toMatchObject({ job: { stage: "retrieving" } });
  },

  "leaves a study alone that was quarantined meanwhile": async (store) => {
    await submit(store, [narrow]);
    const { lease, job } = await claimed(store);
    await submit(store, [other]);
    await store.settle(lease, { state: "quarantined", attempts: 0 }, 1);
    expect(await store.job(job.id)).toMatchObject({ state: "quarantined" });
  },
};
