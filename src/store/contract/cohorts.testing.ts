import { expect } from "vitest";
import type { RefusedRow, StudyClaim } from "../records.ts";
import { type ContractCases, claimed, each, finish, refusal, request, submit, theJob } from "./support.testing.ts";

export const cohorts: ContractCases = {
  "tells which jobs a row would join": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }, { patientId: "P1", accessionNumber: "A1" }]);
    const jobs = await store.listJobs({ cohort, limit: 5 });
    const key = (facts: object) => ({
      studyInstanceUid: undefined,
      patientId: undefined,
      accessionNumber: undefined,
      ...facts,
    });
    expect(await store.jobsOfKey("lung", key({ studyInstanceUid: "1.1" }))).toEqual([jobs[0]]);
    expect(await store.jobsOfKey("lung", key({ patientId: "P1", accessionNumber: "A1" }))).toEqual([jobs[1]]);
    expect(await store.jobsOfKey("lung", key({ accessionNumber: "A1" }))).toEqual([]);
    expect(await store.jobsOfKey("heart", key({ studyInstanceUid: "1.1" }))).toEqual([]);
  },

  "counts rows, and jobs once": async (store) => {
    const refused: RefusedRow[] = [{ rowNumber: 4, code: "COHORT_NOT_FOUND", cells: ["bad"] }];
    const rows = [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }, { studyInstanceUid: "1.1" }];
    const requests = rows.map((facts, index) => request({ rowNumber: index + 1, ...facts }));
    const made = await store.submitCohort({ project: "lung", columns: ["a", "b"], requests, refused }, 7);
    expect(made).toEqual({ cohort: made.cohort, accepted: 3, joined: 1 });
    expect(await store.cohortStatus(made.cohort)).toEqual({
      cohort: made.cohort,
      project: "lung",
      total: 2,
      states: { queued: 2 },
      done: false,
    });
    expect(await store.listCohorts({ limit: 5 })).toEqual([
      { cohort: made.cohort, project: "lung", rows: 4, accepted: 3, joined: 1, submittedAtMs: 7 },
    ]);
    expect(await store.cohortColumns(made.cohort)).toEqual(["a", "b"]);
  },

  "gives a cohort without an accepted row nothing to do": async (store) => {
    const cohort = await submit(store, [], { refused: [{ rowNumber: 1, code: "COHORT_NOT_FOUND", cells: [] }] });
    expect(await store.cohortStatus(cohort)).toMatchObject({ total: 0, states: {}, done: true });
  },

  "keeps projects, patients and accession numbers apart": async (store) => {
    const row = { studyInstanceUid: "1.1" };
    const cohorts = [await submit(store, [row]), await submit(store, [row], { project: "heart" })];
    const [lung, heart] = await Promise.all(cohorts.map((cohort) => theJob(store, cohort)));
    expect(lung?.id).not.toBe(heart?.id);
    const keys = [
      { accessionNumber: "A1" },
      { accessionNumber: "A1", patientId: "P1" },
      { accessionNumber: "A1", patientId: "P2" },
      { accessionNumber: "A1", patientId: "P1" },
    ];
    expect(await store.cohortStatus(await submit(store, keys))).toMatchObject({ total: 3 });
  },

  ...each(
    [
      ["not-found", "queued"],
      ["failed", "queued"],
      ["cancelled", "queued"],
      ["delivered", "delivered"],
      ["excluded", "excluded"],
      ["held", "held"],
      ["quarantined", "quarantined"],
    ] as const,
    "a row that joins a job that is %s leaves it %s",
    async (store, before, after) => {
      const first = await submit(store, [{ studyInstanceUid: "1.1" }]);
      const { id } = await theJob(store, first);
      if (before === "cancelled") await store.cancelJobs({ job: id }, 1);
      else await finish(store, before);
      const second = await submit(store, [{ studyInstanceUid: "1.1" }], { nowMs: 2 });
      expect(await store.job(id)).toMatchObject({ state: after, attempts: 0 });
      expect(await store.cohortsOf(id)).toEqual([first, second]);
      expect(await store.cohortsOfEach([id, id])).toEqual([
        [first, second],
        [first, second],
      ]);
      expect(await store.cohortStatus(second)).toMatchObject({ total: 1, states: { [after]: 1 } });
    },
  ),

  "takes the higher priority, the first participant id, and a way to find the study that was missing": async (
    store,
  ) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1", priority: 2 }]);
    await submit(store, [
      { studyInstanceUid: "1.1", priority: 5, participantId: "first", accessionNumber: "A1", patientId: "P1" },
      { studyInstanceUid: "1.1", priority: 1, participantId: "second", accessionNumber: "A2", patientId: "P2" },
    ]);
    const job = await theJob(store, cohort);
    expect(job).toMatchObject({ priority: 5, participantId: "first", accessionNumber: "A1", patientId: "P1" });
    expect(await store.events(job.id)).toEqual([
      { atMs: 0, event: "participant-id-conflict", detail: { kept: "first" } },
    ]);
  },

  "tells what the rows of a study's UID say of it, and lets a corrected row take the place of one that disagreed":
    async (store) => {
      const wrong = { studyInstanceUid: "1.1", patientId: "P2", accessionNumber: "A2", participantId: "second" };
      await submit(store, [wrong, { studyInstanceUid: "1.1" }]);
      const { lease, job } = await claimed(store, 5);
      const said: StudyClaim[] = [
        { patientId: undefined, accessionNumber: undefined },
        { patientId: "P2", accessionNumber: "A2" },
      ];
      expect(await store.claimsOfJob(job.id)).toEqual(said);
      await store.settle(lease, { state: "waiting", code: "ARCHIVE_UNABLE", dueAtMs: 6, attempts: 1 }, 6);
      await submit(store, [{ studyInstanceUid: "1.1", patientId: "P3" }], { nowMs: 6 });
      said.unshift({ patientId: "P3", accessionNumber: undefined });
      expect(await store.claimsOfJob(job.id), "it ended by something else").toEqual(said);
      const again = await claimed(store, 6);
      await store.settle(again.lease, { state: "failed", code: "STUDY_KEYS_DISAGREE", attempts: 1 }, 6);
      expect(await store.claimsOfJob(job.id)).toEqual(said);
      await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1", participantId: "first" }], { nowMs: 9 });
      expect(await store.claimsOfJob(job.id)).toEqual([{ patientId: "P1", accessionNumber: undefined }]);
      expect(await store.job(job.id)).toMatchObject({
        ...{ state: "queued", patientId: "P1", accessionNumber: undefined, participantId: "first" },
      });
      const last = await claimed(store, 10);
      await store.settle(last.lease, { state: "waiting", code: "ARCHIVE_UNABLE", dueAtMs: 11, attempts: 1 }, 11);
      expect(await store.claimsOfJob(job.id)).toHaveLength(1);
    },

  "says of a study that is located when a further row names another patient": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    await store.located(lease, "vna", [{ studyInstanceUid: "1.1", patientId: "P1", accessionNumber: "A1" }], 1);
    await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1", accessionNumber: "A1" }]);
    expect(await store.events(job.id)).toEqual([]);
    await submit(store, [{ studyInstanceUid: "1.1", patientId: "P2" }], { nowMs: 2 });
    expect(await store.events(job.id)).toEqual([{ atMs: 2, event: "row-disagrees", detail: {} }]);
  },

  "keeps the first participant id of a study that failed, unless its rows were what was wrong and nothing was made of it":
    async (store) => {
      const cohort = await submit(store, [{ studyInstanceUid: "1.1", participantId: "first" }]);
      await finish(store, "failed");
      await submit(store, [{ studyInstanceUid: "1.1", participantId: "second" }]);
      expect(await theJob(store, cohort)).toMatchObject({ state: "queued", participantId: "first" });
      const { lease } = await claimed(store);
      const change = { pseudonym: "first", pseudoStudyInstanceUid: "2.1" };
      await store.settle(lease, { state: "failed", code: "STUDY_KEYS_DISAGREE", attempts: 1, change }, 1);
      await submit(store, [{ studyInstanceUid: "1.1", participantId: "third" }]);
      expect(await theJob(store, cohort)).toMatchObject({
        state: "queued",
        participantId: "first",
        pseudonym: "first",
      });
    },

  "takes no participant id while a pseudonym may be being made without it": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
    await claimed(store);
    await submit(store, [{ studyInstanceUid: "1.1", participantId: "late" }]);
    expect(await theJob(store, cohort)).toMatchObject({ participantId: undefined });
  },

  "takes no accession number from a row that names another patient": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1" }]);
    await submit(store, [{ studyInstanceUid: "1.1", patientId: "P2", accessionNumber: "A2" }]);
    expect(await theJob(store, cohort)).toMatchObject({ patientId: "P1", accessionNumber: undefined });
  },

  "takes no participant id once a pseudonym was made without it": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    const change = { pseudonym: "hashed", pseudoStudyInstanceUid: "2.1" };
    await store.settle(lease, { state: "failed", attempts: 1, change }, 1);
    await submit(store, [{ studyInstanceUid: "1.1", participantId: "late" }]);
    expect(await store.job(job.id)).toMatchObject({ participantId: undefined, pseudonym: "hashed" });
  },

  "exports every row in order, the refused among them, page by page": async (store) => {
    const cohort = await submit(
      store,
      [
        { rowNumber: 1, studyInstanceUid: "1.1", cells: ["x", "001"] },
        { rowNumber: 3, studyInstanceUid: "1.1", cells: ["", "é"] },
      ],
      { refused: [{ rowNumber: 2, code: "COHORT_NOT_FOUND", cells: ["bad"] }] },
    );
    const { id } = await theJob(store, cohort);
    const first = await store.exportRows(cohort, { afterRow: 0, limit: 2 });
    const rest = await store.exportRows(cohort, { afterRow: 2, limit: 2 });
    expect([...first, ...rest].map(({ jobs, ...row }) => ({ ...row, jobs: jobs.map((job) => job.id) }))).toEqual([
      { rowNumber: 1, cells: ["x", "001"], refusedCode: undefined, jobs: [id] },
      { rowNumber: 2, cells: ["bad"], refusedCode: "COHORT_NOT_FOUND", jobs: [] },
      { rowNumber: 3, cells: ["", "é"], refusedCode: undefined, jobs: [id] },
    ]);
  },

  "gives a row back with the reasons of what its jobs left out": async (store) => {
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const { lease, job } = await claimed(store);
    const ledger = ["1", "2", "3"].flatMap((sopInstanceUid) => [
      { kind: "received", sopInstanceUid, seriesInstanceUid: "9" } as const,
      { kind: "excluded", sopInstanceUid, reason: sopInstanceUid === "3" ? "released-without" : "modality" } as const,
    ]);
    await store.change(
      lease,
      { ledger: [...ledger, { kind: "received", sopInstanceUid: "4", seriesInstanceUid: "9" }] },
      1,
    );
    const rows = await store.exportRows(cohort, { afterRow: 0, limit: 2 });
    expect(rows.map(({ leftOut }) => leftOut)).toEqual([
      { [job.id]: { modality: 2, "released-without": 1 } },
      undefined,
    ]);
  },

  "says what it does not know": async (store) => {
    await expect(store.cohortStatus("cohort-none")).rejects.toEqual(refusal("COHORT_NOT_FOUND"));
    await expect(store.exportRows("cohort-none", { afterRow: 0, limit: 1 })).rejects.toEqual(
      refusal("COHORT_NOT_FOUND"),
    );
    await expect(store.retryJobs({ job: "job-none" }, 0)).rejects.toEqual(refusal("JOB_NOT_FOUND"));
    await expect(store.job("job-none")).rejects.toEqual(refusal("JOB_NOT_FOUND"));
  },
};
