import { expect } from "vitest";
import { type ContractCases, submit } from "./support.testing.ts";

const NODE = {
  name: "north",
  version: "1.0.0",
  roles: ["receiver", "worker"],
  address: "10.0.0.1:8080",
  startedAtMs: 5,
};
const wish = (holder: string, node = "north") => ({ resource: "archive pacs", limit: 2, holder, node });

/** What gateways that share a store tell and grant each other. */
export const nodes: ContractCases = {
  "knows the nodes by their last sign of life, and forgets the silent ones": async (store) => {
    await store.beatNode(NODE, 10);
    await store.beatNode({ ...NODE, name: "east", address: undefined }, 20);
    await store.beatNode({ ...NODE, version: "1.1.0" }, 30);
    expect(await store.listNodes()).toEqual([
      { ...NODE, name: "east", address: undefined, seenAtMs: 20 },
      { ...NODE, version: "1.1.0", seenAtMs: 30 },
    ]);
    expect(await store.forgetNodes(30)).toBe(1);
    expect(await store.listNodes()).toMatchObject([{ name: "north" }]);
  },

  "grants as many permits as there may be, whoever holds them": async (store) => {
    expect(await store.takePermit(wish("a"), 100, 0)).toBe(true);
    expect(await store.takePermit(wish("b", "east"), 100, 0)).toBe(true);
    expect(await store.takePermit(wish("c"), 100, 0)).toBe(false);
    expect(await store.takePermit({ ...wish("c"), resource: "archive vna" }, 100, 0)).toBe(true);
    // Asking again takes no second one.
    expect(await store.takePermit(wish("a"), 100, 0)).toBe(true);
    expect(await store.returnPermit("archive pacs", "b")).toBe(true);
    expect(await store.returnPermit("archive pacs", "b")).toBe(false);
    expect(await store.takePermit(wish("c"), 100, 0)).toBe(true);
  },

  "lets permits of a node that renews none lapse, and no others": async (store) => {
    await store.takePermit(wish("a"), 100, 0);
    await store.takePermit(wish("b", "east"), 100, 0);
    expect(await store.renewPermits("east", 100, 50)).toBe(1);
    expect(await store.takePermit(wish("c"), 100, 99)).toBe(false);
    expect(await store.takePermit(wish("c"), 100, 100)).toBe(true);
    expect(await store.takePermit(wish("d"), 100, 100)).toBe(false);
    expect(await store.returnPermitsOf("east")).toBe(1);
    expect(await store.takePermit(wish("d"), 100, 100)).toBe(true);
  },

  "gives the leases of one node back, and leaves those of others": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const north = await store.claim("north/worker-1", 100, 0);
    const east = await store.claim("east/worker-1", 100, 0);
    if (north === undefined || east === undefined) throw new Error("nothing was due");
    expect(await store.releaseLeases(1, "north")).toBe(1);
    expect(await store.renew(north.lease, 100, 1)).toBe(false);
    expect(await store.renew(east.lease, 100, 1)).toBe(true);
    expect(await store.releaseLeases(1)).toBe(1);
  },
};
