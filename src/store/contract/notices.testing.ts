import { expect } from "vitest";
import type { NewNotice } from "../notices.ts";
import type { Store } from "../store.ts";
import { type ContractCases, LEASE_MS } from "./support.testing.ts";

const notice = (body: string, facts: Partial<NewNotice> = {}): NewNotice => ({
  channel: "mail",
  body,
  dueAtMs: 0,
  ...facts,
});

function add(store: Store, notices: readonly NewNotice[], maximumWaiting = 100, nowMs = 0) {
  return store.addNotices({ notices, marks: [], maximumWaiting }, nowMs);
}

async function claim(store: Store, nowMs: number, channel = "mail") {
  const { notices, dropped } = await store.claimNotices(channel, { leaseMs: LEASE_MS, limit: 10 }, nowMs);
  return { bodies: notices.map(({ body }) => body), ids: notices.map(({ id }) => id), dropped };
}

export const notices: ContractCases = {
  "keeps what is to be told in its order, each channel's by itself, until it is due": async (store) => {
    await add(store, [notice("second", { dueAtMs: 5 }), notice("later", { dueAtMs: 9 })]);
    await add(store, [notice("first", { dueAtMs: 1 }), notice("other", { channel: "hook" })]);
    expect((await claim(store, 5)).bodies).toEqual(["second", "first"]);
    expect((await claim(store, 5, "hook")).bodies).toEqual(["other"]);
    expect((await claim(store, 9)).bodies).toEqual(["later"]);
  },

  "gives a notice to one at a time, again when its lease ended, and no more when it was told": async (store) => {
    await add(store, [notice("one")]);
    const { ids } = await claim(store, 0);
    expect((await claim(store, LEASE_MS - 1)).bodies).toEqual([]);
    expect((await claim(store, LEASE_MS)).ids).toEqual(ids);
    await store.forgetNotices("mail", { ids, dropped: 0 });
    expect((await claim(store, 10 * LEASE_MS)).bodies).toEqual([]);
  },

  "gives back at start what a process that died had taken": async (store) => {
    await add(store, [notice("one")]);
    await claim(store, 0);
    expect(await store.releaseNotices()).toBe(1);
    expect((await claim(store, 0)).bodies).toEqual(["one"]);
  },

  "waits until a notice is due again": async (store) => {
    await add(store, [notice("one")]);
    const { ids } = await claim(store, 0);
    await store.postponeNotices(ids, 50);
    expect((await claim(store, 49)).bodies).toEqual([]);
    expect((await claim(store, 50)).bodies).toEqual(["one"]);
  },

  "counts what has no room, until that is told too": async (store) => {
    expect(await add(store, [notice("one"), notice("two"), notice("three")], 2)).toEqual(new Map([["mail", 1]]));
    expect(await add(store, [notice("four"), notice("elsewhere", { channel: "hook" })], 2)).toEqual(
      new Map([["mail", 1]]),
    );
    const { ids, bodies, dropped } = await claim(store, 0);
    expect({ bodies, dropped }).toEqual({ bodies: ["one", "two"], dropped: 2 });
    await store.forgetNotices("mail", { ids, dropped });
    await add(store, [notice("five")], 2);
    expect(await claim(store, 0)).toMatchObject({ bodies: ["five"], dropped: 0 });
    expect(await store.noticeMarks()).toEqual([]);
  },

  "keeps marks with what was found at them": async (store) => {
    const marks = [
      { name: "archive:vna", value: "resting" },
      { name: "jobs", value: "7" },
    ];
    await store.addNotices({ notices: [notice("one")], marks, maximumWaiting: 9 }, 0);
    expect(await store.noticeMarks()).toEqual(marks);
    const next = { notices: [], marks: [{ name: "jobs", value: undefined }], maximumWaiting: 9 };
    await store.addNotices(next, 0);
    expect(await store.noticeMarks()).toEqual([marks[0]]);
  },

  "forgets what is old, and what is for channels that are gone": async (store) => {
    await add(store, [notice("old")], 9, 10);
    await add(store, [notice("new"), notice("gone", { channel: "hook" })], 9, 20);
    expect(await store.noticeQueues()).toEqual([
      { channel: "hook", waiting: 1, oldestAtMs: 20 },
      { channel: "mail", waiting: 2, oldestAtMs: 10 },
    ]);
    expect(await store.expireNotices({ channels: ["mail"], createdAfterMs: 15 })).toBe(2);
    expect((await claim(store, 99)).bodies).toEqual(["new"]);
  },
};
