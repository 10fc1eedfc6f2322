import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { IntakeInstance } from "../intake.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, each, finish, submit } from "./support.testing.ts";

const PATIENCE = { quietMs: 100, longestMs: 250 };
const STUDY = "1.2.3";
const AUDIT: AuditEvent = {
  event: "intake-assigned",
  actor: { name: "pat", kind: "command line" },
  outcome: "success",
};

function instance(number: number, facts: Partial<IntakeInstance> = {}): IntakeInstance {
  return {
    studyInstanceUid: STUDY,
    seriesInstanceUid: `${STUDY}.1`,
    sopInstanceUid: `${STUDY}.1.${number}`,
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    patientId: "P1",
    accessionNumber: "A1",
    modality: "CT",
    callingAeTitle: "CT1",
    file: `aa-${number}`,
    project: "lung",
    rule: "scanners",
    ...facts,
  };
}

const add = async (store: Store, one: IntakeInstance, nowMs: number) =>
  (await store.addIntakeInstances([one], PATIENCE, nowMs))[0];
const queueDue = async (store: Store, nowMs: number) => (await store.queueDueIntake(PATIENCE, nowMs)).due;
/** The study goes quiet at 100, and the archive that its rule names says how many it should hold. */
async function tell(store: Store, expected: number | undefined, nowMs = 110) {
  const { toAsk } = await store.queueDueIntake(PATIENCE, nowMs, ["scanners"]);
  const [study] = toAsk;
  if (study === undefined) throw new Error("no study is asked for");
  const { id, instances } = study;
  const detail = { archive: "pacs", listed: expected ?? "" };
  const answer = { id, instances, expected, detail };
  return { answer, tellAt: (atMs: number) => store.tellIntake(answer, PATIENCE, atMs) };
}
const listed = async (store: Store) =>
  (await store.listIntake({ limit: 9 })).map(({ state, code, project, instances }) => ({
    state,
    code,
    project,
    instances,
  }));

async function held(store: Store): Promise<string> {
  const [study] = await store.listIntake({ state: "held", limit: 1 });
  return study?.id ?? "none";
}

async function jobs(store: Store) {
  return (await store.listJobs({ limit: 9 })).map(({ project, state, studyInstanceUid, patientId }) => ({
    project,
    state,
    studyInstanceUid,
    patientId,
  }));
}

const QUEUED = [{ project: "lung", state: "queued", studyInstanceUid: STUDY, patientId: "P1" }];

