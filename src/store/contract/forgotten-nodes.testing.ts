import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { IntakeInstance } from "../intake.ts";
import { type GivenUp, SILENT_MS } from "../nodes.ts";
import type { Store } from "../store.ts";
import type { WithdrawalWish } from "../withdrawals.ts";
import { type ContractCases, LEASE_MS, submit } from "./support.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const forgotten: AuditEvent = { event: "node-forgotten", actor, outcome: "success", detail: { node: "north" } };
const withdrawn: AuditEvent = { event: "patient-withdrawn", actor, outcome: "success", project: "lung" };
const ended: AuditEvent = { event: "patient-withdrawal-ended", actor, outcome: "success", project: "lung" };
const wish: WithdrawalWish = { project: "lung", digest: "d1", keyId: "k1", patientId: "P1", linkDigest: undefined };
const NORTH = { name: "north", version: "1.0.0", roles: ["worker"], address: undefined, startedAtMs: 0 };
const AT_ONCE = { quietMs: 0, longestMs: 0 };
const HOME = "0123456789abcdef";
/** North was last heard of at 0. */
const LATER_MS = SILENT_MS + 1;
const LIMIT = 10;
const NOTHING = { withdrawals: [], studiesFreed: 0, studiesSoughtAnew: 0, studiesLost: 0, heldLost: 0, permits: 0 };

/** A node that took its name, gave one sign of life, and is gone. */
async function burnt(store: Store): Promise<void> {
  await store.takePermit({ resource: "node:north", limit: 1, holder: HOME, node: "north" }, SILENT_MS, 0);
  await store.beatNode(NORTH, 0);
}

async function forget(store: Store): Promise<GivenUp> {
  const given = await store.giveUpNode("north", forgotten, LATER_MS);
  if (typeof given === "string") throw new Error(given);
  return given;
}

