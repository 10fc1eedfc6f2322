import { expect } from "vitest";
import type { DeliveryFilter } from "../overview.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, finish, study, submit } from "./support.testing.ts";

async function countsOf(store: Store): Promise<readonly string[]> {
  const counts = await store.jobCounts();
  return counts.map(({ project, stage, state, jobs }) => `${project} ${stage} ${state} ${jobs}`).sort();
}

export const overview: ContractCases = {
  "counts jobs by project, stage and state, whatever becomes of them": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }, { accessionNumber: "A1" }]);
    await submit(store, [{ studyInstanceUid: "1.1", priority: 1 }], { project: "heart" });
    expect(await countsOf(store)).toEqual(["heart locating queued 1", "lung locating queued 3"]);
    await finish(store, "failed");
    const { lease } = await claimed(store);
    await store.change(lease, { stage: "retrieving" }, 1);
    expect(await countsOf(store)).toEqual([
      ...["heart locating queued 1", "lung locating failed 1", "lung locating queued 1", "lung retrieving running 1"],
    ]);
    const joining = await claimed(store);
    expect(await store.located(joining.lease, "vna", [study("1.2")], 2)).toBe("joined");
    expect(await countsOf(store)).toEqual([
      ...["heart locating queued 1", "lung locating failed 1", "lung retrieving running 1"],
    ]);
  },

  "tells each job's last change, in the order of the changes": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const made = await store.jobChanges({ after: 0, limit: 9 });
    expect(made).toMatchObject({ changes: [{ number: made.last - 1 }, { number: made.last }] });
    await finish(store, "failed");
    const { changes, last } = await store.jobChanges({ after: made.last, limit: 9 });
    expect(changes).toMatchObject([{ number: last, job: { studyInstanceUid: "1.1", state: "failed" } }]);
    expect((await store.jobChanges({ after: last, limit: 9 })).changes).toEqual([]);
    expect((await store.jobChanges({ after: 0, limit: 1 })).changes).toMatchObject([{ number: made.last }]);
  },

  "does not tell a change that another one has overtaken, on whatever page it would be": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { last } = await store.jobChanges({ after: 0, limit: 9 });
    const { lease } = await claimed(store);
    await store.change(lease, { stage: "retrieving" }, 1);
    await store.settle(lease, { state: "failed", code: "ARCHIVE_CLOSED", attempts: 1 }, 2);
    const page = await store.jobChanges({ after: last, limit: 1 });
    expect(page).toMatchObject({ changes: [{ number: page.last, job: { state: "failed" } }] });
  },

  "never gives a number of a change twice": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { accessionNumber: "A1" }]);
    await finish(store, "delivered");
    const { lease } = await claimed(store);
    const before = (await store.jobChanges({ after: 0, limit: 9 })).last;
    // The job with the last change is dissolved.
    await store.located(lease, "vna", [study("1.1")], 1);
    await submit(store, [{ studyInstanceUid: "1.3" }]);
    const { changes } = await store.jobChanges({ after: before, limit: 9 });
    expect(changes).toMatchObject([{ job: { studyInstanceUid: "1.3" } }]);
  },

  "knows since when something waits": async (store) => {
    expect(await store.oldestWaitingAtMs()).toBeUndefined();
    await submit(store, [{ studyInstanceUid: "1.1" }], { nowMs: 40 });
    await submit(store, [{ studyInstanceUid: "1.2" }], { nowMs: 50 });
    expect(await store.oldestWaitingAtMs()).toBe(40);
    const { lease } = await claimed(store, 60);
    expect(await store.oldestWaitingAtMs()).toBe(50);
    await store.settle(lease, { state: "waiting", dueAtMs: 99, attempts: 1 }, 70);
    expect(await store.oldestWaitingAtMs()).toBe(40);
  },

  "knows it of some projects": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }], { project: "lung", nowMs: 40 });
    await submit(store, [{ studyInstanceUid: "1.2" }], { project: "heart", nowMs: 50 });
    expect(await store.oldestWaitingAtMs(["heart"])).toBe(50);
    expect(await store.oldestWaitingAtMs(["heart", "lung"])).toBe(40);
    expect(await store.oldestWaitingAtMs(["brain"])).toBeUndefined();
    expect(await store.oldestWaitingAtMs([])).toBeUndefined();
  },

  "pages through deliveries, all or of a state": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    for (const state of ["confirmed", "failed"] as const) {
      const { lease } = await claimed(store);
      for (const destination of ["a", "b"])
        await store.recordDelivery(lease, { destination, state, instances: 2, code: undefined }, 5);
    }
    const [first, second, third] = await store.listDeliveries({ limit: 3 });
    expect(first).toMatchObject({
      project: "lung",
      destination: "a",
      state: "confirmed",
      instances: 2,
      changedAtMs: 5,
    });
    const after = { job: String(second?.job), destination: "b" };
    expect((await store.listDeliveries({ after, limit: 9 })).map(({ destination }) => destination)).toEqual(["a", "b"]);
    expect((await store.listDeliveries({ state: "failed", limit: 1 }))[0]).toEqual(third);
  },

  "pages through the deliveries of some projects, and of no other": async (store) => {
    for (const project of ["lung", "heart", "brain"]) await submit(store, [{ studyInstanceUid: "1.1" }], { project });
    for (const state of ["confirmed", "failed", "failed"] as const) {
      const { lease } = await claimed(store);
      for (const destination of ["a", "b"])
        await store.recordDelivery(lease, { destination, state, instances: 2, code: undefined }, 5);
    }
    const listed = async (filter: Omit<DeliveryFilter, "limit">, limit = 9) =>
      (await store.listDeliveries({ ...filter, limit })).map(({ project, destination }) => `${project} ${destination}`);
    expect(await listed({ projects: ["lung"] })).toEqual(["lung a", "lung b"]);
    expect(await listed({ projects: ["heart", "lung"] }, 3)).toEqual(["lung a", "lung b", "heart a"]);
    const inTrouble = await store.listDeliveries({ projects: ["lung", "heart", "brain"], state: "failed", limit: 9 });
    const [{ project = "" } = {}] = inTrouble;
    expect(new Set(inTrouble.map((each) => each.state))).toEqual(new Set(["failed"]));
    expect(await listed({ projects: [project], state: "failed" })).toEqual([`${project} a`, `${project} b`]);
    expect(await listed({ projects: [] })).toEqual([]);
  },

  "lists who works": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await claimed(store, 7);
    expect(await store.listWorkers()).toEqual([{ name: "worker-1", claims: 1, lastClaimAtMs: 7 }]);
  },
};
