import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openWithdrawnKey } from "../../src/deid/pseudonyms/withdrawn-key.ts";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { runCli } from "../support/cli.ts";
import type { Service } from "../support/service.ts";
import { makeTwoGateways, PROJECT, submitStudies } from "../support/two-gateways.ts";

const WAIT = { timeout: 25_000, interval: 50 };
const study = (seed: number, patientId: string) =>
  syntheticStudy({ modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2, seed, patientId });
const [FIRST, SECOND, OTHER] = [study(91, "GONE-4711"), study(92, "GONE-4711"), study(93, "STAYS-0815")];

const cli = async ({ folder }: Service, args: readonly string[]) =>
  await runCli([...args, "-c", join(folder, "radferry.yaml")], { workingFolder: folder, openGateway });
const stagedAt = async ({ folder }: Service): Promise<readonly string[]> =>
  (await readdir(join(folder, "home", "staging", "studies"))).toSorted();

describe.runIf(requirePeer("initdb"))("a patient withdrawn from two gateways on one PostgreSQL", () => {
  let server: PostgresServer;
  beforeEach(async () => {
    server = await startPostgres();
  }, 60_000);
  afterEach(() => server?.[Symbol.asyncDispose]());

  /** Two gateways that know withdrawn patients by one key. */
  async function scene(opened: AsyncDisposableStack) {
    const archive = opened.use(await startPracticeArchive({ studies: [FIRST, SECOND, OTHER] }));
    const archives = [{ name: "practice", kind: "dimse", address: archive.address, retrieve: "get" }];
    const access = { commandLineRole: "admin" };
    const two = opened.use(await makeTwoGateways(server, () => ({ archives, access })));
    await openWithdrawnKey(join(two.folder, "withdrawn.key"));
    const open = async (name: "north" | "east"): Promise<Service> => {
      const service = opened.use(await two.open(name));
      await mkdir(join(service.folder, "home", "keys"), { recursive: true });
      await cp(join(two.folder, "withdrawn.key"), join(service.folder, "home", "keys", "withdrawn.key"));
      return service;
    };
    const delivered = async (count: number) =>
      await vi.waitFor(async () => {
        const jobs = await two.store.listJobs({ limit: 9 });
        expect(jobs.map(({ state, code }) => [state, code])).toEqual(Array(count).fill(["delivered", undefined]));
      }, WAIT);
    const withdraw = (service: Service, patientIds: readonly string[]) =>
      service.gateway.operations.withdrawPatients(PROJECT, { patientIds });
    return { two, open, delivered, withdraw };
  }

  it("is gone from the disk of each: at once where it is at work, at its start where it is not, which is told until then", async () => {
    await using opened = new AsyncDisposableStack();
    const { two, open, delivered, withdraw } = await scene(opened);
    const north = await open("north");
    await submitStudies(two, [FIRST.studyInstanceUid]);
    await delivered(1);
    await north.gateway[Symbol.asyncDispose]();
    const east = await open("east");
    await submitStudies(two, [SECOND.studyInstanceUid, OTHER.studyInstanceUid]);
    await delivered(3);
    expect(await stagedAt(north)).toEqual([FIRST.studyInstanceUid]);

    expect(await withdraw(east, [FIRST.patientId])).toMatchObject({
      ...{ patients: 1, studies: 2, done: 0, left: [] },
      waitingFor: [{ node: "north", patients: 1, seenAt: null }],
    });
    expect(await stagedAt(east)).toEqual([OTHER.studyInstanceUid]);
    expect(await stagedAt(north)).toEqual([FIRST.studyInstanceUid]);

    await north.restart();
    await vi.waitFor(async () => expect(await two.store.openWithdrawals(9)).toEqual([]), WAIT);
    expect(await stagedAt(north)).toEqual([]);
    expect(two.lines).toContain("north copies of withdrawn patients removed");
    expect(await withdraw(east, [FIRST.patientId])).toMatchObject({ done: 1, left: [], waitingFor: [] });

    // Both are at work: who asks is told when it is over.
    expect(await withdraw(north, [OTHER.patientId])).toMatchObject({ done: 1, left: [], waitingFor: [] });
    expect(await stagedAt(east)).toEqual([]);
  }, 90_000);

  it("is waited for no longer on a gateway that was forgotten, which is told, and is gone from there when it comes back", async () => {
    await using opened = new AsyncDisposableStack();
    const { two, open, delivered, withdraw } = await scene(opened);
    const north = await open("north");
    await submitStudies(two, [FIRST.studyInstanceUid]);
    await delivered(1);
    const east = await open("east");
    const { operations } = east.gateway;
    const reason = "its machine burnt";
    await expect(operations.forgetNode("north", { reason })).rejects.toMatchObject({ code: "NODE_AT_WORK" });
    await expect(operations.forgetNode("south", { reason })).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
    await north.gateway[Symbol.asyncDispose]();
    expect(await withdraw(east, [FIRST.patientId])).toMatchObject({ waitingFor: [{ node: "north" }], givenUp: [] });

    await expect(operations.forgetNode("north", { reason: "of 1.2.840.113619" })).rejects.toMatchObject({
      code: "NODE_FORGET_INVALID",
    });
    const told =
      "north is forgotten: its disk was not cleared\n  1 withdrawal waited for it, and for nothing else 1 of them\n";
    expect(await cli(east, ["node", "forget", "north", "--reason", reason, "--dry-run"])).toMatchObject({
      ...{ exitCode: 0, stdout: `dry run, nothing is changed:\n${told}` },
    });
    expect(await two.store.openWithdrawals(9)).toHaveLength(1);
    expect(await cli(east, ["node", "forget", "north", "--reason", reason])).toMatchObject({
      ...{ exitCode: 0, stdout: told },
    });
    expect(await two.store.openWithdrawals(9)).toEqual([]);
    const again = await cli(east, ["patient", "withdraw", "--project", PROJECT, "--patient-id", FIRST.patientId]);
    expect(again.stdout).toContain("given up: the disk of north was not cleared of what it may have of 1 patient\n");
    expect(await withdraw(east, [FIRST.patientId])).toMatchObject({
      ...{ patients: 1, done: 0, left: [], waitingFor: [], givenUp: [{ node: "north", patients: 1 }] },
    });
    const trail = (await two.store.auditRecords({ after: 0, limit: 99 })).map(({ record }) => record);
    expect(trail.filter((record) => record.includes("node-forgotten"))).toHaveLength(1);
    expect(
      trail.find((record) => record.includes("nodesGivenUp")),
      "the end says so, too",
    ).toBeDefined();

    expect(await stagedAt(north)).toEqual([FIRST.studyInstanceUid]);
    await north.restart();
    await vi.waitFor(async () => expect(await stagedAt(north)).toEqual([]), WAIT);
    await vi.waitFor(async () => expect(await two.store.openWithdrawals(9)).toEqual([]), WAIT);
    expect(await withdraw(east, [FIRST.patientId])).toMatchObject({ done: 1, waitingFor: [], givenUp: [] });
  }, 90_000);
});