async function pushed(store: Store, uid: string, facts: Partial<IntakeInstance> = {}): Promise<void> {
  const instance: IntakeInstance = {
    ...{ studyInstanceUid: uid, seriesInstanceUid: `${uid}.1`, sopInstanceUid: `${uid}.1.1` },
    ...{ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", patientId: "P1", accessionNumber: "A1", modality: "CT" },
    ...{ callingAeTitle: "CT1", file: `aa-${uid}`, project: "lung", rule: "scanners", node: "north" },
    ...facts,
  };
  await store.addIntakeInstances([instance], AT_ONCE, 0);
}

const jobOf = async (store: Store, studyInstanceUid: string) => {
  const jobs = await store.listJobs({ limit: LIMIT });
  const job = jobs.find((each) => each.studyInstanceUid === studyInstanceUid);
  if (job === undefined) throw new Error("there is no such job");
  return job;
};

/** Begun on north, so that its withdrawal waits for north. */
async function withdrawnOnNorth(store: Store): Promise<{ readonly number: number; readonly job: string }> {
  await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1" }]);
  const claim = await store.claim("north/worker-1", LEASE_MS, 0);
  if (claim === undefined) throw new Error("nothing was due");
  await store.settle(claim.lease, { state: "failed", attempts: 1 }, 1);
  const { number } = await store.withdrawPatient(wish, withdrawn, 10);
  return { number, job: claim.job.id };
}

const placesOf = async (store: Store) => (await store.withdrawal("lung", "d1"))?.places;

export const forgottenNodes: ContractCases = {
  "gives up no node that is heard of, that is starting, or that nobody knows": async (store) => {
    await burnt(store);
    expect(await store.giveUpNode("north", forgotten, SILENT_MS - 1)).toBe("at work");
    expect(await store.giveUpNode("nroth", forgotten, LATER_MS)).toBe("unknown");
    await store.takePermit({ resource: "node:north", limit: 1, holder: HOME, node: "north" }, SILENT_MS, LATER_MS);
    expect(await store.giveUpNode("north", forgotten, LATER_MS)).toBe("at work");
    expect(await store.listNodes()).toMatchObject([{ name: "north" }]);
  },

  "takes a node out of the list with its permits, and tells in the audit trail what was given up": async (store) => {
    await burnt(store);
    await store.takePermit({ resource: "archive pacs", limit: 1, holder: "a", node: "north" }, 10 * LATER_MS, 0);
    expect(await forget(store)).toEqual({ ...NOTHING, permits: 2 });
    expect(await store.listNodes()).toEqual([]);
    const other = { resource: "archive pacs", limit: 1, holder: "b", node: "east" };
    expect(await store.takePermit(other, 10, LATER_MS)).toBe(true);
    const { withdrawals: _, ...counts } = { ...NOTHING, permits: 2 };
    expect(
      (await store.auditRecords({ after: 0, limit: LIMIT })).map(({ record }) => JSON.parse(record)),
    ).toMatchObject([{ event: "node-forgotten", detail: { node: "north", withdrawals: 0, ...counts } }]);
  },

  "lets a withdrawal end without the disk of a node that is gone, and does not call it cleared": async (store) => {
    await burnt(store);
    const { number, job } = await withdrawnOnNorth(store);
    await store.askPlaces(number, [{ job, studyDigest: "s1" }], 11);
    expect(await store.forgetWithdrawn(number, ended, 12)).toBe("open");
    expect((await forget(store)).withdrawals).toEqual([{ number, project: "lung", digest: "d1" }]);
    expect(await placesOf(store)).toEqual([{ node: "north", state: "given-up" }]);
    expect(await store.forgetWithdrawn(number, ended, 13)).toBe("done");
    expect((await store.findWithdrawable(wish)).places).toEqual([{ node: "north", state: "given-up" }]);
    expect(await store.isAwaited("north")).toBe(false);
  },

  "waits for no node that is gone in withdrawals of later, nor in those that were just beginning": async (store) => {
    await burnt(store);
    const { number } = await withdrawnOnNorth(store);
    await forget(store);
    expect(await placesOf(store)).toEqual([{ node: "north", state: "stopping" }]);
    await store.askPlaces(number, [], 11);
    expect(await placesOf(store)).toEqual([{ node: "north", state: "given-up" }]);
  },

  "asks the same home for all that it was not asked for, once it is back": async (store) => {
    await burnt(store);
    const { number, job } = await withdrawnOnNorth(store);
    await store.askPlaces(number, [{ job, studyDigest: "s1" }], 11);
    await forget(store);
    await store.forgetWithdrawn(number, ended, 12);
    expect(await store.returnNode("north", HOME, LATER_MS)).toBe(true);
    expect(await store.returnNode("north", HOME, LATER_MS)).toBe(false);
    expect(await store.withdrawal("lung", "d1")).toMatchObject({
      ...{ state: "open", places: [{ node: "north", state: "waiting" }] },
    });
    expect(await store.placesToClear({ node: "north", keyId: "k1" }, LIMIT)).toMatchObject([
      { withdrawal: number, jobs: [{ job, studyDigest: "s1" }] },
    ]);
    expect(await store.settlePlace(number, "north", LATER_MS)).toBe(true);
    expect(await store.forgetWithdrawn(number, ended, LATER_MS)).toBe("done");
  },

  "takes another home under the name for another one: the disk that was given up stays so": async (store) => {
    await burnt(store);
    const { number, job } = await withdrawnOnNorth(store);
    await store.askPlaces(number, [{ job, studyDigest: "s1" }], 11);
    await forget(store);
    expect(await store.returnNode("north", "another home", LATER_MS)).toBe(false);
    expect(await placesOf(store)).toEqual([{ node: "north", state: "given-up" }]);
    await submit(store, [{ studyInstanceUid: "1.2", patientId: "P2" }]);
    await store.claim("north/worker-1", LEASE_MS, LATER_MS);
    const later = await store.withdrawPatient({ ...wish, digest: "d2", patientId: "P2" }, withdrawn, LATER_MS);
    await store.askPlaces(later.number, [], LATER_MS);
    expect((await store.withdrawal("lung", "d2"))?.places).toEqual([{ node: "north", state: "waiting" }]);
    expect(await store.settlePlace(later.number, "north", LATER_MS)).toBe(true);
  },

  "lets others go on at once with what the node was at": async (store) => {
    await burnt(store);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const claim = await store.claim("north/worker-1", 10 * LATER_MS, 0);
    if (claim === undefined) throw new Error("nothing was due");
    const received = { kind: "received", sopInstanceUid: "1.1.1", seriesInstanceUid: "1.1.0" } as const;
    await store.change(claim.lease, { stage: "retrieving", ledger: [received] }, 1);
    expect(await forget(store)).toMatchObject({ studiesFreed: 1, studiesLost: 0 });
    expect(await store.renew(claim.lease, LEASE_MS, LATER_MS)).toBe(false);
    expect((await store.claim("east/worker-1", LEASE_MS, LATER_MS))?.job.id).toBe(claim.job.id);
  },

  "ends what was sent to the node unasked and nobody else has, and accounts for every instance": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await store.queueDueIntake(AT_ONCE, 1);
    await pushed(store, "1.2");
    await pushed(store, "1.3", { project: undefined, rule: undefined });
    await pushed(store, "1.4", { node: "east" });
    expect(await forget(store)).toMatchObject({ studiesLost: 2, heldLost: 1, studiesFreed: 0 });
    expect((await store.listIntake({ limit: LIMIT })).length, "east's").toBe(1);
    for (const uid of ["1.1", "1.2"]) {
      const job = await jobOf(store, uid);
      expect(job).toMatchObject({ state: "failed", code: "STUDY_LOST_WITH_NODE", expected: 1, excluded: 1 });
      expect(await store.ledger(job.id)).toMatchObject([
        { sopInstanceUid: `${uid}.1.1`, reason: "STUDY_LOST_WITH_NODE", excludedAtMs: LATER_MS },
      ]);
      const events = await store.events(job.id);
      expect(events.at(-1)).toMatchObject({ event: "failed", detail: { code: "STUDY_LOST_WITH_NODE", node: "north" } });
    }
    expect(await store.intakeContents("lung", "1.1")).toBeUndefined();
  },

  "loses of a study that was delivered in part what was not": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await pushed(store, "1.1", { sopInstanceUid: "1.1.1.2", file: "bb" });
    await pushed(store, "1.1", { sopInstanceUid: "1.1.1.3", file: "cc" });
    await store.queueDueIntake(AT_ONCE, 1);
    const claim = await store.claim("north/worker-1", LEASE_MS, 1);
    if (claim === undefined) throw new Error("nothing was due");
    const received = ["1", "2", "3"].map((number) => ({
      ...{ kind: "received" as const, sopInstanceUid: `1.1.1.${number}`, seriesInstanceUid: "1.1.1" },
    }));
    await store.change(claim.lease, { ledger: received }, 2);
    const reason = "filter";
    await store.change(claim.lease, { ledger: [{ kind: "excluded", sopInstanceUid: "1.1.1.3", reason }] }, 2);
    await store.change(claim.lease, { ledger: [{ kind: "delivered", sopInstanceUid: "1.1.1.1" }] }, 3);
    await store.settle(claim.lease, { state: "held", attempts: 0 }, 4);
    expect(await forget(store)).toMatchObject({ studiesLost: 1 });
    expect(await store.job(claim.job.id)).toMatchObject({ state: "failed", received: 3, delivered: 1, excluded: 2 });
    const reasons = (await store.ledger(claim.job.id)).map((line) => line.reason);
    expect(reasons).toEqual([undefined, "STUDY_LOST_WITH_NODE", "filter"]);
  },

  "takes what was lost when it is sent again to another node": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await forget(store);
    await pushed(store, "1.1", { node: "east", file: "bb-1.1" });
    await store.queueDueIntake(AT_ONCE, LATER_MS);
    expect(await jobOf(store, "1.1")).toMatchObject({ state: "queued" });
    // North comes back with the same: nobody wants it a second time.
    await store.returnNode("north", HOME, LATER_MS);
    expect(await store.forgetIntake(0, "north")).toEqual(["aa-1.1"]);
    expect((await store.intakeContents("lung", "1.1"))?.instances.map(({ file }) => file)).toEqual(["bb-1.1"]);
  },

  "looks in archives for what was sent to the node, too, where a cohort names it": async (store) => {
    await burnt(store);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await pushed(store, "1.1");
    expect(await forget(store)).toMatchObject({ studiesSoughtAnew: 1, studiesLost: 0 });
    expect((await store.claim("east/worker-1", LEASE_MS, LATER_MS))?.job).toMatchObject({ stage: "locating" });
  },

  "leaves alone what was delivered from the node, and knows that it was": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await store.queueDueIntake(AT_ONCE, 1);
    const claim = await store.claim("north/worker-1", LEASE_MS, 1);
    if (claim === undefined) throw new Error("nothing was due");
    const [sopInstanceUid, seriesInstanceUid] = ["1.1.1.1", "1.1.1"];
    await store.change(claim.lease, { ledger: [{ kind: "received", sopInstanceUid, seriesInstanceUid }] }, 2);
    await store.change(claim.lease, { ledger: [{ kind: "delivered", sopInstanceUid }] }, 3);
    await store.settle(claim.lease, { state: "delivered", attempts: 0 }, 4);
    expect(await forget(store)).toMatchObject({ studiesLost: 0, studiesSoughtAnew: 0, heldLost: 0 });
    expect(await store.job(claim.job.id)).toMatchObject({ state: "delivered", delivered: 1 });
    expect(await store.committableClasses([sopInstanceUid])).toEqual(["1.2.840.10008.5.1.4.1.1.2"]);
  },

  "loses what came after a study was delivered from the node, and not what was": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await store.queueDueIntake(AT_ONCE, 1);
    const claim = await store.claim("north/worker-1", LEASE_MS, 1);
    if (claim === undefined) throw new Error("nothing was due");
    await store.settle(claim.lease, { state: "delivered", attempts: 0 }, 4);
    await pushed(store, "1.1", { sopInstanceUid: "1.1.1.2", file: "bb" });
    expect(await forget(store)).toMatchObject({ studiesLost: 1 });
    expect(await store.job(claim.job.id)).toMatchObject({ state: "failed", code: "STUDY_LOST_WITH_NODE" });
  },

  "holds for a person what a node has that comes back, and keeps its files until then": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await pushed(store, "1.2", { project: undefined, rule: undefined });
    await forget(store);
    expect(await store.forgetIntake(0, "north")).toEqual([]);
    await store.returnNode("north", HOME, LATER_MS);
    const held = await store.listIntake({ limit: LIMIT });
    expect(held.map(({ state, code }) => [state, code])).toEqual(Array(2).fill(["held", "INTAKE_NODE_RETURNED"]));
    expect(await store.assignIntake(held[0]?.id ?? "", "lung", forgotten, LATER_MS)).toBe("assigned");
    expect(await jobOf(store, "1.1")).toMatchObject({ state: "queued" });
    expect((await store.intakeContents("lung", "1.1"))?.instances).toHaveLength(1);
  },

  "removes what was sent of a patient who was withdrawn while the node was gone": async (store) => {
    await burnt(store);
    await pushed(store, "1.1");
    await forget(store);
    const { number, places } = await store.withdrawPatient(wish, withdrawn, LATER_MS);
    expect(places).toEqual([{ node: "north", state: "stopping" }]);
    await store.askPlaces(number, [], LATER_MS);
    expect(await store.forgetWithdrawn(number, ended, LATER_MS)).toBe("done");
    await store.returnNode("north", HOME, LATER_MS);
    expect(await store.listIntake({ limit: LIMIT })).toEqual([]);
    expect(await store.settlePlace(number, "north", LATER_MS), "its files are there").toBe(false);
    expect(await store.forgetIntake(0, "north")).toEqual(["aa-1.1"]);
    expect(await store.settlePlace(number, "north", LATER_MS)).toBe(true);
  },
};
