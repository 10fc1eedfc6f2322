import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { Store } from "../store.ts";
import type { WithdrawalRecord, WithdrawalWish } from "../withdrawals.ts";
import { type ContractCases, claimed, refusal, submit } from "./support.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const audit: AuditEvent = { event: "patient-withdrawn", actor, outcome: "success", project: "lung" };
const ended: AuditEvent = { event: "patient-withdrawal-ended", actor, outcome: "success", project: "lung" };
const wish: WithdrawalWish = { project: "lung", digest: "d1", keyId: "k1", patientId: "P1", linkDigest: undefined };

/** A study of the patient that two destinations confirmed; another patient's beside it. */
async function delivered(store: Store): Promise<string> {
  await submit(store, [
    { rowNumber: 1, studyInstanceUid: "1.1", patientId: "P1", accessionNumber: "A1", cells: ["P1", "A1"] },
    { rowNumber: 2, studyInstanceUid: "1.2", patientId: "P2", accessionNumber: "A2", cells: ["P2", "A2"] },
  ]);
  const { job, lease } = await claimed(store);
  const instance = { sopInstanceUid: "1.1.1.1", seriesInstanceUid: "1.1.1" };
  await store.change(lease, { ledger: [{ kind: "received", ...instance }] }, 2);
  const link = { pseudonym: "1000", pseudoStudyInstanceUid: "2.25.0", studyDigest: "s", patientDigest: "linked" };
  // Kept where there is a linkage: what it became under another pseudonym before.
  await store.change(lease, { link: { ...link, sealed: Buffer.from("sealed") } }, 2);
  await store.change(lease, { pseudonym: "1001", pseudoStudyInstanceUid: "2.25.1", report: Buffer.from("packed") }, 3);
  for (const destination of ["lake", "vna"])
    await store.recordDelivery(lease, { destination, state: "confirmed", instances: 1, code: undefined }, 4);
  await store.change(lease, { report: "delivered", thumbnail: Uint8Array.of(1) }, 5);
  await store.settle(lease, { state: "delivered", attempts: 0 }, 6);
  return job.id;
}

const withdraw = (store: Store, more: Partial<WithdrawalWish> = {}) =>
  store.withdrawPatient({ ...wish, ...more }, audit, 10);

const known = (project: string, digest: string, keyId = "k1") => ({ project, digest, keyId });

async function eventsOf(store: Store): Promise<readonly string[]> {
  const records = await store.auditRecords({ after: 0, limit: 10 });
  return records.map(({ record }) => JSON.parse(record).event);
}

/** A search of each project found the study. */
async function foundByStanding(store: Store, studyInstanceUid: string): Promise<void> {
  const seen = [{ studyInstanceUid, instances: 9 }];
  const counts = { found: 1, fresh: 0, changed: 0, known: 1, refused: 0 };
  for (const project of ["lung", "heart"]) {
    const facts = { name: project, project, archive: "vna", wish: "{}", timetable: "[]", nextRunAtMs: 10 };
    await store.addStandingCohort(facts, { ...audit, event: "standing-cohort-added", project }, 1);
    await store.beginStandingRun(project, { reason: "timetable", dueAtMs: 10, missed: 0, nextRunAtMs: 50 }, 1);
    await store.endStandingRun(project, 1, { state: "done", counts, seen }, 1);
  }
}

