import { request } from "node:http";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { BREAKER_POLICY } from "../../src/archive/availability/policy.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { startHttpServer } from "../support/http-server.ts";
import type { Service } from "../support/service.ts";
import { makeTwoGateways, submitStudies, type TwoGateways } from "../support/two-gateways.ts";

const WAIT = { timeout: 60_000, interval: 50 };
const STUDIES = Array.from({ length: 26 }, (_, index) =>
  syntheticStudy({ modality: "CT", rows: 4, columns: 4, instancesPerSeries: 1, seed: 300 + index }),
);
/** A study each half second. */
const RATE = { studiesPerMinute: 120, intervalMs: 500 };

/** How far the database's clock and ours may be apart on one machine. */
const CLOCK_MS = 20;

type Answer = "pass" | "hold" | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** Before an Orthanc: counts what it is asked, and answers as the test says. */
async function startArchiveFront(port: number) {
  const held: (() => void)[] = [];
  const front = { asked: 0, answer: "pass" as Answer, archivesAtMs: [] as number[] };
  const server = await startHttpServer((incoming, outgoing) => {
    front.asked += 1;
    const { method, url: path, headers } = incoming;
    const pass = (): void => {
      const onward = request({ port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      incoming.pipe(onward);
    };
    if (path?.endsWith("/archive") === true || path?.endsWith("/file") === true) front.archivesAtMs.push(Date.now());
    if (front.answer === "pass") pass();
    else if (front.answer === "hold") held.push(pass);
    else outgoing.writeHead(front.answer.status, front.answer.headers).end();
  });
  return {
    front,
    url: server.url,
    held,
    letPass() {
      front.answer = "pass";
      for (const pass of held.splice(0)) pass();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe.runIf(requirePeer("initdb") && requirePeer("Orthanc"))("an archive that two gateways ask over HTTP", () => {
  const opened = new AsyncDisposableStack();
  let server: PostgresServer;
  let archive: Awaited<ReturnType<typeof startArchiveFront>>;
  let two: TwoGateways;
  let services: readonly [Service, Service];
  let used = 0;

  beforeAll(async () => {
    server = opened.use(await startPostgres());
    const orthanc = opened.use(await startOrthanc({ aeTitle: "ORTHANC" }));
    archive = opened.use(await startArchiveFront(orthanc.httpPort));
    for (const { file } of STUDIES.flatMap(({ instances }) => instances)) {
      const body = Buffer.from(file);
      const stored = await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`, { method: "POST", body });
      expect(stored.ok).toBe(true);
    }
    // With five workers, neither gateway takes all of eight studies.
    const availability = { associations: 1 };
    const archives = [{ name: "orthanc", kind: "orthanc", url: archive.url, availability }];
    const retry = { firstDelaySeconds: 0.1, maximumDelaySeconds: 0.1 };
    two = opened.use(await makeTwoGateways(server, () => ({ archives, retry })));
    services = [opened.use(await two.open("north")), opened.use(await two.open("east"))];
  }, 60_000);
  afterAll(() => opened.disposeAsync());

  /** Their Study Instance UIDs. */
  const submit = async (count: number): Promise<readonly string[]> => {
    const uids = STUDIES.slice(used, used + count).map(({ studyInstanceUid }) => studyInstanceUid);
    used += count;
    await submitStudies(two, uids);
    return uids;
  };
  const statesOf = async (uids: readonly string[]): Promise<readonly string[]> => {
    const jobs = await two.store.listJobs({ limit: 50 });
    const wanted = jobs.filter(({ studyInstanceUid = "" }) => uids.includes(studyInstanceUid));
    return wanted.map(({ state, code }) => [state, code ?? ""].join(" ").trim());
  };
  const until = (uids: readonly string[], ...states: readonly string[]) =>
    vi.waitFor(async () => expect(states).toEqual(expect.arrayContaining([...(await statesOf(uids))])), WAIT);

  it("begins so many studies a minute, of both together", async () => {
    const { studiesPerMinute, intervalMs } = RATE;
    await two.store.setArchiveControls("orthanc", { overrides: { studiesPerMinute } }, Date.now());
    const startedAtMs = Date.now();
    await until(await submit(8), "delivered");
    expect(archive.front.archivesAtMs.length).toBeGreaterThanOrEqual(8);
    for (const [index, atMs] of archive.front.archivesAtMs.entries())
      expect(atMs - startedAtMs).toBeGreaterThanOrEqual(index * intervalMs - CLOCK_MS);
    const workers = (await two.store.listWorkers()).map(({ name }) => name.split("/")[0]);
    expect(new Set(workers)).toEqual(new Set(["north", "east"]));
    await two.store.setArchiveControls("orthanc", { overrides: { studiesPerMinute: null } }, Date.now());
  }, 90_000);

  it("is asked by neither while it asked one of them to be left alone, until it answers an echo of one", async () => {
    archive.front.answer = { status: 429, headers: { "Retry-After": "3600" } };
    await until(await submit(2), "waiting HTTP_TOO_MANY_REQUESTS", "waiting ARCHIVE_ASKED_TO_WAIT");
    archive.front.answer = "pass";
    const { asked } = archive.front;
    await until(await submit(4), "waiting ARCHIVE_ASKED_TO_WAIT");
    expect(archive.front.asked).toBe(asked);
    await services[1].gateway.operations.echoArchive("orthanc");
    await until(await submit(2), "delivered");
  }, 90_000);

  it("rests for both when it failed for both, and one question of one of them is the probe", async () => {
    archive.front.answer = { status: 502 };
    const first = await submit(2);
    await until(first, "waiting ARCHIVE_RESTING");
    await restUntil(server, Date.now() + BREAKER_POLICY.longestRestMs);
    const { asked } = archive.front;
    const second = await submit(2);
    await until(second, "waiting ARCHIVE_RESTING");
    expect(archive.front.asked).toBe(asked);

    archive.front.answer = "hold";
    await restUntil(server, 0);
    const third = await submit(6);
    await vi.waitFor(async () => {
      const states = await statesOf(third);
      expect(states.filter((state) => state === "waiting ARCHIVE_RESTING")).toHaveLength(5);
    }, WAIT);
    expect(archive.held).toHaveLength(1);
    archive.letPass();
    await until([...first, ...second, ...third], "delivered");
  }, 90_000);
});

/** Makes the rest of an archive longer, or has its time have passed. */
async function restUntil({ user, port }: PostgresServer, untilMs: number): Promise<void> {
  const client = new pg.Client({ host: "127.0.0.1", port, user, database: user });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `UPDATE archives SET breaker = jsonb_set(breaker::JSONB, '{untilMs}', to_jsonb($1::BIGINT))::TEXT
        WHERE name = 'orthanc' AND breaker::JSONB ->> 'state' = 'open'`,
      [untilMs],
    );
    expect(rowCount).toBe(1);
  } finally {
    await client.end();
  }
}
