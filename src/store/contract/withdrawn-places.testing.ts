import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { IntakeInstance } from "../intake.ts";
import type { Store } from "../store.ts";
import type { WithdrawalWish } from "../withdrawals.ts";
import { type ContractCases, LEASE_MS, refusal, submit } from "./support.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const audit: AuditEvent = { event: "patient-withdrawn", actor, outcome: "success", project: "lung" };
const ended: AuditEvent = { event: "patient-withdrawal-ended", actor, outcome: "success", project: "lung" };
const wish: WithdrawalWish = { project: "lung", digest: "d1", keyId: "k1", patientId: "P1", linkDigest: undefined };
const PATIENCE = { quietMs: 100, longestMs: 250 };
const LIMIT = 10;

const withdraw = (store: Store, more: Partial<WithdrawalWish> = {}) =>
  store.withdrawPatient({ ...wish, ...more }, audit, 10);
const toClear = (store: Store, node: string, keyId = "k1") => store.placesToClear({ node, keyId }, LIMIT);

/** The node begins the only study that is due, and leaves it undone. */
async function begunOn(store: Store, node: string, project = "lung"): Promise<string> {
  await submit(store, [{ studyInstanceUid: "1.1", patientId: "P1" }], { project });
  const claim = await store.claim(`${node}/worker-1`, LEASE_MS, 0);
  if (claim === undefined) throw new Error("nothing was due");
  await store.settle(claim.lease, { state: "failed", attempts: 1 }, 1);
  return claim.job.id;
}

