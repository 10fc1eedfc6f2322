import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { LEASE_MS, submit } from "../contract/support.testing.ts";
import type { ClaimedJob } from "../records.ts";
import type { Store } from "../store.ts";
import { makeDatabase, type TestDatabase } from "./support.testing.ts";

const FACTS = { version: "1", roles: ["worker"], address: undefined, startedAtMs: 0 };
const RECEIVED = [{ kind: "received", sopInstanceUid: "1.2", seriesInstanceUid: "1.1" }] as const;

describe.runIf(requirePeer("initdb"))("a study that a node has on its disk", () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await using opened = new AsyncDisposableStack();
    database = opened.use(await makeDatabase(server));
    store = opened.use(await database.open({ timeOf: "callers" }));
    const closing = opened.move();
    for (const name of ["north", "east"]) await store.beatNode({ ...FACTS, name }, 0);
    return () => closing.disposeAsync();
  });

  async function claim(node: string, nowMs: number): Promise<ClaimedJob | undefined> {
    return await store.claim(`${node}/worker-1`, LEASE_MS, nowMs);
  }

  /** By the worker of a node, which leaves it waiting until 10 with some of it staged. */
  async function beginStudy(node: string): Promise<string> {
    const claimed = await claim(node, 0);
    if (claimed === undefined) throw new Error("nothing was due");
    await store.change(claimed.lease, { stage: "retrieving", ledger: RECEIVED }, 1);
    await store.settle(claimed.lease, { state: "waiting", code: "ARCHIVE_UNABLE", dueAtMs: 10, attempts: 1 }, 2);
    return claimed.job.id;
  }

  it("is claimed by that node alone while it lives, and by anybody once it gave no sign", async () => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const job = await beginStudy("north");
    expect(await claim("east", 20)).toBeUndefined();
    expect((await claim("north", 21))?.job.id).toBe(job);
    await store.releaseLeases(22, "north");
    await store.beatNode({ ...FACTS, name: "east" }, 29_000);
    expect(await claim("east", 29_000), "north was heard of less than half a minute ago").toBeUndefined();
    await store.beatNode({ ...FACTS, name: "east" }, 31_000);
    expect((await claim("east", 31_000))?.job.id).toBe(job);
  });

  it("is anybody's when nothing of it came, and when its node ends in order", async () => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const first = await claim("north", 0);
    if (first === undefined) throw new Error("nothing was due");
    await store.settle(first.lease, { state: "waiting", code: "ARCHIVE_CLOSED", dueAtMs: 10, attempts: 0 }, 2);
    const second = await claim("east", 20);
    if (second === undefined) throw new Error("nothing was due");
    await store.change(second.lease, { ledger: RECEIVED }, 21);
    await store.releaseLeases(22, "east");
    expect(await claim("north", 23)).toBeUndefined();
    await store.leaveNodes("east");
    expect((await claim("north", 24))?.job.id).toBe(first.job.id);
  });

  it("goes before others as urgent, and after those that are more urgent", async () => {
    await submit(store, [{ studyInstanceUid: "1.5", priority: 2 }]);
    const own = await beginStudy("north");
    await submit(store, [
      { studyInstanceUid: "1.2", priority: 2 },
      { studyInstanceUid: "1.3", priority: 5 },
    ]);
    const order = [await claim("north", 20), await claim("north", 20), await claim("north", 20)];
    expect(order.map((claimed) => claimed?.job.studyInstanceUid)).toEqual(["1.3", "1.5", "1.2"]);
    expect(order[1]?.job.id).toBe(own);
  });

  it("is waited for when it was sent there unasked, until the node works again", async () => {
    const instance = {
      sopInstanceUid: "1.1.1.1",
      seriesInstanceUid: "1.1.1",
      sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    };
    const sent = {
      patientId: "P1",
      accessionNumber: "A1",
      modality: "CT",
      callingAeTitle: "CT1",
      project: "lung",
      rule: "all",
    };
    const whole = { ...instance, ...sent, studyInstanceUid: "1.1", file: "1", node: "north" };
    await store.addIntakeInstances([whole], { quietMs: 0, longestMs: 0 }, 1);
    await store.queueDueIntake({ quietMs: 0, longestMs: 0 }, 2);
    expect(await claim("east", 3)).toBeUndefined();
    await store.leaveNodes("north");
    expect(await claim("east", 3), "north ended in order, with the only copy").toBeUndefined();
    const [job] = await store.listJobs({ limit: 1 });
    await store.beatNode({ ...FACTS, name: "east" }, 31_000);
    expect(await claim("east", 31_000)).toBeUndefined();
    expect(await store.job(job?.id ?? "")).toMatchObject({ state: "waiting", code: "STUDY_ON_OTHER_NODE" });
    await store.releaseLeases(32_000, "north");
    // Nothing holds it up any more: it is next.
    expect(await store.job(job?.id ?? "")).toMatchObject({ state: "queued", code: undefined });
    const claimed = await claim("north", 32_000);
    expect(claimed?.job.id).toBe(job?.id);
  });

  it("finds its way back to the node it was sent to when another one had its job", async () => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const claimed = await claim("east", 0);
    if (claimed === undefined) throw new Error("nothing was due");
    const instance = {
      sopInstanceUid: "1.1.1.1",
      seriesInstanceUid: "1.1.1",
      sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    };
    const sent = {
      patientId: "P1",
      accessionNumber: "A1",
      modality: "CT",
      callingAeTitle: "CT1",
      project: "lung",
      rule: "all",
    };
    await store.addIntakeInstances(
      [{ ...instance, ...sent, studyInstanceUid: "1.1", file: "1", node: "north" }],
      { quietMs: 0, longestMs: 0 },
      1,
    );
    await store.settle(claimed.lease, { state: "waiting", code: "STUDY_ON_OTHER_NODE", dueAtMs: 2, attempts: 0 }, 2);
    expect(await claim("east", 3)).toBeUndefined();
    expect((await claim("north", 3))?.job.id).toBe(claimed.job.id);
  });

  const sentTo = (node: string, project: string) => ({
    ...{ studyInstanceUid: "1.1", seriesInstanceUid: "1.1.1", sopInstanceUid: "1.1.1.1", file: "1", node, project },
    ...{ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", patientId: "P1", accessionNumber: "A1", modality: "CT" },
    ...{ callingAeTitle: "CT1", rule: "all" },
  });

  it("is anybody's again in a project whose study was not the one that was sent to a node", async () => {
    await store.addIntakeInstances([sentTo("north", "heart")], { quietMs: 1_000, longestMs: 1_000 }, 1);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { job } = (await claim("east", 2)) ?? {};
    await store.cancelJobs({ job: job?.id ?? "" }, 3);
    await store.retryJobs({ job: job?.id ?? "" }, 4);
    expect((await claim("east", 5))?.job.id).toBe(job?.id);
  });

  it("waits for no node that is silent when it was sent to another", async () => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const job = await beginStudy("east");
    await store.addIntakeInstances([sentTo("north", "lung")], { quietMs: 1_000, longestMs: 1_000 }, 3);
    await store.releaseLeases(11, "north");
    expect(await claim("north", 20), "east has it").toBeUndefined();
    await store.beatNode({ ...FACTS, name: "north" }, 31_000);
    expect((await claim("north", 31_000))?.job.id).toBe(job);
  });
});