export const withdrawals: ContractCases = {
  "forgets that standing cohorts of the project found its studies": async (store) => {
    await delivered(store);
    await foundByStanding(store, "1.1");
    const { number } = await withdraw(store);
    await store.forgetWithdrawn(number, ended, 12);
    expect(await store.knownStudies("lung", ["1.1"])).toMatchObject([{ job: undefined, seen: undefined }]);
    expect(await store.knownStudies("heart", ["1.1"])).toMatchObject([{ seen: 9 }]);
  },

  "ends the patient's jobs, and writes down every copy that may be somewhere": async (store) => {
    const job = await delivered(store);
    await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1" }], { project: "heart" });
    const made = { job, pseudonym: "1001", pseudoStudyInstanceUid: "2.25.1", state: "waiting", code: undefined };
    expect(await withdraw(store)).toMatchObject({
      ...{ project: "lung", digest: "d1", state: "open", createdAtMs: 10 },
      jobs: [{ job, studyInstanceUid: "1.1", quietAtMs: 10 }],
      copies: [
        { ...made, destination: "lake" },
        { ...made, destination: "vna" },
      ],
    });
    expect(await store.job(job)).toMatchObject({ state: "excluded", code: "PATIENT_WITHDRAWN" });
    expect(await store.isWithdrawn(known("lung", "d1"))).toBe(true);
    expect(await store.isWithdrawn(known("lung", "d2"))).toBe(false);
    expect(await store.isWithdrawn(known("heart", "d1"))).toBe(false);
    const others = await store.listJobs({ state: "queued", limit: 10 });
    expect(others).toMatchObject([
      { project: "lung", patientId: "P2", studyInstanceUid: "1.2" },
      { project: "heart", patientId: "P1", studyInstanceUid: "1.1" },
    ]);
  },

  "says nothing of a patient, and withdraws nobody, by another key than the one of the list": async (store) => {
    expect(await store.isWithdrawn(known("lung", "d1", "k0"))).toBe(false);
    await delivered(store);
    await withdraw(store);
    const otherKey = refusal("WITHDRAWN_KEY_OTHER", { keyId: "k2", wanted: "k1" });
    await expect(store.isWithdrawn(known("lung", "d1", "k2"))).rejects.toEqual(otherKey);
    await expect(store.findWithdrawable({ ...wish, keyId: "k2" })).rejects.toEqual(otherKey);
    await expect(withdraw(store, { digest: "d9", patientId: "P2", keyId: "k2" })).rejects.toEqual(otherKey);
    expect(await store.listJobs({ state: "queued", limit: 10 })).toMatchObject([{ patientId: "P2" }]);
  },

  "lists everybody who was withdrawn from a project, by the key's digests": async (store) => {
    expect(await store.withdrawnDigests("lung")).toEqual({ keyId: undefined, digests: [] });
    await withdraw(store);
    await withdraw(store, { digest: "d2", patientId: "P2" });
    expect(await store.withdrawnDigests("lung")).toEqual({ keyId: "k1", digests: ["d1", "d2"] });
    expect(await store.withdrawnDigests("heart")).toEqual({ keyId: "k1", digests: [] });
  },

  "takes a running job away from its worker, and tells until when that may not know": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1" }]);
    const { lease, job } = await claimed(store);
    const { jobs } = await withdraw(store);
    expect(jobs).toMatchObject([{ job: job.id }]);
    expect(jobs[0]?.quietAtMs).toBeGreaterThan(10);
    expect(await store.renew(lease, 1_000, 11)).toBe(false);
  },

  "changes nothing when it is done again, and is audited once": async (store) => {
    await delivered(store);
    const first = await withdraw(store);
    await store.settleCopy(first.copies[0]?.number ?? 0, { state: "removed", code: undefined }, 11);
    const again = await withdraw(store);
    expect(again.copies.map(({ state }) => state)).toEqual(["removed", "waiting"]);
    expect(again.number).toBe(first.number);
    expect(await eventsOf(store)).toEqual(["patient-withdrawn"]);
  },

  "shows what would be found, and writes nothing": async (store) => {
    const job = await delivered(store);
    const { copies, jobs } = await store.findWithdrawable(wish);
    expect(copies).toMatchObject([{ destination: "lake" }, { destination: "vna" }]);
    expect(jobs).toMatchObject([{ job }]);
    expect(await store.isWithdrawn(known("lung", "d1"))).toBe(false);
    expect(await store.job(job)).toMatchObject({ state: "delivered", patientId: "P1" });
  },

  "finds studies by the linkage, whatever the job says of the patient": async (store) => {
    await store.openLinkage("lung", Buffer.from("key"), 1);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    const link = {
      pseudonym: "1001",
      pseudoStudyInstanceUid: "2.25.1",
      studyDigest: "s",
      sealed: Buffer.from("sealed"),
    };
    await store.change(lease, { link: { ...link, patientDigest: "linked" } }, 2);
    await store.recordDelivery(lease, { destination: "lake", state: "sending", instances: 1, code: undefined }, 3);
    const { copies } = await withdraw(store, { linkDigest: "linked" });
    expect(copies).toMatchObject([{ pseudonym: "1001", pseudoStudyInstanceUid: "2.25.1", destination: "lake" }]);
  },

  "forgets who it was, keeps the report until no copy is left, and ends then": async (store) => {
    const job = await delivered(store);
    const { number, copies } = await withdraw(store);
    const [lake, vna] = copies.map((copy) => copy.number);
    await store.settleCopy(lake ?? 0, { state: "absent", code: undefined }, 11);
    await store.settleCopy(vna ?? 0, { state: "person", code: "REMOVAL_NOT_OFFERED" }, 12);
    expect(await store.forgetWithdrawn(number, ended, 13)).toBe("open");
    const { patientId, studyInstanceUid, accessionNumber } = await store.job(job);
    expect([patientId, studyInstanceUid, accessionNumber]).toEqual([undefined, undefined, undefined]);
    expect([await store.ledger(job), await store.thumbnail(job)]).toEqual([[], undefined]);
    expect(await store.studyReport(job, "delivered")).toBeDefined();
    expect(await store.openWithdrawals(10)).toMatchObject([
      { number, copies: [{ state: "absent" }, { state: "person" }] },
    ]);
    await store.settleCopy(vna ?? 0, { state: "absent", code: undefined }, 14);
    expect(await store.forgetWithdrawn(number, ended, 15)).toBe("done");
    expect(await store.forgetWithdrawn(number, ended, 16)).toBe("done");
    expect(await store.studyReport(job, "delivered")).toBeUndefined();
    expect(await store.openWithdrawals(10)).toEqual([]);
    expect(await store.withdrawal("lung", "d1")).toMatchObject({ state: "done" });
    expect(await eventsOf(store)).toEqual(["patient-withdrawn", "patient-withdrawal-ended"]);
  },

  "is open again for a study that is found later, and for a copy that only the linkage tells of": async (store) => {
    await store.openLinkage("lung", Buffer.from("key"), 1);
    const job = await delivered(store);
    const removeAll = async ({ number, copies }: WithdrawalRecord) => {
      for (const copy of copies) await store.settleCopy(copy.number, { state: "removed", code: undefined }, 11);
      return await store.forgetWithdrawn(number, ended, 12);
    };
    expect(await removeAll(await withdraw(store))).toBe("done");
    expect(await withdraw(store)).toMatchObject({ state: "done" });
    await submit(store, [{ studyInstanceUid: "1.3", patientId: "P1" }]);
    const later = await withdraw(store);
    expect(later).toMatchObject({ state: "open", jobs: [{ job }, { studyInstanceUid: "1.3" }] });
    expect(await store.openWithdrawals(10)).toHaveLength(1);
    expect(await removeAll(later)).toBe("done");
    expect(await store.listJobs({ state: "excluded", limit: 10 })).toMatchObject(
      Array(2).fill({ patientId: undefined }),
    );
    expect(await withdraw(store, { linkDigest: "linked" })).toMatchObject({
      state: "open",
      copies: [
        ...Array(2).fill({ pseudonym: "1000", state: "waiting" }),
        ...Array(2).fill({ pseudonym: "1001", state: "removed" }),
      ],
    });
  },

  "overwrites what rows of cohorts said of the patient, refused ones too, and no other's": async (store) => {
    await delivered(store);
    const [first] = await store.listCohorts({ limit: 1 });
    const refused = [
      ["P1", "x"],
      ["y", " P1 "],
      ["P10", 'z"P1"'],
      ["P2", ","],
    ].map((cells, index) => ({
      ...{ rowNumber: 3 + index, code: "UID_INVALID" as const, cells },
    }));
    // One names the study alone; one names the patient beside a study that is somebody else's.
    const rows = [
      { studyInstanceUid: "1.1", cells: ["1.1"] },
      { studyInstanceUid: "1.2", patientId: "P1", cells: ["P1"] },
    ];
    const second = await submit(store, rows, { refused });
    const elsewhere = await submit(store, rows, { project: "heart", refused });
    await withdraw(store);
    const cellsOf = async (cohort = "") =>
      (await store.exportRows(cohort, { afterRow: 0, limit: 10 })).map(({ cells }) => cells);
    expect(await cellsOf(first?.cohort)).toEqual([[], ["P2", "A2"]]);
    expect(await cellsOf(second)).toEqual([[], [], [], [], ["P10", 'z"P1"'], ["P2", ","]]);
    expect(await cellsOf(elsewhere)).toEqual([["1.1"], ["P1"], ...refused.map(({ cells }) => cells)]);
  },
};
