import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openWithdrawnKey } from "../../src/deid/pseudonyms/withdrawn-key.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import type { Service } from "../support/service.ts";
import { makeTwoGateways, PROJECT, submitStudies } from "../support/two-gateways.ts";

const WAIT = { timeout: 25_000, interval: 50 };
const study = (seed: number, patientId: string) =>
  syntheticStudy({ modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2, seed, patientId });
const [FIRST, SECOND, OTHER] = [study(91, "GONE-4711"), study(92, "GONE-4711"), study(93, "STAYS-0815")];

const stagedAt = async ({ folder }: Service): Promise<readonly string[]> =>
  (await readdir(join(folder, "home", "staging", "studies"))).toSorted();

describe.runIf(requirePeer("initdb"))("a patient withdrawn from two gateways on one PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  it("is gone from the disk of each: at once where it is at work, at its start where it is not, which is told until then", async () => {
    await using opened = new AsyncDisposableStack();
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

    const north = await open("north");
    await submitStudies(two, [FIRST.studyInstanceUid]);
    await delivered(1);
    await north.gateway[Symbol.asyncDispose]();
    const east = await open("east");
    await submitStudies(two, [SECOND.studyInstanceUid, OTHER.studyInstanceUid]);
    await delivered(3);
    expect(await stagedAt(north)).toEqual([FIRST.studyInstanceUid]);

    const withdraw = (service: Service, patientIds: readonly string[]) =>
      service.gateway.operations.withdrawPatients(PROJECT, { patientIds });
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
});
