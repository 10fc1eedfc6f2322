import { expect } from "vitest";
import { type ContractCases, claimed, finish, LEASE_MS, request, study, submit } from "./support.testing.ts";

export const leases: ContractCases = {
  "gives the most urgent job first, then the oldest": async (store) => {
    await submit(store, [
      { studyInstanceUid: "1.1", priority: 1 },
      { studyInstanceUid: "1.2", priority: 5 },
      { studyInstanceUid: "1.3", priority: 5 },
    ]);
    const next = async () => (await store.claim("worker-1", LEASE_MS, 0))?.job.studyInstanceUid;
    expect([await next(), await next(), await next(), await next()]).toEqual(["1.2", "1.3", "1.1", undefined]);
  },

  "gives each job to one of those who ask at once": async (store) => {
    await submit(store, [
      { studyInstanceUid: "1.1" },
      { studyInstanceUid: "1.2", priority: 5 },
      { studyInstanceUid: "1.3" },
    ]);
    const claims = await Promise.all([1, 2, 3, 4].map((number) => store.claim(`worker-${number}`, LEASE_MS, 0)));
    const studies = claims.flatMap((claim) => (claim === undefined ? [] : [String(claim.job.studyInstanceUid)]));
    expect(studies.sort()).toEqual(["1.1", "1.2", "1.3"]);
  },

  "gives equally urgent projects turns round about, and each its oldest job": async (store) => {
    const rows = (of: string, count: number, priority = 3) =>
      Array.from({ length: count }, (_, index) => ({ studyInstanceUid: `1.${of}.${index + 1}`, priority }));
    await submit(store, rows("1", 5), { project: "lung" });
    const next = async () => (await claimed(store)).job.studyInstanceUid;
    expect(await next()).toBe("1.1.1");
    await submit(store, rows("2", 2), { project: "brain" });
    await submit(store, rows("3", 1), { project: "spine" });
    await submit(store, rows("4", 1, 4), { project: "lung" });
    expect([await next(), await next(), await next(), await next(), await next(), await next(), await next()]).toEqual([
      // The urgent one goes first and takes nobody's turn.
      "1.4.1",
      "1.3.1",
      "1.2.1",
      "1.1.2",
      "1.2.2",
      "1.1.3",
      "1.1.4",
    ]);
  },

  "keeps a cohort's studies waiting until its start, unless they are wanted before": async (store) => {
    const rows = ["1.1", "1.2", "1.3"].map((studyInstanceUid) => request({ studyInstanceUid }));
    const requests = rows.map((row, index) => ({ ...row, rowNumber: index + 1 }));
    const { cohort } = await store.submitCohort(
      { project: "lung", columns: [], requests, refused: [], startAtMs: 100 },
      0,
    );
    expect(await store.cohortStatus(cohort)).toMatchObject({ states: { waiting: 3 }, done: false });
    const [job] = await store.listJobs({ cohort, limit: 1 });
    expect(job).toMatchObject({ state: "waiting", code: "START_SCHEDULED", waitingUntilMs: 100, attempts: 0 });
    expect(await store.claim("worker-1", LEASE_MS, 99)).toBeUndefined();
    const sooner = { project: "lung", columns: [], requests: requests.slice(1, 2), refused: [], startAtMs: 50 };
    await store.submitCohort(sooner, 1);
    await submit(store, [{ studyInstanceUid: "1.3" }], { nowMs: 2 });
    expect((await claimed(store, 2)).job.studyInstanceUid).toBe("1.3");
    expect((await claimed(store, 50)).job).toMatchObject({ studyInstanceUid: "1.2", code: undefined });
    expect((await claimed(store, 100)).job.studyInstanceUid).toBe("1.1");
  },

  "has a done job that begins again wait for the start too, and one that is queued not": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await finish(store, "failed");
    await submit(store, [{ studyInstanceUid: "1.2" }]);
    const requests = ["1.1", "1.2"].map((uid, at) => request({ studyInstanceUid: uid, rowNumber: at + 1 }));
    const { cohort } = await store.submitCohort(
      { project: "lung", columns: [], requests, refused: [], startAtMs: 100 },
      3,
    );
    expect(await store.cohortStatus(cohort)).toMatchObject({ states: { waiting: 1, queued: 1 } });
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

  "says no more why a job waited once it is due: an archive that works again holds nothing up": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    for (const { lease } of [await claimed(store), await claimed(store)])
      await store.settle(lease, { state: "waiting", code: "ARCHIVE_RESTING", dueAtMs: 50, attempts: 0 }, 10);
    await claimed(store, 50);
    const jobs = await store.listJobs({ cohort, limit: 2 });
    expect(jobs.map(({ state, code }) => [state, code])).toEqual([
      ["running", undefined],
      ["queued", undefined],
    ]);
    expect(await store.codeCounts()).toEqual([]);
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
    expect(await store.settle(late, { state: "failed", attempts: 9 }, 1), "with nothing else to write").toBe(false);
    const next = { worker: "worker-2", leaseMs: LEASE_MS };
    expect(await store.settleAndClaim(late, { state: "failed", attempts: 9 }, next, 1)).toEqual({
      ...{ isSettled: false, claimed: undefined },
    });
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

  "ends a job and takes the next one, also when the lease that was to end is gone": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }, { studyInstanceUid: "1.3" }]);
    const first = await claimed(store);
    const next = { worker: "worker-2", leaseMs: LEASE_MS };
    const second = await store.settleAndClaim(first.lease, { state: "delivered", attempts: 0 }, next, 1);
    expect(second).toMatchObject({ isSettled: true, claimed: { job: { studyInstanceUid: "1.2", state: "running" } } });
    expect(await store.job(first.job.id)).toMatchObject({ state: "delivered" });
    const outcome = { state: "failed", attempts: 1, change: { stage: "retrieving" } } as const;
    const third = await store.settleAndClaim(first.lease, outcome, next, 2);
    expect(third).toMatchObject({ isSettled: false, claimed: { job: { studyInstanceUid: "1.3" } } });
    const lease = third.claimed?.lease;
    if (lease === undefined) throw new Error("nothing was claimed");
    expect(await store.settleAndClaim(lease, outcome, next, 3)).toEqual({ isSettled: true, claimed: undefined });
    expect(await store.job(lease.jobId)).toMatchObject({ state: "failed", stage: "retrieving" });
  },

  "gives what is claimed at one moment as it would one after the other": async (store) => {
    await submit(
      store,
      [1, 2, 3, 4, 5].map((number) => ({ studyInstanceUid: `1.${number}` })),
      { project: "lung" },
    );
    await submit(
      store,
      [6, 7].map((number) => ({ studyInstanceUid: `1.${number}` })),
      { project: "heart" },
    );
    await submit(store, [{ studyInstanceUid: "1.8", priority: 5 }], { project: "brain" });
    const workers = Array.from({ length: 10 }, (_, index) => `worker-${index}`);
    const found = await Promise.all(workers.map((worker) => store.claim(worker, LEASE_MS, 1)));
    expect(found.map((each) => each?.job.studyInstanceUid)).toEqual([
      "1.8",
      "1.6",
      "1.1",
      "1.7",
      "1.2",
      "1.3",
      "1.4",
      "1.5",
      undefined,
      undefined,
    ]);
    expect(new Set(found.flatMap((each) => each?.lease.token ?? [])).size).toBe(8);
    const leases = found.flatMap((each) => each?.lease ?? []);
    const ends = leases.map((lease) => store.settle(lease, { state: "delivered", attempts: 0 }, 2));
    expect(await Promise.all(ends)).toEqual(leases.map(() => true));
    expect(await store.listWorkers()).toHaveLength(8);
    // Every turn is known: the next of equals is of the project that comes then.
    await submit(store, [{ studyInstanceUid: "1.9" }], { project: "lung" });
    await submit(store, [{ studyInstanceUid: "1.10" }], { project: "heart" });
    expect((await claimed(store, 3)).job.project).toBe("heart");
  },
};
