import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf, PSEUDONYM, STUDY } from "../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { createFolderDestination } from "../delivery/folder/folder-destination.ts";
import { deliverStudy } from "../delivery/receipts.ts";
import type { StudyRemoval } from "../delivery/removal/removal.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { removeLocalCopies } from "../staging/local-copies.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import { contextOf } from "./context.testing.ts";
import type { OperationsContext } from "./context.ts";
import { resumeWithdrawals, withdrawPatients } from "./withdraw.ts";

const PATIENT = "MRN-4711-secret";
const signal = neverAborted();

/** What a withdrawal calls on its way, in turn. After one of them the process may end. */
const STEPS = ["withdrawPatient", "removeLocalCopies", "remains", "remove", "settleCopy", "forgetWithdrawn"] as const;
type Step = (typeof STEPS)[number];

interface Scene extends AsyncDisposable {
  readonly store: Store;
  readonly context: OperationsContext;
  readonly job: string;
  readonly home: string;
  readonly lake: string;
}

/** One study of the patient, delivered to a folder; `vna` has it too, and cannot remove. */
async function scene(diesAfter?: Step): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { path: home } = stack.use(await temporaryFolder());
  const { path: lake } = stack.use(await temporaryFolder());
  const { path: source } = stack.use(await temporaryFolder());
  const store = stack.use(await openSqliteStore({ path: join(home, "radferry.db") }));
  const folder = stack.use(await createFolderDestination({ name: "lake", path: lake }));
  const delivery = { ...(await deliveryOf(source, 2)), project: "lung" };
  await deliverStudy(folder, delivery, systemClock, signal);
  const job = await deliveredJob(store);
  const { removal } = folder;
  if (removal === undefined) throw new Error("a folder can remove");
  const places = { staging: join(home, "staging"), outbox: join(home, "outbox"), shred: false };
  const dying = <A extends readonly unknown[], R>(step: Step, run: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      const result = await run(...args);
      if (diesAfter === step) throw new Error("killed");
      return result;
    };
  };
  const mortal: StudyRemoval = {
    remains: dying("remains", removal.remains),
    remove: dying("remove", removal.remove),
  };
  const dyingStore = new Proxy(store, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      const step = STEPS.find((each) => each === name);
      return step === undefined || typeof found !== "function" ? found : dying(step, async (...args) => found(...args));
    },
  });
  const kept = stack.move();
  const context: OperationsContext = {
    ...contextOf({ role: "admin", told: [], store: dyingStore }),
    store: dyingStore,
    clock: systemClock,
    projects: new Map([["lung", { name: "lung" } as never]]),
    destinations: new Map(["lake", "vna"].map((name) => [name, { name } as never])),
    removals: new Map([["lake", mortal]]),
    withdrawn: {
      keyFile: join(home, "keys", "withdrawn.key"),
      nodes: async () => ["gateway"],
      soleNode: "gateway",
      removeLocalCopies: dying("removeLocalCopies", (study) => removeLocalCopies(places, study)),
    },
  };
  return { store, context, job, home, lake, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function deliveredJob(store: Store): Promise<string> {
  const request = { rowNumber: 1, studyInstanceUid: "1.1", patientId: PATIENT, accessionNumber: undefined };
  const wish = { seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [PATIENT] };
  const refused = [{ rowNumber: 2, code: "UID_INVALID", cells: [PATIENT] }] as const;
  const cohort = { project: "lung", columns: ["patient_id"], requests: [{ ...request, ...wish }], refused };
  await store.submitCohort(cohort, 0);
  const claimed = await store.claim("worker", 1_000, 0);
  if (claimed === undefined) throw new Error("nothing was due");
  const { lease, job } = claimed;
  await store.change(lease, { pseudonym: PSEUDONYM, pseudoStudyInstanceUid: STUDY }, 1);
  await store.recordDelivery(lease, { destination: "lake", state: "confirmed", instances: 2, code: undefined }, 1);
  await store.settle(lease, { state: "delivered", attempts: 0 }, 2);
  return job.id;
}

const withdraw = (context: OperationsContext, more: object = {}) =>
  withdrawPatients(context, "lung", { patientIds: [PATIENT], ...more }, signal);

async function bytesOf(home: string): Promise<string> {
  const names = (await readdir(home)).filter((name) => name.startsWith("radferry.db"));
  return (await Promise.all(names.map((name) => readFile(join(home, name), "latin1")))).join("");
}

it("removes every copy, ends the job, and leaves no word of the patient in the store's files", async () => {
  await using site = await scene();
  expect(await bytesOf(site.home)).toContain(PATIENT);
  expect(await withdraw(site.context, { reason: "consent withdrawn" })).toMatchObject({
    ...{ project: "lung", patients: 1, studies: 1, done: 1, left: [] },
    destinations: [{ name: "lake", copies: { removed: 1 } }],
  });
  expect(await readdir(join(site.lake, "lung"))).toEqual([]);
  expect(await site.store.job(site.job)).toMatchObject({ state: "excluded", code: "PATIENT_WITHDRAWN" });
  expect(await bytesOf(site.home)).not.toContain(PATIENT);
  expect(await withdraw(site.context)).toMatchObject({ done: 1, destinations: [{ copies: { removed: 1 } }] });
});

it("rehearses without writing anything", async () => {
  await using site = await scene();
  expect(await withdraw(site.context, { isRehearsal: true })).toMatchObject({
    ...{ dryRun: true, studies: 1, done: 0, withdrawnBefore: 0 },
    left: [{ destination: "lake", pseudonym: PSEUDONYM, state: "waiting" }],
  });
  expect(await site.store.openWithdrawals(1)).toEqual([]);
  expect(await readdir(site.home)).not.toContain("keys");
  expect(await site.store.job(site.job)).toMatchObject({ state: "delivered", patientId: PATIENT });
});

it("says of a patient who is withdrawn already that there is nothing to do, or what is left", async () => {
  await using site = await scene();
  const removals = new Map();
  await withdraw({ ...site.context, removals });
  const rehearse = () => withdraw(site.context, { isRehearsal: true });
  expect(await rehearse()).toMatchObject({ withdrawnBefore: 1, done: 0, left: [{ state: "person" }] });
  await withdraw(site.context);
  expect(await rehearse()).toMatchObject({ withdrawnBefore: 1, done: 1, left: [] });
});

it("lists what a person has to remove, and finds it gone when that was done", async () => {
  await using site = await scene();
  const removals = new Map();
  const left = await withdraw({ ...site.context, removals });
  expect(left).toMatchObject({ done: 0, left: [{ state: "person", code: "REMOVAL_NOT_OFFERED" }] });
  expect(JSON.stringify(left)).not.toContain(PATIENT);
  // What waits for a person alone is not asked about again and again.
  expect(await resumeWithdrawals({ ...site.context, removals }, signal)).toBe(0);
  expect(await withdraw(site.context)).toMatchObject({ done: 1, left: [] });
});

it.each(STEPS)("killed after %s, is finished by the next start or the next call", async (crash) => {
  await using site = await scene(crash);
  await withdraw(site.context).catch((thrown: unknown) => thrown);
  const { withdrawn, removals } = await healthy(site);
  await resumeWithdrawals({ ...site.context, store: site.store, withdrawn, removals }, signal);
  expect(await withdraw({ ...site.context, store: site.store, withdrawn, removals })).toMatchObject({
    done: 1,
    left: [],
  });
  expect(await readdir(join(site.lake, "lung"))).toEqual([]);
  expect(await bytesOf(site.home)).not.toContain(PATIENT);
});

it("forgets whose a study was that was only found to be theirs later: a row may name it by its UID alone", async () => {
  await using site = await scene();
  await withdraw(site.context);
  expect(await resumeWithdrawals(site.context, signal)).toBe(0);
  const late = await lateJob(site.store, PATIENT);
  // Somebody else's images are in it; this patient is in the project.
  const others = await lateJob(site.store, "MRN-0815");
  expect(await bytesOf(site.home)).toContain(PATIENT);
  expect(await resumeWithdrawals(site.context, signal)).toBe(1);
  expect(await site.store.job(late)).toMatchObject({
    ...{ state: "excluded", code: "PATIENT_WITHDRAWN" },
    ...{ patientId: undefined, studyInstanceUid: undefined },
  });
  expect(await site.store.job(others)).toMatchObject({ patientId: "MRN-0815" });
  expect(await bytesOf(site.home)).not.toContain(PATIENT);
  expect(await site.store.openWithdrawals(1)).toEqual([]);
  expect(await resumeWithdrawals(site.context, signal)).toBe(0);
});

/** As the pipeline ends one once the archive has told whose it is. */
async function lateJob(store: Store, patientId: string): Promise<string> {
  const request = { rowNumber: 1, studyInstanceUid: `1.9.${patientId.length}`, patientId, accessionNumber: undefined };
  const wish = { seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: ["1.9"] };
  await store.submitCohort({ project: "lung", columns: ["uid"], requests: [{ ...request, ...wish }], refused: [] }, 3);
  const claimed = await store.claim("worker", 1_000, 3);
  if (claimed === undefined) throw new Error("nothing was due");
  await store.settle(claimed.lease, { state: "excluded", code: "PATIENT_WITHDRAWN", attempts: 0 }, 4);
  return claimed.job.id;
}

/** As after a start. */
async function healthy({ home, lake, context }: Scene): Promise<Pick<OperationsContext, "withdrawn" | "removals">> {
  await using folder = await createFolderDestination({ name: "lake", path: lake });
  if (folder.removal === undefined) throw new Error("a folder can remove");
  const places = { staging: join(home, "staging"), outbox: join(home, "outbox"), shred: false };
  return {
    removals: new Map([["lake", folder.removal]]),
    withdrawn: { ...context.withdrawn, removeLocalCopies: (study) => removeLocalCopies(places, study) },
  };
}

it("knows a patient by the id without the blanks around it, as archives do", async () => {
  await using site = await scene();
  const withdrawn = await withdraw(site.context, { patientIds: [`${PATIENT} `, ` ${PATIENT}`] });
  expect(withdrawn).toMatchObject({ patients: 1, studies: 1, done: 1 });
  expect(await bytesOf(site.home)).not.toContain(PATIENT);
});

it.each([
  ["nobody", { patientIds: [] }],
  ["a blank", { patientIds: [PATIENT, " "] }],
  ["a wildcard", { patientIds: ["MRN*"] }],
  ["a reason that tells the patient", { reason: `asked by ${PATIENT}` }],
  ["a reason that tells a study", { reason: "of 1.2.840.113" }],
])("refuses %s", async (_, wish) => {
  await using site = await scene();
  await expect(withdraw(site.context, wish)).rejects.toMatchObject({ code: "WITHDRAWAL_INVALID" });
  await expect(withdraw(site.context, wish)).rejects.toBeInstanceOf(GatewayError);
});

it("leaves what is held for nobody to the projects that the patient is still in", async () => {
  await using site = await scene();
  const instance = {
    ...{ studyInstanceUid: "1.9", seriesInstanceUid: "1.9.1", sopInstanceUid: "1.9.1.1", file: "aa-1" },
    ...{ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", patientId: PATIENT, accessionNumber: "A1", modality: "CT" },
    ...{ callingAeTitle: "CT1", project: undefined, rule: undefined },
  };
  await site.store.addIntakeInstances([instance], { quietMs: 0, longestMs: 0 }, 1);
  const projects = new Map(["lung", "heart"].map((name) => [name, { name } as never]));
  const context = { ...site.context, projects };
  expect(await withdraw(context)).toMatchObject({ unaskedHeld: 1 });
  expect(await withdrawPatients(context, "heart", { patientIds: [PATIENT] }, signal)).toMatchObject({ unaskedHeld: 0 });
});

it("keeps what is staged of a study that another project is at work on", async () => {
  await using site = await scene();
  const request = { rowNumber: 1, studyInstanceUid: "1.1", patientId: undefined, accessionNumber: undefined };
  const wish = { seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [] };
  await site.store.submitCohort({ project: "heart", columns: [], requests: [{ ...request, ...wish }], refused: [] }, 0);
  const removed: unknown[] = [];
  const removeLocalCopies = async (study: object) => void removed.push(study);
  await withdraw({ ...site.context, withdrawn: { ...site.context.withdrawn, removeLocalCopies } });
  expect(removed).toEqual([{ job: site.job, studyInstanceUid: undefined }]);
});

it("removes nothing before a worker that was at the study has noticed", async () => {
  await using site = await scene();
  const row = { rowNumber: 1, studyInstanceUid: "1.7", patientId: PATIENT, accessionNumber: undefined };
  const wish = { seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [] };
  await site.store.submitCohort({ project: "lung", columns: [], requests: [{ ...row, ...wish }], refused: [] }, 0);
  await site.store.claim("worker", 60_000, 1_000);
  const steps: unknown[] = [];
  const clock = { nowMs: () => 21_000, sleep: async (ms: number) => void steps.push(ms) };
  const removeLocalCopies = async () => void steps.push("removed");
  const withdrawn = { ...site.context.withdrawn, removeLocalCopies };
  await withdraw({ ...site.context, clock, withdrawn });
  expect(steps).toEqual([40_000, "removed", "removed"]);
});
