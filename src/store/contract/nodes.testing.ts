import { expect } from "vitest";
import { type ContractCases, refusal, submit } from "./support.testing.ts";

const NODE = {
  name: "north",
  version: "1.0.0",
  roles: ["receiver", "worker"],
  address: "10.0.0.1:8080",
  startedAtMs: 5,
};
const AT_ONCE = { quietMs: 0, longestMs: 0 };
const sent = (number: string, node: string) => ({
  ...{ studyInstanceUid: "1.1", seriesInstanceUid: "1.1.1", sopInstanceUid: `1.1.1.${number}`, file: `file-${number}` },
  ...{ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", patientId: "P1", accessionNumber: "A1", modality: "CT" },
  ...{ callingAeTitle: "CT1", project: "lung", rule: "scanners", node },
});
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

  "tells which node waits for a study, or was sent it, as long as it does": async (store) => {
    for (const name of ["north", "east"]) await store.beatNode({ ...NODE, name }, 0);
    const nodeAt = async (nowMs: number) =>
      (await store.nodeOfStudy({ resource: "study:1", studyInstanceUid: "1.1" }, nowMs))?.name;
    expect(await nodeAt(1)).toBeUndefined();
    await store.takePermit({ resource: "study:1", limit: 1, holder: "a", node: "north" }, 100, 0);
    expect([await nodeAt(99), await nodeAt(100)]).toEqual(["north", undefined]);
    expect(await store.addIntakeInstances([sent("1", "east")], AT_ONCE, 0)).toEqual([true]);
    expect([await nodeAt(99), await nodeAt(100)]).toEqual(["north", "east"]);
  },

  "takes what is sent of a study on one node, and nothing of it on another": async (store) => {
    await store.addIntakeInstances([sent("1", "north")], AT_ONCE, 0);
    const onEast = store.addIntakeInstances([sent("2", "east")], AT_ONCE, 1);
    await expect(onEast).rejects.toEqual(refusal("STUDY_ON_OTHER_NODE", { node: "north" }));
    expect(await store.addIntakeInstances([sent("2", "north")], AT_ONCE, 2)).toEqual([true]);
    expect([await store.intakeNodeOf("1.1"), await store.intakeFiles("file")]).toEqual(["north", ["file-1", "file-2"]]);
  },

  "gives the leases of one node back, and leaves those of others": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const north = await store.claim("north/worker-1", 100, 0);
    const east = await store.claim("east/worker-1", 100, 0);
    if (north === undefined || east === undefined) throw new Error("nothing was due");
    expect(await store.releaseLeases(1, "north")).toBe(1);
    expect(await store.renew(north.lease, 100, 1)).toBe(false);
    expect(await store.renew(east.lease, 100, 1)).toBe(true);
    // What north was at before it is another's now.
    const again = await store.claim("east/worker-2", 100, 2);
    expect(again?.job.id).toBe(north.job.id);
    expect(await store.releaseLeases(3, "north")).toBe(0);
    expect(await store.releaseLeases(4)).toBe(2);
  },
};
