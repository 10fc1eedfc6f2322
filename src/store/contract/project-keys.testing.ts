import { expect } from "vitest";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, submit } from "./support.testing.ts";

const use = (store: Store, keyId: string, nowMs: number, force = false) =>
  store.useProjectKey({ project: "lung", keyId, force }, nowMs);

/** One instance of a study of the project is delivered; the job goes on. */
async function deliver(store: Store, project: string): Promise<void> {
  await submit(store, [{ studyInstanceUid: "1.1" }], { project });
  const { lease } = await claimed(store);
  const instance = { sopInstanceUid: "1.1.1", seriesInstanceUid: "1.1.0" };
  await store.change(lease, { ledger: [{ kind: "received", ...instance }] }, 1);
  await store.change(lease, { ledger: [{ kind: "delivered", sopInstanceUid: "1.1.1" }] }, 2);
}

export const projectKeys: ContractCases = {
  "takes a project's first key, and knows it again": async (store) => {
    expect(await use(store, "aaaa", 1)).toBe("first");
    expect(await use(store, "aaaa", 2)).toBe("same");
    expect(await store.projectKeys("lung")).toEqual([{ keyId: "aaaa", sinceMs: 1, forced: false }]);
    expect(await store.projectKeys("heart")).toEqual([]);
  },

  "lets the key change as long as nothing was delivered": async (store) => {
    await use(store, "aaaa", 1);
    await deliver(store, "heart");
    expect(await use(store, "bbbb", 2)).toBe("changed");
    expect(await store.projectKeys("lung")).toMatchObject([{ keyId: "aaaa" }, { keyId: "bbbb", forced: false }]);
  },

  "refuses another key after the first delivery, unless forced, and keeps what was forced": async (store) => {
    await use(store, "aaaa", 1);
    await deliver(store, "lung");
    expect(await use(store, "bbbb", 3)).toBe("refused");
    expect(await use(store, "aaaa", 4)).toBe("same");
    expect(await use(store, "bbbb", 5, true)).toBe("forced");
    expect(await use(store, "bbbb", 6)).toBe("same");
    expect(await use(store, "aaaa", 7)).toBe("refused");
    expect(await store.projectKeys("lung")).toEqual([
      { keyId: "aaaa", sinceMs: 1, forced: false },
      { keyId: "bbbb", sinceMs: 5, forced: true },
    ]);
  },

  "only tells what would become of a key that is rehearsed": async (store) => {
    const rehearse = (keyId: string) =>
      store.useProjectKey({ project: "lung", keyId, force: false, isRehearsal: true }, 1);
    expect(await rehearse("aaaa")).toBe("first");
    await use(store, "aaaa", 2);
    expect([await rehearse("aaaa"), await rehearse("bbbb")]).toEqual(["same", "changed"]);
    await deliver(store, "lung");
    expect(await rehearse("bbbb")).toBe("refused");
    expect(await store.projectKeys("lung")).toMatchObject([{ keyId: "aaaa" }]);
  },

  "takes the key it is given for that of studies delivered before keys were written down": async (store) => {
    await deliver(store, "lung");
    expect(await use(store, "aaaa", 3)).toBe("first");
    expect(await use(store, "bbbb", 4)).toBe("refused");
  },
};
