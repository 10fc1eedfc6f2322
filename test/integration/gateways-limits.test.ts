import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startOrthanc } from "../peers/orthanc.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticInstance, syntheticStudy } from "../peers/synthetic-studies.ts";
import { startHttpServer } from "../support/http-server.ts";
import { makeTwoGateways, submitStudies } from "../support/two-gateways.ts";

const WAIT = { timeout: 40_000, interval: 100 };
const STUDIES = [81, 82, 83, 84, 85, 86].map((seed) =>
  syntheticStudy({ modality: "CT", rows: 4, columns: 4, instancesPerSeries: 3, seed }),
);

/** Passes requests on, and counts those that are not answered yet. */
async function startCountingGate(port: number) {
  let open = 0;
  let peak = 0;
  const server = await startHttpServer((incoming, outgoing) => {
    open += 1;
    peak = Math.max(peak, open);
    const { method, url: path, headers } = incoming;
    const onward = request({ port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      // Before who asked knows of the end, and asks anew.
      answer.on("end", () => {
        open -= 1;
      });
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return { url: server.url, peak: () => peak, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe.runIf(requirePeer("initdb") && requirePeer("Orthanc"))("two gateways on one PostgreSQL", () => {
  let server: PostgresServer;
  let other: PostgresServer;
  beforeAll(async () => {
    [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  }, 60_000);
  afterAll(() => Promise.all([server?.[Symbol.asyncDispose](), other?.[Symbol.asyncDispose]()]));

  it("ask an archive over HTTP no more at once than one of them may, and both of them ask it", async () => {
    await using opened = new AsyncDisposableStack();
    const orthanc = opened.use(await startOrthanc({ aeTitle: "ORTHANC" }));
    const gate = opened.use(await startCountingGate(orthanc.httpPort));
    for (const { file } of STUDIES.flatMap(({ instances }) => instances)) {
      const body = Buffer.from(file);
      const stored = await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`, { method: "POST", body });
      expect(stored.ok).toBe(true);
    }
    const archives = [{ name: "orthanc", kind: "orthanc", url: gate.url, availability: { associations: 1 } }];
    const two = opened.use(await makeTwoGateways(server, () => ({ archives })));
    const north = opened.use(await two.open("north"));
    opened.use(await two.open("east"));
    expect((await north.gateway.operations.overview()).nodes).toEqual({ alive: 2, silent: 0 });
    const metrics = await (await fetch(`http://127.0.0.1:${north.gateway.httpPort}/metrics`)).text();
    expect(metrics).toMatch(/^radferry_node_alive\{node="east"\} 1$/m);
    await submitStudies(
      two,
      STUDIES.map(({ studyInstanceUid }) => studyInstanceUid),
    );
    await vi.waitFor(async () => {
      const jobs = await two.store.listJobs({ limit: 20 });
      expect(jobs.map(({ state }) => state)).toEqual(STUDIES.map(() => "delivered"));
    }, WAIT);
    expect(gate.peak()).toBe(1);
    const workers = (await two.store.listWorkers()).map(({ name }) => name.split("/")[0]);
    expect(new Set(workers)).toEqual(new Set(["north", "east"]));
  }, 90_000);

  it("give what they are doing to the other one at once when they are told to stop", async () => {
    await using opened = new AsyncDisposableStack();
    const { promise: stopped, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: asked, resolve: begin } = Promise.withResolvers<void>();
    async function* send({ bytes }: SyntheticInstance): AsyncGenerator<Uint8Array> {
      begin();
      await stopped;
      yield bytes;
    }
    const [study] = STUDIES;
    const practice = opened.use(await startPracticeArchive({ studies: STUDIES, faults: { send } }));
    opened.defer(goOn);
    const archives = [{ name: "practice", kind: "dimse", address: practice.address, retrieve: "get" }];
    const two = opened.use(await makeTwoGateways(other, () => ({ archives })));
    const north = await two.open("north");
    await submitStudies(two, [study?.studyInstanceUid ?? ""]);
    await asked;
    const [job] = await two.store.listJobs({ limit: 1 });
    expect(job).toMatchObject({ state: "running", stage: "retrieving" });
    await north[Symbol.asyncDispose]();
    expect(await two.store.job(job?.id ?? "")).toMatchObject({ state: "queued" });
    expect(await two.store.listNodes()).toEqual([]);
    goOn();
    opened.use(await two.open("east"));
    await vi.waitFor(
      async () => expect(await two.store.job(job?.id ?? "")).toMatchObject({ state: "delivered" }),
      WAIT,
    );
  }, 60_000);
});
