import { expect } from "vitest";
import { type ContractCases, claimed, finish, LEASE_MS, study, submit } from "./support.testing.ts";

export const leases: ContractCases = {
  "gives the most urgent job first, then the oldest, each to one worker": async (store) => {
    await submit(store, [
      { studyInstanceUid: "1.1", priority: 1 },
      { studyInstanceUid: "1.2", priority: 5 },
      { studyInstanceUid: "1.3", priority: 5 },
    ]);
    const claims = await Promise.all([1, 2, 3, 4].map((number) => store.claim(`worker-${number}`, LEASE_MS, 0)));
    expect(claims.map((claim) => claim?.job.studyInstanceUid)).toEqual(["1.2", "1.3", "1.1", undefined]);
  },

  "wakes a waiting job when it is due and not before": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    await store.settle(lease, { state: "waiting", code: "STORE_FULL", dueAtMs: 50, attempts: 1 }, 10);
    expect(await store.nextDueAtMs()).toBe(50);
    expect(await store.claim("worker-1", LEASE_MS, 49)).toBeUndefined();
    expect(await claimed(store, 50)).toMatchObject({ job: { id: job.id, attempts: 1, waitingUntilMs: undefined } });
    expect(await store.nextDueAtMs()).toBe(50 + LEASE_MS);
  },

  "never lets a job wait for ever": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    await store.settle(lease, { state: "waiting", attempts: 1 }, 10);
    expect(await store.claim("worker-1", LEASE_MS, 10)).toBeDefined();
  },

  "knows no next time when nothing waits or runs": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    expect(await store.nextDueAtMs()).toBeUndefined();
  },

  "takes a job whose lease ended, at the stage it had reached, and counts no try for it": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    await store.change(lease, { stage: "verifying" }, 1);
    expect(await store.renew(lease, LEASE_MS, 500)).toBe(true);
    expect(await store.claim("worker-2", LEASE_MS, LEASE_MS)).toBeUndefined();
    expect(await claimed(store, 500 + LEASE_MS)).toMatchObject({ job: { stage: "verifying", attempts: 0 } });
  },

  "lets a worker whose lease was taken over change nothing": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease: late } = await claimed(store, 0);
    const { job } = await claimed(store, LEASE_MS);
    const before = await store.job(job.id);
    expect(await store.renew(late, LEASE_MS, 1)).toBe(false);
    const ledger = [{ kind: "received", sopInstanceUid: "1.9", seriesInstanceUid: "1.8" }] as const;
    const change = { stage: "delivering", events: [{ event: "late", detail: {} }], ledger } as const;
    expect(await store.change(late, change, 1)).toBe(false);
    expect(await store.located(late, "vna", [study("1.7"), study("1.6")], 1)).toBe(false);
    const delivery = { destination: "d", state: "sent", instances: 1, code: undefined } as const;
    expect(await store.recordDelivery(late, delivery, 1)).toBe(false);
    expect(await store.settle(late, { state: "failed", attempts: 9, change }, 1)).toBe(false);
    expect(await store.job(job.id)).toEqual(before);
    expect([await store.events(job.id), await store.ledger(job.id), await store.deliveries(job.id)]).toEqual([
      [],
      [],
      [],
    ]);
    expect(await store.listJobs({ limit: 5 })).toHaveLength(1);
  },

  "gives back the leases of workers that died with the gateway": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const { lease } = await claimed(store);
    expect(await store.releaseLeases(1)).toBe(1);
    expect(await store.renew(lease, LEASE_MS, 1)).toBe(false);
    expect(await claimed(store, 2)).toMatchObject({ job: { studyInstanceUid: "1.1" } });
  },

  "says that a study is needed while a job of any project is not done": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await submit(store, [{ studyInstanceUid: "1.1" }], { project: "heart" });
    await finish(store, "delivered");
    expect(await store.studyIsNeeded("1.1")).toBe(true);
    await finish(store, "held");
    expect(await store.studyIsNeeded("1.1")).toBe(false);
  },
};
