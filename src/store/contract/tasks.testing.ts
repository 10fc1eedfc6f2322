import { expect } from "vitest";
import type { Store } from "../store.ts";
import type { ClaimedTask } from "../tasks.ts";
import { type ContractCases, LEASE_MS, refusal } from "./support.testing.ts";

const KIND = "face-work";
const add = (store: Store, subject: string, body = "{}", nowMs = 0) =>
  store.addTask({ kind: KIND, subject, body }, nowMs);
const list = (store: Store, subject: string) => store.listTasks({ kind: KIND, subject, limit: 10 });

async function claim(store: Store, nowMs = 0): Promise<ClaimedTask> {
  const claimed = await store.claimTask(KIND, LEASE_MS, nowMs);
  if (claimed === undefined) throw new Error("nothing was due");
  return claimed;
}

export const tasks: ContractCases = {
  "keeps a task until it is done, and what it reached": async (store) => {
    const id = await add(store, "p1", '{"a":1}', 5);
    expect(await list(store, "p1")).toMatchObject([
      { id, kind: KIND, body: '{"a":1}', state: "waiting", createdAtMs: 5 },
    ]);
    const { lease, task } = await claim(store, 6);
    expect(task).toMatchObject({ id, subject: "p1", body: '{"a":1}', state: "running" });
    expect(await store.renewTask(lease, LEASE_MS, 7, "half")).toBe(true);
    expect(await list(store, "p1")).toMatchObject([{ state: "running", progress: "half" }]);
    expect(await store.settleTask(lease, { state: "done", progress: "all", attempts: 1 }, 8)).toBe(true);
    expect(await list(store, "p1")).toMatchObject([{ state: "done", progress: "all", attempts: 1, finishedAtMs: 8 }]);
    expect(await store.claimTask(KIND, LEASE_MS, 9)).toBeUndefined();
  },

  "joins a task that waits with the same content, and no other": async (store) => {
    const id = await add(store, "p1", "same");
    expect(await add(store, "p1", "same")).toBe(id);
    expect(await add(store, "p1", "other")).not.toBe(id);
    expect(await add(store, "p2", "same")).not.toBe(id);
    await claim(store);
    expect(await add(store, "p1", "same")).not.toBe(id);
  },

  "runs one task of a subject at a time, and those of others beside it": async (store) => {
    const ids = [await add(store, "p1", "1"), await add(store, "p1", "2"), await add(store, "p2", "3", 1)];
    const first = await claim(store, 2);
    expect(first.task.id).toBe(ids[0]);
    expect((await claim(store, 2)).task.id).toBe(ids[2]);
    expect(await store.claimTask(KIND, LEASE_MS, 2)).toBeUndefined();
    await store.settleTask(first.lease, { state: "done", progress: "", attempts: 1 }, 3);
    expect((await claim(store, 3)).task.id).toBe(ids[1]);
  },

  "claims the kind that is asked for": async (store) => {
    await add(store, "p1");
    expect(await store.claimTask("another", LEASE_MS, 1)).toBeUndefined();
  },

  "waits until a task is due again": async (store) => {
    await add(store, "p1");
    const { lease } = await claim(store);
    const later = { state: "waiting", code: "HTTP_UNAVAILABLE", dueAtMs: 100, attempts: 1 } as const;
    expect(await store.settleTask(lease, later, 1)).toBe(true);
    expect(await list(store, "p1")).toMatchObject([
      { state: "waiting", code: "HTTP_UNAVAILABLE", waitingUntilMs: 100 },
    ]);
    expect(await store.claimTask(KIND, LEASE_MS, 99)).toBeUndefined();
    expect((await claim(store, 100)).task.attempts).toBe(1);
  },

  "gives a task to another when its lease ended, and lets the first one write no more": async (store) => {
    await add(store, "p1");
    const { lease } = await claim(store, 0);
    const again = await claim(store, LEASE_MS);
    expect(again.task.attempts).toBe(0);
    expect(await store.renewTask(lease, LEASE_MS, LEASE_MS)).toBe(false);
    expect(await store.settleTask(lease, { state: "done", progress: "", attempts: 1 }, LEASE_MS)).toBe(false);
  },

  "gives back at start what a worker held that died": async (store) => {
    await add(store, "p1");
    const { lease } = await claim(store);
    expect(await store.releaseTasks(KIND, 1)).toBe(1);
    expect(await store.renewTask(lease, LEASE_MS, 1)).toBe(false);
    expect((await claim(store, 1)).task.subject).toBe("p1");
  },

  "gives back what one node held, and leaves what others hold": async (store) => {
    await add(store, "p1");
    await add(store, "p2");
    const north = await store.claimTask(KIND, LEASE_MS, 0, "north");
    const east = await store.claimTask(KIND, LEASE_MS, 0, "north-east");
    if (north === undefined || east === undefined) throw new Error("nothing was due");
    expect(await store.releaseTasks(KIND, 1, "north")).toBe(1);
    expect(await store.renewTask(north.lease, LEASE_MS, 1)).toBe(false);
    expect(await store.renewTask(east.lease, LEASE_MS, 1)).toBe(true);
  },

  "cancels what is not done about a subject": async (store) => {
    await add(store, "p1", "1");
    await add(store, "p1", "2");
    await add(store, "p2");
    const { lease } = await claim(store);
    expect(await store.cancelTasks({ kind: KIND, subject: "p1" }, 1)).toBe(2);
    expect(await store.renewTask(lease, LEASE_MS, 1)).toBe(false);
    expect(await list(store, "p1")).toMatchObject([{ state: "cancelled" }, { state: "cancelled", code: "CANCELLED" }]);
    expect(await list(store, "p2")).toMatchObject([{ state: "waiting" }]);
  },

  "pages through the tasks of a kind, the newest first": async (store) => {
    const ids: string[] = [];
    for (const subject of ["a", "b", "a"])
      ids.unshift(await store.addTask({ kind: "k", subject, body: `${ids.length}` }, 0));
    await store.addTask({ kind: "other", subject: "a", body: "" }, 0);
    const [newest] = await store.listTasks({ kind: "k", limit: 1 });
    const rest = await store.listTasks({ kind: "k", after: String(newest?.id), limit: 9 });
    expect([newest, ...rest].map((task) => task?.id)).toEqual(ids);
    const ofOne = await store.listTasks({ kind: "k", subject: "a", after: String(ids[0]), limit: 9 });
    expect(ofOne.map(({ id }) => id)).toEqual([ids[2]]);
    await expect(store.listTasks({ kind: "k", after: "none", limit: 1 })).rejects.toEqual(refusal("JOB_NOT_FOUND"));
  },
};
