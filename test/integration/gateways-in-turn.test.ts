import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/open.ts";
import { type Logger, silentLogger } from "../../src/units/logger.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { openService, type Service } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

const SECRET = "a secret that both sides have";
const WAIT = { timeout: 25_000, interval: 50 };
const DAY_MS = 86_400_000;
const TURNS = ["notifications", "standing", "withdrawals"];

describe.runIf(requirePeer("initdb"))("two gateways on one PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  it("run a standing cohort once, tell it once, and take up one withdrawal; then the one that is left does it all", async () => {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await temporaryFolder());
    const hook = opened.use(await startWebhookReceiver(SECRET));
    hook.status = 204;
    const study = syntheticStudy({ modality: "CT", rows: 2, columns: 2, instancesPerSeries: 1, seed: 31 });
    const archive = opened.use(await startPracticeArchive({ studies: [study] }));
    const url = `postgres://${server.user}@127.0.0.1:${server.port}/${server.user}`;
    await writeFile(join(path, "url"), `${url}\n`, { mode: 0o600 });
    await writeFile(join(path, "key"), "01".repeat(32), { mode: 0o600 });
    await writeFile(join(path, "secret"), `${SECRET}\n`, { mode: 0o600 });
    const lines: string[] = [];
    const open = async (name: string): Promise<Service> =>
      await openService({
        settings: settingsFor({ path, name, archive: archive.address, hook: hook.url }),
        logger: noting(name, lines),
      });
    const linesOf = (event: string) => lines.filter((line) => line.includes(event));

    const store = opened.use(await openPostgresStore({ url, witnessPath: join(path, "witness"), poolSize: 1 }));
    const north = await open("north");
    await vi.waitFor(() => expect(linesOf("turn taken").toSorted()).toEqual(turnsOf("north")), WAIT);
    const east = opened.use(await open("east"));

    await north.gateway.operations.addStanding({
      name: "nightly",
      project: "lung",
      archive: "practice",
      queries: [{ keys: [], from: "19000101", to: "today" }],
      times: [new Date(Date.now() + DAY_MS / 2).toISOString().slice(11, 16)],
      timeZone: "UTC",
    });
    await east.gateway.operations.runStanding("nightly");
    const isDone = async () =>
      expect((await east.gateway.operations.showStanding("nightly")).lastRun).toMatchObject({
        number: 1,
        state: "done",
      });
    await vi.waitFor(isDone, WAIT);
    const cohortDone = await hook.notice(({ event }) => event === "cohort-done");
    expect(cohortDone).toMatchObject({ project: "lung", total: 1, delivered: 1 });
    expect(archive.timesAsked.get(study.studyInstanceUid)).toBe(1);
    expect(linesOf("turn taken").toSorted(), "the other one has done none of it").toEqual(turnsOf("north"));

    await leaveWithdrawalOpen(store);
    await north[Symbol.asyncDispose]();
    await hook.notice(({ event, node }) => event === "service-stopped" && node === "north");
    await vi.waitFor(
      () => expect(linesOf("turn taken").toSorted()).toEqual([...turnsOf("east"), ...turnsOf("north")]),
      WAIT,
    );
    await vi.waitFor(() => expect(linesOf("withdrawals resumed")).toEqual(["east withdrawals resumed"]), WAIT);
    const notices = hook.told.flatMap((told) => told.notices);
    expect(notices.filter(({ event }) => event === "cohort-done")).toHaveLength(1);
    expect(notices.filter(({ event }) => event === "service-started").map(({ node }) => node)).toEqual([
      "north",
      "east",
    ]);
  }, 60_000);
});

function turnsOf(node: string): readonly string[] {
  return TURNS.map((what) => `${node} turn taken ${what}`);
}

function noting(name: string, lines: string[]): Logger {
  return {
    ...silentLogger,
    info: (event, { what } = {}) => void lines.push([name, event, what].filter(Boolean).join(" ")),
  };
}

function settingsFor({ path, name, archive, hook }: { path: string; name: string; archive: string; hook: string }) {
  return {
    store: { kind: "postgres", urlFile: join(path, "url"), connections: 4 },
    node: { name },
    archives: [{ name: "practice", kind: "dimse", address: archive, retrieve: "get" }],
    destinations: [{ name: "store", kind: "folder", path: join(path, "delivered") }],
    projects: [
      {
        name: "lung",
        archives: ["practice"],
        destinations: ["store"],
        profile: "research",
        keyFile: join(path, "key"),
      },
    ],
    notifications: [{ name: "tracker", kind: "webhook", url: hook, secretFile: join(path, "secret") }],
  };
}

/** As after an end in the middle of it: of a patient of whom nothing was ever fetched. */
async function leaveWithdrawalOpen(store: Awaited<ReturnType<typeof openPostgresStore>>): Promise<void> {
  const actor = { name: "sam", kind: "command line", role: "admin" } as const;
  const wish = { project: "lung", digest: "d1", keyId: "k1", patientId: "P-4711", linkDigest: undefined };
  const audit = { event: "patient-withdrawn", actor, outcome: "success", project: "lung", detail: {} } as const;
  await store.withdrawPatient(wish, audit, 0);
}
