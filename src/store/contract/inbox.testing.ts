import { expect } from "vitest";
import type { ClaimedInboxMessage } from "../inbox.ts";
import type { Store } from "../store.ts";
import { type ContractCases, LEASE_MS } from "./support.testing.ts";

const QUEUE = "imaging-primary";
const add = (store: Store, text: string, { priority = 1, queue = QUEUE, nowMs = 0 } = {}) =>
  store.addInboxMessage({ queue, body: Buffer.from(text), priority }, nowMs);
const list = (store: Store, state: "waiting" | "running" | "done" | "failed") =>
  store.listInboxMessages({ queue: QUEUE, state, limit: 10 });

async function claim(store: Store, nowMs = 0): Promise<ClaimedInboxMessage> {
  const claimed = await store.claimInboxMessage(QUEUE, LEASE_MS, nowMs);
  if (claimed === undefined) throw new Error("nothing was due");
  return claimed;
}

async function textOfClaim(store: Store): Promise<string> {
  return Buffer.from((await claim(store)).message.body).toString();
}

export const inbox: ContractCases = {
  "keeps a message byte for byte until it is done": async (store) => {
    const body = new Uint8Array([0, 255, 128, 10]);
    const { id, isJoined } = await store.addInboxMessage({ queue: QUEUE, body, priority: 2 }, 5);
    expect(isJoined).toBe(false);
    expect(await store.unfinishedInboxMessages(QUEUE)).toBe(1);
    const { lease, message } = await claim(store, 6);
    expect(message).toMatchObject({ id, queue: QUEUE, priority: 2, state: "running", attempts: 0, receivedAtMs: 5 });
    expect(Buffer.compare(message.body, body)).toBe(0);
    expect(await store.renewInboxMessage(lease, LEASE_MS, 7, "half")).toBe(true);
    expect(await list(store, "running")).toMatchObject([{ id, progress: "half" }]);
    expect(await store.settleInboxMessage(lease, { state: "done", attempts: 1 }, 8)).toBe(true);
    expect(await list(store, "done")).toMatchObject([{ id, progress: "half", attempts: 1, finishedAtMs: 8 }]);
    expect(await store.unfinishedInboxMessages(QUEUE)).toBe(0);
  },

  "gives the most urgent first, then in the order they came": async (store) => {
    await add(store, "first");
    await add(store, "second");
    await add(store, "urgent", { priority: 5 });
    await add(store, "elsewhere", { priority: 5, queue: "imaging-secondary" });
    expect([await textOfClaim(store), await textOfClaim(store), await textOfClaim(store)]).toEqual([
      "urgent",
      "first",
      "second",
    ]);
    expect(await store.claimInboxMessage(QUEUE, LEASE_MS, 0)).toBeUndefined();
    expect(await store.unfinishedInboxMessages("imaging-secondary")).toBe(1);
  },

  "joins what is not done, waiting or running, at the higher priority": async (store) => {
    const { id } = await add(store, "same", { priority: 3 });
    expect(await add(store, "same", { priority: 5 })).toEqual({ id, isJoined: true });
    expect((await add(store, "same", { queue: "imaging-secondary" })).isJoined).toBe(false);
    const { lease, message } = await claim(store);
    expect(message.priority).toBe(5);
    expect(await add(store, "same")).toEqual({ id, isJoined: true });
    await store.settleInboxMessage(lease, { state: "done", attempts: 1 }, 1);
    expect((await add(store, "same")).isJoined).toBe(false);
  },

  "waits until a message is due again, and says when": async (store) => {
    await add(store, "later");
    const { lease } = await claim(store);
    const later = { state: "waiting", code: "HTTP_UNAVAILABLE", dueAtMs: 100, attempts: 1 } as const;
    expect(await store.settleInboxMessage(lease, later, 1)).toBe(true);
    expect(await list(store, "waiting")).toMatchObject([{ code: "HTTP_UNAVAILABLE", waitingUntilMs: 100 }]);
    expect(await store.nextInboxDueAtMs(QUEUE)).toBe(100);
    expect(await store.claimInboxMessage(QUEUE, LEASE_MS, 99)).toBeUndefined();
    const again = await claim(store, 100);
    expect(again.message).toMatchObject({ attempts: 1, code: undefined });
    // Whoever has it may die, and then nobody else knows of it.
    expect(await store.nextInboxDueAtMs(QUEUE)).toBe(100 + LEASE_MS);
    expect(await store.nextInboxDueAtMs("imaging-secondary")).toBeUndefined();
    await store.settleInboxMessage(again.lease, { state: "done", attempts: 2 }, 101);
    expect(await store.nextInboxDueAtMs(QUEUE)).toBeUndefined();
  },

  "names why a message failed": async (store) => {
    await add(store, "bad");
    const { lease } = await claim(store);
    await store.settleInboxMessage(lease, { state: "failed", code: "STUDY_NOT_FOUND", attempts: 1 }, 3);
    expect(await list(store, "failed")).toMatchObject([{ code: "STUDY_NOT_FOUND", finishedAtMs: 3 }]);
    expect(await store.unfinishedInboxMessages(QUEUE)).toBe(0);
  },

  "gives a message to another when its lease ended, and lets the first one write no more": async (store) => {
    await add(store, "slow");
    const { lease } = await claim(store, 0);
    const again = await claim(store, LEASE_MS);
    expect(again.message.attempts).toBe(0);
    expect(await store.renewInboxMessage(lease, LEASE_MS, LEASE_MS)).toBe(false);
    expect(await store.settleInboxMessage(lease, { state: "done", attempts: 1 }, LEASE_MS)).toBe(false);
  },

  "forgets what was finished long ago, or beyond the number kept, and nothing else": async (store) => {
    for (const [index, text] of ["first", "second", "third", "fourth"].entries()) {
      await add(store, text);
      const { lease } = await claim(store);
      const outcome =
        text === "second"
          ? ({ state: "failed", code: "STUDY_NOT_FOUND", attempts: 1 } as const)
          : ({ state: "done", attempts: 1 } as const);
      await store.settleInboxMessage(lease, outcome, 100 * index);
    }
    // The newest of another queue are none of these.
    for (const text of ["a", "b"]) await add(store, text, { queue: "other" });
    for (const _ of "ab") {
      const other = await store.claimInboxMessage("other", LEASE_MS, 0);
      if (other !== undefined) await store.settleInboxMessage(other.lease, { state: "done", attempts: 1 }, 0);
    }
    await add(store, "waiting");
    const forget = (finishedBeforeMs: number, maximumKept: number) =>
      store.forgetInboxMessages({ queue: QUEUE, finishedBeforeMs, maximumKept });
    const texts = async (state: "done" | "failed" | "waiting") =>
      (await list(store, state)).map(({ body }) => Buffer.from(body).toString());
    expect(await forget(100, 10)).toBe(1);
    expect([await texts("done"), await texts("failed")]).toEqual([["fourth", "third"], ["second"]]);
    expect(await forget(0, 1)).toBe(1);
    expect(await forget(0, 1)).toBe(0);
    expect([await texts("done"), await texts("failed")]).toEqual([["fourth"], ["second"]]);
    expect(await forget(1_000, 10)).toBe(2);
    expect(await texts("waiting")).toEqual(["waiting"]);
  },

  "pages what is finished in the order in which it came, and removes what is named of it": async (store) => {
    for (const text of ["first", "second", "third", "failing"]) {
      await add(store, text);
      const { lease } = await claim(store);
      const failed = { state: "failed", code: "STUDY_NOT_FOUND", attempts: 1 } as const;
      await store.settleInboxMessage(lease, text === "failing" ? failed : { state: "done", attempts: 1 }, 1);
    }
    await add(store, "waiting");
    const page = async (after: number, limit: number, state: "done" | "failed" = "done") =>
      await store.finishedInboxMessages({ queue: QUEUE, state, after, limit });
    const texts = (messages: readonly { readonly body: Uint8Array }[]) =>
      messages.map(({ body }) => Buffer.from(body).toString());
    const both = await page(0, 2);
    expect(texts(both)).toEqual(["first", "second"]);
    expect(texts(await page(both.at(-1)?.number ?? 0, 2))).toEqual(["third"]);
    const failing = await page(0, 2, "failed");
    expect(texts(failing)).toEqual(["failing"]);
    const waiting = (failing[0]?.number ?? 0) + 1;
    await store.removeInboxMessages([both[0]?.number ?? 0, failing[0]?.number ?? 0, waiting]);
    expect(texts(await page(0, 9))).toEqual(["second", "third"]);
    expect(await page(0, 9, "failed")).toEqual([]);
    expect((await list(store, "waiting")).length).toBe(1);
  },

  "gives back at start what a worker held that died": async (store) => {
    await add(store, "held");
    const { lease } = await claim(store);
    expect(await store.releaseInboxMessages(1)).toBe(1);
    expect(await store.renewInboxMessage(lease, LEASE_MS, 1)).toBe(false);
    expect((await claim(store, 1)).message.queue).toBe(QUEUE);
  },

  "gives back what one node held, and leaves what others hold": async (store) => {
    await add(store, "one");
    await add(store, "two");
    const north = await store.claimInboxMessage(QUEUE, LEASE_MS, 0, "north");
    const east = await store.claimInboxMessage(QUEUE, LEASE_MS, 0, "north-east");
    if (north === undefined || east === undefined) throw new Error("nothing was due");
    expect(await store.releaseInboxMessages(1, "north")).toBe(1);
    expect(await store.renewInboxMessage(north.lease, LEASE_MS, 1)).toBe(false);
    expect(await store.renewInboxMessage(east.lease, LEASE_MS, 1)).toBe(true);
  },
};