async function pushed(store: Store, facts: Partial<IntakeInstance> = {}): Promise<void> {
  const { studyInstanceUid = "1.9" } = facts;
  const instance: IntakeInstance = {
    ...{ studyInstanceUid, seriesInstanceUid: `${studyInstanceUid}.1`, sopInstanceUid: `${studyInstanceUid}.1.1` },
    ...{ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", patientId: "P1", accessionNumber: "A1", modality: "CT" },
    ...{ callingAeTitle: "CT1", file: `aa-${studyInstanceUid}`, project: "lung", rule: "scanners" },
    ...facts,
  };
  await store.addIntakeInstances([instance], PATIENCE, 0);
}

const unasked = async (store: Store) =>
  (await store.listIntake({ limit: LIMIT })).map(({ state, project }) => [state, project]);

export const withdrawnPlaces: ContractCases = {
  "names every node whose workers began the study, for whatever project": async (store) => {
    await begunOn(store, "north");
    await begunOn(store, "east", "heart");
    const places = [
      { node: "east", state: "stopping" },
      { node: "north", state: "stopping" },
    ];
    expect((await store.findWithdrawable(wish)).places).toEqual(places);
    expect((await withdraw(store)).places).toEqual(places);
  },

  "asks a node only once no worker goes on, and by what the studies are known": async (store) => {
    const job = await begunOn(store, "north");
    const { number } = await withdraw(store);
    expect([await toClear(store, "north"), await store.isAwaited("north")]).toEqual([[], false]);
    await store.askPlaces(number, [{ job, studyDigest: "s1" }], 11);
    expect([await store.isAwaited("north"), await store.isAwaited("east")]).toEqual([true, false]);
    const place = { withdrawal: number, project: "lung", digest: "d1", node: "north" };
    expect(await toClear(store, "north")).toEqual([{ ...place, jobs: [{ job, studyDigest: "s1" }] }]);
    expect(await toClear(store, "east")).toEqual([]);
    await expect(toClear(store, "north", "k2")).rejects.toEqual(refusal("WITHDRAWN_KEY_OTHER"));
  },

  "stays open until every node has removed what it had, though who it was is forgotten": async (store) => {
    const job = await begunOn(store, "north");
    const { number } = await withdraw(store);
    await store.askPlaces(number, [{ job, studyDigest: "s1" }], 11);
    expect(await store.forgetWithdrawn(number, ended, 12)).toBe("open");
    expect((await store.job(job)).studyInstanceUid).toBeUndefined();
    expect(await toClear(store, "north")).toMatchObject([{ jobs: [{ job, studyDigest: "s1" }] }]);
    expect(await store.settlePlace(number, "north", 13)).toBe(true);
    expect(await store.settlePlace(number, "north", 14)).toBe(false);
    expect(await toClear(store, "north")).toEqual([]);
    expect(await store.forgetWithdrawn(number, ended, 15)).toBe("done");
  },

  "asks no node a second time for what it has removed, but for what was found since": async (store) => {
    const job = await begunOn(store, "north");
    const { number } = await withdraw(store);
    await store.askPlaces(number, [{ job, studyDigest: "s1" }], 11);
    await store.settlePlace(number, "north", 12);
    expect((await withdraw(store)).places).toEqual([{ node: "north", state: "done" }]);
    expect((await store.findWithdrawable(wish)).places).toEqual([]);
    await store.forgetWithdrawn(number, ended, 13);
    await begunOn(store, "north");
    expect(await withdraw(store)).toMatchObject({ state: "open", places: [{ node: "north", state: "stopping" }] });
  },

  "discards what was sent unasked for the project, and waits for the node that has it": async (store) => {
    await pushed(store, { node: "north" });
    await pushed(store, { studyInstanceUid: "1.10", project: "heart" });
    await pushed(store, { studyInstanceUid: "1.11", patientId: "P2" });
    const { number, places } = await withdraw(store);
    expect(places).toEqual([{ node: "north", state: "stopping" }]);
    expect(await unasked(store)).toEqual([
      ["open", "heart"],
      ["open", "lung"],
    ]);
    await store.askPlaces(number, [], 11);
    expect(await store.settlePlace(number, "north", 12)).toBe(false);
    expect(await store.forgetIntake(0, "north")).toEqual(["aa-1.9"]);
    expect(await store.settlePlace(number, "north", 13)).toBe(true);
  },

  "waits for the only node of a store for what only a running service may remove": async (store) => {
    await begunOn(store, "north");
    expect((await withdraw(store, { soleNode: "gateway" })).places).toEqual([]);
    await pushed(store);
    const { number, places } = await withdraw(store, { soleNode: "gateway" });
    expect(places).toEqual([{ node: "gateway", state: "stopping" }]);
    await store.askPlaces(number, [], 11);
    expect(await store.settlePlace(number, "gateway", 12)).toBe(false);
    await store.forgetIntake(0);
    expect(await store.settlePlace(number, "gateway", 13)).toBe(true);
  },

  "discards what was sent unasked of a study whose project wants no part of it": async (store) => {
    await pushed(store);
    await store.discardUnasked("lung", "1.9");
    expect(await unasked(store), "more of it may come").toEqual([["open", "lung"]]);
    await store.queueDueIntake(PATIENCE, 200);
    await store.discardUnasked("heart", "1.9");
    expect(await unasked(store)).toEqual([["queued", "lung"]]);
    await store.discardUnasked("lung", "1.9");
    expect(await unasked(store)).toEqual([]);
    expect(await store.forgetIntake(0)).toEqual(["aa-1.9"]);
  },

  "leaves what is held for nobody, until the patient is withdrawn everywhere": async (store) => {
    await pushed(store, { project: undefined, rule: undefined });
    // A study of two patients, as somebody else's image is in it.
    await pushed(store, { studyInstanceUid: "1.10" });
    await pushed(store, { studyInstanceUid: "1.10", sopInstanceUid: "1.10.1.2", patientId: "P2", file: "bb" });
    await withdraw(store);
    expect(await unasked(store)).toEqual([
      ["held", undefined],
      ["held", "lung"],
    ]);
    expect(await store.heldIntakeOf("P1")).toBe(2);
    await withdraw(store, { isEverywhere: true });
    expect([await unasked(store), await store.heldIntakeOf("P1")]).toEqual([[], 0]);
  },

  "commits no more to what of a withdrawn patient was delivered": async (store) => {
    await pushed(store);
    await store.queueDueIntake(PATIENCE, 200);
    const claim = await store.claim("worker", LEASE_MS, 200);
    if (claim === undefined) throw new Error("nothing was due");
    const instance = { sopInstanceUid: "1.9.1.1", seriesInstanceUid: "1.9.1" };
    const { sopInstanceUid } = instance;
    await store.change(claim.lease, { ledger: [{ kind: "received", ...instance }] }, 201);
    await store.change(claim.lease, { ledger: [{ kind: "delivered", sopInstanceUid }] }, 202);
    await store.settle(claim.lease, { state: "delivered", attempts: 0 }, 203);
    await store.forgetIntake(1_000);
    expect(await store.committableClasses([sopInstanceUid])).toEqual(["1.2.840.10008.5.1.4.1.1.2"]);
    const { number } = await withdraw(store);
    await store.forgetWithdrawn(number, ended, 1_001);
    expect(await store.committableClasses([sopInstanceUid])).toEqual([undefined]);
  },
};