export const intake: ContractCases = {
  "takes in what a sender wrote with a NUL within": async (store) => {
    const facts = { callingAeTitle: "CT\0X", modality: "C\0T", patientId: "P\0Q", accessionNumber: "A\0" };
    expect(await store.addIntakeInstances([instance(1, facts), instance(2)], PATIENCE, 0)).toEqual([true, true]);
  },

  "makes a job of a study when nothing of it came for the quiet period": async (store) => {
    expect(await add(store, instance(1), 0)).toBe(true);
    await add(store, instance(2), 60);
    expect(await store.nextIntakeDueAtMs()).toBe(160);
    expect([await queueDue(store, 159), await jobs(store)]).toEqual([0, []]);
    expect([await queueDue(store, 160), await jobs(store)]).toEqual([1, QUEUED]);
    expect(await store.nextIntakeDueAtMs()).toBeUndefined();
    expect(await listed(store)).toEqual([{ state: "queued", code: undefined, project: "lung", instances: 2 }]);
  },

  "names the study that a project made of one, and how that stands": async (store) => {
    await add(store, instance(1), 0);
    const one = async (state?: "queued") => (await store.listIntake({ state, limit: 1 }))[0];
    expect(await one()).toMatchObject({ state: "open", job: undefined, jobState: undefined });
    await queueDue(store, 160);
    const [job] = await store.listJobs({ limit: 1 });
    expect(await one()).toMatchObject({ state: "queued", job: job?.id, jobState: "queued" });
    await store.cancelJobs({ job: job?.id ?? "" }, 161);
    expect(await one("queued")).toMatchObject({ job: job?.id, jobState: "cancelled" });
  },

  "counts what waits for more and for a person": async (store) => {
    expect(await store.intakeCounts()).toEqual([]);
    await add(store, instance(1), 0);
    await add(store, instance(1, { studyInstanceUid: "1.2.4" }), 50);
    await add(store, instance(1, { studyInstanceUid: "1.2.5", project: undefined }), 60);
    const held = { state: "held", studies: 1, oldestAtMs: 60 };
    expect(await store.intakeCounts()).toEqual([held, { state: "open", studies: 2, oldestAtMs: 0 }]);
    await queueDue(store, 100);
    expect(await store.intakeCounts()).toEqual([held, { state: "open", studies: 1, oldestAtMs: 50 }]);
  },

  "waits no longer than the longest time for a sender that never ends": async (store) => {
    for (let number = 0; number <= 4; number += 1) await add(store, instance(number), number * 60);
    expect(await store.nextIntakeDueAtMs()).toBe(250);
  },

  "knows a file again whose sender was not answered": async (store) => {
    expect([await add(store, instance(1), 0), await add(store, instance(1), 1)]).toEqual([true, true]);
    expect(await listed(store)).toMatchObject([{ instances: 1 }]);
    expect(await store.nextIntakeDueAtMs()).toBe(100);
  },

  "asks no archive for what a person gave to a project, and counts its patience from what came later": async (
    store,
  ) => {
    await add(store, instance(1), 0);
    await add(store, instance(2, { patientId: "P2" }), 10);
    await store.assignIntake(await held(store), "lung", AUDIT, 1_000);
    await finish(store, "delivered", 1_001);
    await add(store, instance(3), 1_100);
    expect(await store.nextIntakeDueAtMs()).toBe(1_200);
    expect(await store.queueDueIntake(PATIENCE, 1_200, ["scanners"])).toEqual({ due: 1, toAsk: [] });
    expect(await jobs(store)).toEqual(QUEUED);
  },

  "counts an instance that is sent twice once, and keeps its first file": async (store) => {
    await add(store, instance(1), 0);
    expect(await add(store, instance(1, { file: "aa-again" }), 90)).toBe(false);
    expect(await store.nextIntakeDueAtMs()).toBe(100);
    expect(await store.intakeFiles("aa")).toEqual(["aa-1"]);
    expect(await store.intakeFiles("ab")).toEqual([]);
  },

  ...each(
    [
      ["no rule", {}, { project: undefined }, "INTAKE_RULES_DIFFER"],
      ["another project", {}, { project: "heart" }, "INTAKE_RULES_DIFFER"],
      ["another patient", {}, { patientId: "P2" }, "INTAKE_PATIENTS_DIFFER"],
      ["no rule from the first", { project: undefined }, { project: undefined }, "INTAKE_NO_RULE"],
    ] as const,
    "holds a study with an instance of %s",
    async (store, _, first, second, code) => {
      await add(store, instance(1, first), 0);
      await add(store, instance(2, second), 10);
      expect(await store.nextIntakeDueAtMs()).toBeUndefined();
      expect(await listed(store)).toMatchObject([{ state: "held", code, instances: 2 }]);
      expect(await store.intakeContents("lung", STUDY)).toBeUndefined();
    },
  ),

  "makes a held study a job when somebody assigns it, with what no rule speaks of later": async (store) => {
    await add(store, instance(1, { project: undefined, rule: undefined }), 0);
    const id = await held(store);
    expect(await store.assignIntake(id, "lung", AUDIT, 5)).toBe("assigned");
    expect(await store.assignIntake(id, "lung", AUDIT, 5)).toBe("not held");
    expect(await jobs(store)).toEqual(QUEUED);
    expect(await store.auditRecords({ after: 0, limit: 9 })).toHaveLength(1);
    expect((await store.intakeContents("lung", STUDY))?.instances).toHaveLength(1);
    expect(await store.intakeContents("heart", STUDY)).toBeUndefined();
    await add(store, instance(2, { project: undefined, rule: undefined }), 10);
    expect(await listed(store)).toMatchObject([{ state: "open", project: "lung" }]);
    await add(store, instance(3, { project: "heart" }), 20);
    await claimed(store, 20);
    expect(await store.assignIntake(id, "lung", AUDIT, 20)).toBe("under way");
  },

  "forgets what is discarded, and takes the study in anew when it is sent again": async (store) => {
    await add(store, instance(1, { project: undefined }), 0);
    const id = await held(store);
    expect(await store.discardIntake(id, AUDIT, 0)).toBe(true);
    expect(await store.discardIntake(id, AUDIT, 0)).toBe(false);
    await add(store, instance(1, { file: "ab-1" }), 0);
    expect(await listed(store)).toMatchObject([{ state: "open", instances: 1 }]);
    expect(await store.forgetIntake(0)).toEqual(["aa-1"]);
    expect(await store.forgetIntake(0)).toEqual([]);
    expect(await store.intakeFiles("ab")).toEqual(["ab-1"]);
    expect(await store.auditRecords({ after: 0, limit: 9 }), "that was decided once").toHaveLength(1);
  },

  "forgets of several nodes' studies those of the one that asks, whose disk their files are on": async (store) => {
    await add(store, instance(1, { project: undefined, node: "north" }), 0);
    await store.discardIntake(await held(store), AUDIT, 0);
    expect(await store.forgetIntake(0, "east")).toEqual([]);
    expect(await store.forgetIntake(0, "north")).toEqual(["aa-1"]);
  },

  "queues a delivered study again for what comes later, and waits for a job that is under way": async (store) => {
    await add(store, instance(1), 0);
    await queueDue(store, 100);
    await finish(store, "delivered", 110);
    await add(store, instance(2), 200);
    await queueDue(store, 300);
    expect(await jobs(store)).toEqual(QUEUED);
    await add(store, instance(3), 310);
    await claimed(store, 320);
    await queueDue(store, 410);
    expect(await store.nextIntakeDueAtMs()).toBe(510);
    expect(await listed(store)).toMatchObject([{ state: "open", instances: 3 }]);
  },

  "forgets a study some time after it was delivered, and not while more of it is open": async (store) => {
    await add(store, instance(1), 0);
    await queueDue(store, 100);
    expect(await store.forgetIntake(1_000)).toEqual([]);
    await finish(store, "delivered", 110);
    expect(await store.forgetIntake(0)).toEqual([]);
    await add(store, instance(2), 200);
    expect(await store.forgetIntake(1_000)).toEqual([]);
    await queueDue(store, 300);
    await finish(store, "delivered", 310);
    expect(await store.forgetIntake(1_000)).toEqual(["aa-1", "aa-2"]);
    expect(await listed(store)).toEqual([]);
  },

  ...each(
    [["failed"], ["held"], ["quarantined"], ["not-found"]] as const,
    "keeps the files of a study whose job is %s, whatever another project has of it",
    async (store, state) => {
      await add(store, instance(1), 0);
      await queueDue(store, 100);
      await finish(store, state, 110);
      await submit(store, [{ studyInstanceUid: STUDY }], { project: "heart" });
      await finish(store, "delivered", 120);
      expect(await store.forgetIntake(1_000)).toEqual([]);
      expect((await store.intakeContents("lung", STUDY))?.instances).toMatchObject([{ file: "aa-1" }]);
      expect(await store.intakeContents("heart", STUDY)).toBeUndefined();
    },
  ),

  "tells whoever looks at a quarantined study that more was sent, and leaves it to him": async (store) => {
    await add(store, instance(1), 0);
    await queueDue(store, 100);
    const id = await finish(store, "quarantined", 110);
    await add(store, instance(2), 200);
    await queueDue(store, 300);
    expect(await store.job(id)).toMatchObject({ state: "quarantined" });
    expect((await store.events(id)).at(-1)).toMatchObject({ event: "more was sent", detail: { instances: 2 } });
    expect((await store.intakeContents("lung", STUDY))?.instances).toHaveLength(2);
  },

  "asks an archive before a quiet study is a job, and again when nobody told what it said": async (store) => {
    await add(store, instance(1), 0);
    expect((await store.queueDueIntake(PATIENCE, 100, ["scanners"])).toAsk).toEqual([
      { id: expect.any(String), studyInstanceUid: STUDY, rule: "scanners", instances: 1 },
    ]);
    expect(await jobs(store)).toEqual([]);
    expect((await store.queueDueIntake(PATIENCE, 101, ["scanners"])).toAsk).toEqual([]);
    expect(await store.nextIntakeDueAtMs()).toBe(100 + 120_000);
    expect((await store.queueDueIntake(PATIENCE, 130_000, ["scanners"])).toAsk).toHaveLength(1);
    expect(await queueDue(store, 260_000)).toBe(1);
    expect(await jobs(store)).toEqual(QUEUED);
  },

  ...each(
    [
      ["as many", 1],
      ["less", 0],
      ["nothing", undefined],
    ] as const,
    "makes a quiet study a job when the archive says %s, and has it in the timeline",
    async (store, _, expected) => {
      await add(store, instance(1), 0);
      await (await tell(store, expected)).tellAt(120);
      expect(await jobs(store)).toEqual(QUEUED);
      const [job] = await store.listJobs({ limit: 1 });
      const asked = (await store.events(job?.id ?? "")).filter(({ detail }) => detail.archive === "pacs");
      expect(asked).toMatchObject([{ atMs: 120, detail: { listed: expected ?? "" } }]);
      expect(await store.intakeContents("lung", STUDY)).toMatchObject({ expected });
    },
  ),

  "lets a study wait for the end of the patience when the archive says more, and goes on as it is then": async (
    store,
  ) => {
    await add(store, instance(1), 0);
    await (await tell(store, 3)).tellAt(120);
    expect([await jobs(store), await store.nextIntakeDueAtMs()]).toEqual([[], 250]);
    expect(await store.listIntake({ limit: 1 })).toMatchObject([{ state: "open", instances: 1, expected: 3 }]);
    await (await tell(store, undefined, 250)).tellAt(255);
    expect(await jobs(store)).toEqual(QUEUED);
    expect(await store.intakeContents("lung", STUDY)).toMatchObject({ expected: 3 });
  },

  "takes no answer of an archive for a study that more came of since, or that was queued": async (store) => {
    await add(store, instance(1), 0);
    const { tellAt } = await tell(store, 1);
    await add(store, instance(2), 115);
    await tellAt(120);
    expect([await jobs(store), await store.nextIntakeDueAtMs()]).toEqual([[], 215]);
    const second = await tell(store, 2, 215);
    await second.tellAt(216);
    await finish(store, "delivered", 217);
    await second.tellAt(218);
    expect(await jobs(store)).toMatchObject([{ state: "delivered" }]);
  },

  "starts a job again that is held for what had not been sent": async (store) => {
    await add(store, instance(1), 0);
    await queueDue(store, 100);
    const { lease, job } = await claimed(store, 110);
    await store.settle(lease, { state: "held", code: "INSTANCES_MISSING", attempts: job.attempts }, 120);
    await add(store, instance(2), 200);
    await queueDue(store, 300);
    expect(await jobs(store)).toEqual(QUEUED);
  },

  "takes a job that a cohort asked for": async (store) => {
    await submit(store, [{ studyInstanceUid: STUDY }]);
    await finish(store, "not-found", 10);
    await add(store, instance(1), 20);
    await queueDue(store, 120);
    expect(await jobs(store)).toMatchObject([{ state: "queued", studyInstanceUid: STUDY }]);
  },

  "keeps requests for storage commitment until they are answered, each once": async (store) => {
    const wish = {
      transactionUid: "2.25.1",
      callingAeTitle: "CT1",
      calledAeTitle: "RADFERRY",
      instances: [1, 2].map((number) => ({
        sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
        sopInstanceUid: `1.2.3.1.${number}`,
      })),
    };
    expect([await store.addCommitment(wish, 10), await store.addCommitment(wish, 11)]).toEqual(["added", "known"]);
    expect(await store.addCommitment({ ...wish, callingAeTitle: "CT2" }, 20)).toBe("added");
    expect(await store.nextCommitmentDueAtMs()).toBe(10);
    const [due, ...others] = await store.claimCommitments(9, 5, 10);
    expect([due, others]).toEqual([{ ...wish, number: due?.number, createdAtMs: 10, attempts: 0 }, []]);
    await store.postponeCommitment(due?.number ?? 0, 50);
    expect(await store.claimCommitments(9, 10, 60)).toMatchObject([{ attempts: 1 }, { attempts: 0 }]);
    expect(await store.claimCommitments(9, 10, 69), "each is one reporter's while the lease lasts").toEqual([]);
    await store.releaseCommitment(due?.number ?? 0, 69);
    expect(await store.claimCommitments(9, 10, 69)).toMatchObject([{ number: due?.number, attempts: 1 }]);
    await store.hurryCommitments(69);
    expect(await store.claimCommitments(9, 10, 69)).toHaveLength(2);
    await store.endCommitment(due?.number ?? 0);
    expect(await store.claimCommitments(9, 10, 90)).toMatchObject([{ callingAeTitle: "CT2" }]);
  },

  "takes so many requests for storage commitment of one sender": async (store) => {
    const wish = { callingAeTitle: "CT1", calledAeTitle: "RADFERRY", instances: [] };
    for (let number = 0; number < 1_000; number += 1)
      await store.addCommitment({ ...wish, transactionUid: `2.25.${number}` }, 0);
    expect(await store.addCommitment({ ...wish, transactionUid: "2.25.1000" }, 0)).toBe("full");
  },

  "commits to what it holds, and to what the ledger has as delivered, not to what was discarded": async (store) => {
    const uids = [1, 2, 3].map((number) => instance(number).sopInstanceUid);
    const sopClass = instance(1).sopClassUid;
    await add(store, instance(1), 0);
    await add(store, instance(2), 0);
    expect(await store.committableClasses(uids)).toEqual([sopClass, sopClass, undefined]);
    await queueDue(store, 100);
    const { lease, job } = await claimed(store, 110);
    const [first, second] = [instance(1), instance(2)];
    const received = [first, second].map((one) => {
      const { sopInstanceUid, seriesInstanceUid } = one;
      return { kind: "received", sopInstanceUid, seriesInstanceUid } as const;
    });
    const delivered = { kind: "delivered", sopInstanceUid: first.sopInstanceUid } as const;
    await store.change(lease, { ledger: [...received, delivered] }, 111);
    await store.settle(lease, { state: "delivered", attempts: job.attempts }, 120);
    // Another project has what this one has not.
    await submit(store, [{ studyInstanceUid: STUDY }], { project: "heart" });
    const elsewhere = await claimed(store, 121);
    const deliveredThere = { kind: "delivered", sopInstanceUid: second.sopInstanceUid } as const;
    await store.change(elsewhere.lease, { ledger: [...received, deliveredThere] }, 122);
    await store.forgetIntake(130);
    expect(await store.intakeFiles("aa")).toEqual([]);
    expect(await store.committableClasses(uids)).toEqual([sopClass, undefined, undefined]);
    await add(store, instance(3, { project: undefined }), 200);
    await store.discardIntake(await held(store), AUDIT, 201);
    expect(await store.committableClasses(uids)).toEqual([sopClass, undefined, undefined]);
  },
};
