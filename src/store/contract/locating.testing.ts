import { expect } from "vitest";
import {
  type ContractCases,
  claimed,
  finish,
  LEASE_MS,
  refusal,
  request,
  study,
  submit,
  theJob,
} from "./support.testing.ts";

const TOLD = { event: "located", detail: { studies: 3 } } as const;

export const locating: ContractCases = {
  "makes jobs of the further studies of a row, which hold the same rows, cohort and wish": async (store) => {
    const cohort = await submit(store, [{ accessionNumber: "A1", priority: 4, participantId: "p1" }]);
    const { lease, job } = await claimed(store);
    const answer = [study("1.1"), study("1.2"), study("1.1"), study("1.3")];
    const change = { stage: "retrieving", events: [TOLD] } as const;
    const located = await store.located(lease, "vna", answer, 1, change);
    const jobs = await store.listJobs({ cohort, limit: 9 });
    expect(located).toEqual(jobs[0]);
    expect(await store.events(job.id)).toContainEqual({ ...TOLD, atMs: 1 });
    expect(jobs.map(({ studyInstanceUid, stage }) => [studyInstanceUid, stage])).toEqual([
      ["1.1", "retrieving"],
      ["1.2", "retrieving"],
      ["1.3", "retrieving"],
    ]);
    expect(jobs[0]).toMatchObject({ id: job.id, archive: "vna", patientId: "P1", accessionNumber: "A1" });
    expect(jobs[2]).toMatchObject({ state: "queued", archive: "vna", priority: 4, participantId: "p1" });
    expect((await store.exportRows(cohort, { afterRow: 0, limit: 1 }))[0]?.jobs).toEqual(jobs);
    const again = { project: "lung", columns: [], requests: [request({ accessionNumber: "A1" })], refused: [] };
    const { cohort: second, joined } = await store.submitCohort(again, 2);
    expect(joined).toBe(1);
    expect(await store.cohortStatus(second)).toMatchObject({ total: 3 });
  },

  "hands its rows to the job that has the study, and is that job from then on": async (store) => {
    const byUid = await submit(store, [
      { studyInstanceUid: "1.1", seriesInstanceUids: ["1.1.1"], priority: 5, rowNumber: 1 },
    ]);
    const kept = await finish(store, "failed");
    const byNumber = await submit(store, [
      { accessionNumber: "A1", seriesInstanceUids: ["1.1.2"], priority: 2, participantId: "p1" },
    ]);
    const { lease, job } = await claimed(store);
    expect(await store.located(lease, "vna", [study("1.1")], 8)).toBe("joined");
    expect(await store.job(job.id)).toMatchObject({
      id: kept,
      state: "queued",
      priority: 5,
      participantId: "p1",
      seriesInstanceUids: ["1.1.1", "1.1.2"],
    });
    expect(await store.cohortsOf(job.id)).toEqual([byUid, byNumber]);
    expect((await store.events(job.id)).at(-1)).toEqual({
      atMs: 8,
      event: "took over the rows of a job",
      detail: { job: job.id },
    });
    expect(await store.cohortStatus(byNumber)).toMatchObject({ total: 1, states: { queued: 1 } });
    expect((await store.exportRows(byNumber, { afterRow: 0, limit: 1 }))[0]?.jobs.map(({ id }) => id)).toEqual([kept]);
    expect(await store.renew(lease, LEASE_MS, 9)).toBe(false);
    await expect(store.cancelJobs({ job: job.id }, 9)).rejects.toEqual(refusal("JOB_NOT_FOUND"));
    expect(await store.job(kept)).toMatchObject({ state: "queued" });
  },

  "keeps the study it had when another of its accession number appears": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }]);
    const first = await claimed(store);
    await store.located(first.lease, "vna", [study("1.2")], 1);
    await store.settle(first.lease, { state: "failed", attempts: 1 }, 1);
    await store.retryJobs({ job: first.job.id }, 2);
    const { lease, job } = await claimed(store, 3);
    expect(await store.located(lease, "vna", [study("1.1"), study("1.2")], 3)).toMatchObject({ id: lease.jobId });
    expect(await store.job(job.id)).toMatchObject({ studyInstanceUid: "1.2", state: "running" });
    expect(await store.listJobs({ limit: 3 })).toHaveLength(2);
  },

  "follows a job that was dissolved into one which was dissolved itself": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }]);
    const middle = await claimed(store);
    await store.located(middle.lease, "vna", [study("1.1")], 1);
    await submit(store, [{ accessionNumber: "A2" }, { studyInstanceUid: "1.2" }]);
    const first = await claimed(store);
    expect(await store.located(first.lease, "vna", [study("1.1")], 2)).toBe("joined");
    // The archive no longer knows 1.1 and answers the accession number with a study that another job has.
    expect(await store.located(middle.lease, "vna", [study("1.2")], 3)).toBe("joined");
    expect(await store.job(first.job.id)).toMatchObject({ studyInstanceUid: "1.2" });
    expect(await store.cohortsOf(first.job.id)).toHaveLength(2);
  },

  "makes the rows of a job that runs elsewhere part of it": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1", seriesInstanceUids: ["1.1.1"] }, { accessionNumber: "A1" }]);
    const running = await claimed(store);
    const { lease } = await claimed(store);
    const theirs = await submit(store, [{ accessionNumber: "A1" }], { nowMs: 1 });
    expect(await store.located(lease, "vna", [study("1.1")], 1)).toBe("joined");
    expect(await store.cohortStatus(theirs)).toMatchObject({ total: 1, states: { running: 1 } });
    await store.settle(running.lease, { state: "delivered", attempts: 0 }, 2);
    expect(await store.cohortStatus(theirs)).toMatchObject({ total: 1, states: { queued: 1 } });
    expect(await store.job(running.job.id)).toMatchObject({ state: "queued", seriesInstanceUids: undefined });
  },

  "knows each further study by its own UID alone": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }]);
    const { lease } = await claimed(store);
    await store.located(lease, "vna", [study("1.1"), study("1.2")], 1);
    for (const studyInstanceUid of ["1.1", "1.2"])
      expect(
        await store.jobsOfKey("lung", { studyInstanceUid, patientId: undefined, accessionNumber: undefined }),
      ).toMatchObject([{ studyInstanceUid }]);
  },

  "takes everything along that was kept of a job which is dissolved": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }]);
    const { lease, job } = await claimed(store);
    const kept = { report: Buffer.from("packed"), thumbnail: Uint8Array.of(1) };
    await store.change(
      lease,
      { ...kept, ledger: [{ kind: "received", sopInstanceUid: "1", seriesInstanceUid: "9" }] },
      1,
    );
    await store.settle(lease, { state: "quarantined", attempts: 0 }, 2);
    const release = { actor: "sam", reason: "seen", leaveOut: ["1"], allowTags: [] };
    const actor = { name: "sam", kind: "command line", role: "admin" } as const;
    await store.releaseJob(job.id, release, { event: "study-released", actor, outcome: "success" }, 3);
    await store.cancelJobs({ job: job.id }, 4);
    await store.retryJobs({ job: job.id }, 5);
    await submit(store, [{ studyInstanceUid: "1.1", priority: 1 }]);
    const again = await claimed(store, 6);
    expect(await store.located(again.lease, "vna", [study("1.1")], 7)).toBe("joined");
    expect(await store.job(job.id)).toMatchObject({ studyInstanceUid: "1.1" });
    expect([await store.releaseOf(job.id), await store.thumbnail(job.id)]).toEqual([undefined, undefined]);
  },

  "keeps the account of a job of which a destination may have something": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }]);
    const { lease, job } = await claimed(store);
    await store.located(lease, "vna", [study("1.1")], 1);
    await store.recordDelivery(lease, { destination: "lake", state: "sending", instances: 1, code: undefined }, 2);
    await submit(store, [{ studyInstanceUid: "1.2" }]);
    expect(await store.located(lease, "vna", [study("1.2")], 3)).toBe("joined");
    expect(await store.job(job.id)).toMatchObject({ id: job.id, state: "not-found" });
    expect(await store.deliveries(job.id)).toMatchObject([{ destination: "lake", state: "sending" }]);
  },

  "keeps the account of a job that delivered something, when its rows lead elsewhere": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }]);
    const { lease, job } = await claimed(store);
    await store.located(lease, "vna", [study("1.1")], 1);
    const ledger = [
      { kind: "received", sopInstanceUid: "1", seriesInstanceUid: "9" },
      { kind: "delivered", sopInstanceUid: "1" },
    ] as const;
    await store.change(lease, { ledger }, 1);
    const other = await submit(store, [{ studyInstanceUid: "1.2" }]);
    const change = { stage: "retrieving", events: [TOLD] } as const;
    expect(await store.located(lease, "vna", [study("1.2")], 2, change)).toBe("joined");
    expect(await store.events(job.id)).toContainEqual({ ...TOLD, atMs: 2 });
    const kept = { id: job.id, state: "not-found", code: "STUDY_NOT_FOUND", delivered: 1 };
    expect(await store.job(job.id)).toMatchObject({ ...kept, stage: "locating" });
    expect(await store.ledger(job.id)).toHaveLength(1);
    expect(await store.cohortsOf((await theJob(store, other)).id)).toHaveLength(2);
  },
};
