import { expect } from "vitest";
import { type ContractCases, claimed, each, finish, LEASE_MS, submit, theJob } from "./support.testing.ts";

export const operating: ContractCases = {
  "queues a delivered job again for a reason, with its account, and no other": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { id } = await theJob(store, cohort);
    const audit = {
      event: "study-mended",
      actor: { name: "sam", kind: "token", role: "operator" },
      outcome: "success",
      job: id,
    } as const;
    expect(await store.queueDelivered(id, { reason: "delivery-differs" }, audit, 1)).toBe(false);
    const { lease } = await claimed(store);
    await store.change(lease, { ledger: [{ kind: "received", sopInstanceUid: "1", seriesInstanceUid: "9" }] }, 1);
    await store.settle(lease, { state: "delivered", attempts: 0 }, 2);
    expect(await store.queueDelivered(id, { reason: "delivery-differs", vanished: 1 }, audit, 3)).toBe(true);
    expect(await store.job(id)).toMatchObject({ state: "queued", stage: "locating", received: 1 });
    expect((await store.events(id)).at(-1)).toMatchObject({
      event: "queued again",
      detail: { reason: "delivery-differs", vanished: 1 },
    });
    expect(await store.auditRecords({ after: 0, limit: 5 })).toHaveLength(1);
  },

  ...each(
    [
      ["failed", 1],
      ["not-found", 1],
      ["held", 1],
      ["quarantined", 1],
      ["delivered", 0],
      ["excluded", 0],
    ] as const,
    "retries a job that is %s: %i",
    async (store, state, count) => {
      const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
      const { lease, job } = await claimed(store);
      const change = { stage: "verifying", verdict: "partial", expected: 4 } as const;
      await store.settle(lease, { state, code: "STORE_FULL", attempts: 7, change }, 1);
      expect(await store.retryJobs({ cohort }, 2)).toBe(count);
      if (count === 0) return;
      expect(await store.job(job.id)).toEqual({ ...job, state: "queued", attempts: 0 });
      expect(await store.events(job.id)).toEqual([{ atMs: 2, event: "queued again", detail: { reason: "retried" } }]);
    },
  ),

  "makes waiting jobs more urgent, and less so unless another cohort wants them too": async (store) => {
    const first = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const second = await submit(store, [{ studyInstanceUid: "1.2" }]);
    await submit(store, [{ studyInstanceUid: "1.3", priority: 4 }]);
    expect(await store.setPriority({ cohort: first }, 1, 5)).toBe(1);
    expect(await store.setPriority({ cohort: second }, 5, 6)).toBe(1);
    const [, shared] = await store.listJobs({ limit: 2 });
    expect(await store.events(String(shared?.id))).toEqual([
      { atMs: 6, event: "priority changed", detail: { before: 3, now: 5 } },
    ]);
    const order = [await claimed(store), await claimed(store), await claimed(store)];
    expect(order.map(({ job }) => job.studyInstanceUid)).toEqual(["1.2", "1.3", "1.1"]);
    await store.cancelJobs({ cohort: second }, 7);
    expect(await store.setPriority({ cohort: first }, 2, 8)).toBe(2);
  },

  "changes one job's priority until it is done": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { id } = await theJob(store, cohort);
    expect(await store.setPriority({ job: id }, 3, 1)).toBe(0);
    expect(await store.setPriority({ job: id }, 5, 1)).toBe(1);
    await finish(store, "delivered");
    expect(await store.setPriority({ job: id }, 1, 2)).toBe(0);
    expect(await store.job(id)).toMatchObject({ priority: 5 });
  },

  "cancels what is not done, and tells the worker": async (store) => {
    const cohort = await submit(store, [
      { studyInstanceUid: "1.1" },
      { studyInstanceUid: "1.2" },
      { studyInstanceUid: "1.3" },
    ]);
    await finish(store, "delivered");
    const { lease } = await claimed(store);
    expect(await store.cancelJobs({ cohort }, 4)).toBe(2);
    expect(await store.renew(lease, LEASE_MS, 5)).toBe(false);
    expect(await store.cohortStatus(cohort)).toMatchObject({ states: { delivered: 1, cancelled: 2 }, done: true });
    const [job] = await store.listJobs({ cohort, state: "cancelled", limit: 1 });
    expect(job).toMatchObject({ code: "CANCELLED", finishedAtMs: 4 });
    expect(await store.events(String(job?.id))).toEqual([{ atMs: 4, event: "cancelled", detail: {} }]);
    expect(await store.retryJobs({ cohort }, 6)).toBe(2);
  },

  "cancels by its name what waits for a person, and nothing that is done": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }, { studyInstanceUid: "1.3" }]);
    const quarantined = await finish(store, "quarantined");
    const held = await finish(store, "held");
    const delivered = await finish(store, "delivered");
    const cancelled = [quarantined, held, delivered].map((job) => store.cancelJobs({ job }, 4));
    expect(await Promise.all(cancelled)).toEqual([1, 1, 0]);
    expect(await store.job(quarantined)).toMatchObject({ state: "cancelled", code: "CANCELLED" });
  },

  "spares jobs that other cohorts hold, until the last of them is cancelled": async (store) => {
    const first = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const second = await submit(store, [{ studyInstanceUid: "1.2" }]);
    expect(await store.cancelJobs({ cohort: first }, 1)).toBe(1);
    expect(await store.cohortStatus(second)).toMatchObject({ states: { queued: 1 } });
    expect(await store.cancelJobs({ cohort: second }, 2)).toBe(1);
    expect(await store.retryJobs({ cohort: first }, 3)).toBe(2);
    expect(await store.cancelJobs({ cohort: second }, 4)).toBe(0);
  },
};
