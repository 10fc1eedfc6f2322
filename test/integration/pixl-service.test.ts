import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { currentRevision, upgrade } from "../../src/compat/pixl/database/migrate.ts";
import { HEAD } from "../../src/compat/pixl/database/revisions.ts";
import { type Broker, openBroker } from "../../src/compat/pixl/intake/broker.ts";
import { IMAGING_QUEUES, PARKED_QUEUE } from "../../src/compat/pixl/intake/queues.ts";
import { runPixlProducer } from "../peers/pixl-producer.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { type RabbitMqServer, startRabbitMq } from "../peers/rabbitmq.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { openPixlHome, runRadferry, startPixlService } from "../support/pixl-service.ts";
import { openPixlSite, type PixlSite, store } from "../support/pixl-site.ts";
import { openService } from "../support/service.ts";

const [PRIMARY] = IMAGING_QUEUES;
const WAIT = { timeout: 20_000, interval: 20 };
const STUDIES = [1, 2, 3].map((number) =>
  syntheticStudy({ seed: 7_100 + number, modality: "CT", rows: 4, columns: 4, accessionNumber: `ACC${number}` }),
);
const UIDS = STUDIES.map(({ studyInstanceUid }) => studyInstanceUid);

const plain = ({ patientId, accessionNumber, studyInstanceUid }: (typeof STUDIES)[number]) => ({
  mrn: patientId,
  accession_number: accessionNumber,
  study_uid: studyInstanceUid,
  series_uid: "",
  project_name: "trial",
});

const EXTRACT = [
  "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id",
  ...STUDIES.map(
    ({ patientId, accessionNumber, studyInstanceUid }, index) =>
      `${index},${patientId},${accessionNumber},trial,2023-12-07T14:08:00Z,2022-11-22,${studyInstanceUid},`,
  ),
].join("\n");

const hasPeers = [requirePeer("Orthanc"), requirePeer("rabbitmq-server"), requirePeer("initdb")].every(Boolean);

describe.skipIf(!hasPeers)("radferry compat pixl, in the place of PIXL's imaging API", () => {
  let site: PixlSite;
  let rabbit: RabbitMqServer;
  let home: Awaited<ReturnType<typeof openPixlHome>>;
  let environment: Readonly<Record<string, string>>;
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    const starting = [openPixlSite(), startRabbitMq(), openPixlHome()] as const;
    // Whatever has started is ended, also when another has not.
    await Promise.allSettled(starting);
    [site, rabbit, home] = [
      opened.use(await starting[0]),
      opened.use(await starting[1]),
      opened.use(await starting[2]),
    ];
  });
  afterAll(() => opened.disposeAsync());
  let test = 0;
  beforeEach(async () => {
    test += 1;
    environment = {
      ...site.environment(),
      ...home.environment,
      RABBITMQ_PORT: `${rabbit.port}`,
      RADFERRY_HOME: join(home.folder, `state-${test}`),
    };
    await site.clear();
    for (const { instances } of STUDIES) await store(site.vna, instances);
    await using broker = openBroker({ port: rabbit.port });
    for (const queue of [...IMAGING_QUEUES, PARKED_QUEUE]) await broker.purge(queue);
    await home.database.query("DROP SCHEMA IF EXISTS pixl_pipeline CASCADE");
  });

  const handedOver = (): readonly string[] => site.anon.imports.flatMap((request) => request.StudyInstanceUIDs).sort();
  const counts = async (broker: Broker) => [await broker.count(PRIMARY), await broker.count(PARKED_QUEUE)];

  it("migrates, waits for a rate, works off what the original's driver asks for, and ends in order", async () => {
    await using broker = openBroker({ port: rabbit.port });
    await using service = await startPixlService(environment);
    expect(await currentRevision(home.database)).toBe(HEAD);
    expect(await service.rate()).toEqual({ rate: 0 });
    await writeFile(join(home.folder, "extract.csv"), EXTRACT);
    const driver = {
      ...environment,
      PIXL_IMAGING_API_HOST: "127.0.0.1",
      PIXL_IMAGING_API_PORT: new URL(service.url).port,
    };
    const pixl = (...args: readonly string[]) => runRadferry(["pixl", ...args, "--json"], driver, home.folder);
    expect(JSON.parse((await pixl("populate", "extract.csv", "--no-start")).stdout)).toMatchObject({ published: [3] });
    await broker.publish({ queue: PRIMARY, body: Buffer.from("poison"), priority: 1 });
    // Nothing is taken, and nothing goes in circles: the driver counts what waits.
    expect(await counts(broker)).toEqual([4, 0]);
    expect((await pixl("start", "--rate", "100")).exitCode).toBe(0);
    await vi.waitFor(() => expect(handedOver()).toEqual(UIDS), WAIT);
    await vi.waitFor(async () => expect(await counts(broker)).toEqual([0, 1]), WAIT);
    expect(JSON.parse((await pixl("status")).stdout)).toEqual({ queues: [{ queue: PRIMARY, rate: 100, ready: 0 }] });
    expect(site.anon.imports[0]).toMatchObject({ ProjectName: "trial", SeriesInstanceUIDs: [] });
    expect(await service.end()).toBe(0);
    const identifiers = STUDIES.flatMap(({ patientId, studyInstanceUid }) => [patientId, studyInstanceUid]);
    expect(identifiers.filter((text) => service.log().includes(text))).toEqual([]);

    await using again = await startPixlService(environment);
    expect(await again.rate()).toEqual({ rate: 0 });
  });

  it("redeploys onto a database that holds rows, and leaves one alone that it may not touch", async () => {
    await upgrade(home.database, "cb5ee12a6e20");
    await home.database.query("INSERT INTO pixl_pipeline.extract (slug) VALUES ('trial')");
    await home.database.query(
      "INSERT INTO pixl_pipeline.image (accession_number, study_date, mrn, extract_id, pseudo_study_uid) VALUES ('ACC1', '2022-11-22', 'M', 1, '2.25.1')",
    );
    for (const skip of ["true", "False"]) {
      await using _service = await startPixlService({ ...environment, SKIP_ALEMBIC: skip });
      expect(await currentRevision(home.database)).toBe("cb5ee12a6e20");
    }
    await using _service = await startPixlService({ ...environment, SKIP_ALEMBIC: "false" });
    expect(await currentRevision(home.database)).toBe(HEAD);
    const rows = await home.database.query(
      "SELECT accession_number, pseudo_study_uid, study_uid FROM pixl_pipeline.image",
    );
    expect(rows).toEqual([{ accession_number: "ACC1", pseudo_study_uid: "2.25.1", study_uid: null }]);
  });

  it("does not start over a database that cannot be migrated, and leaves it as it was", async () => {
    await upgrade(home.database, "cb5ee12a6e20");
    await home.database.query("ALTER TABLE pixl_pipeline.image ADD COLUMN pseudo_patient_id VARCHAR(255)");
    const columns = () =>
      home.database.query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'pixl_pipeline' ORDER BY table_name, ordinal_position",
      );
    const before = await columns();
    const { exitCode, stdout } = await runRadferry(
      ["compat", "pixl", "--port", "0", "--json"],
      environment,
      home.folder,
    );
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      1,
      { error: { code: "PIXL_DATABASE_REFUSED", details: { reason: "42701" } } },
    ]);
    expect(await columns()).toEqual(before);
    expect(await currentRevision(home.database)).toBe("cb5ee12a6e20");
  });

  it("takes messages by HTTP without a broker, and hands over after kill -9 what it answered for", async () => {
    await rabbit.kill();
    const kept = { ...environment, RADFERRY_PIXL_KEEP_RATE: "true" };
    await using service = await startPixlService(kept);
    expect(await (await fetch(`${service.url}/heart-beat`)).text()).toBe('"OK"');
    expect(await service.post(STUDIES.map(plain))).toEqual([202, '{"accepted":3,"joined":0}']);
    expect(await service.post(STUDIES.slice(0, 1).map(plain))).toEqual([202, '{"accepted":1,"joined":1}']);
    await service.kill();

    await using second = await startPixlService(kept);
    expect(await second.rate()).toEqual({ rate: 0 });
    await second.setRate(50);
    await vi.waitFor(() => expect(handedOver()).toEqual(UIDS), WAIT);
    await second.kill();

    await using third = await startPixlService(kept);
    expect(await third.rate()).toEqual({ rate: 50 });
    await rabbit.start();
    await using broker = openBroker({ port: rabbit.port });
    site.anon.imports.length = 0;
    await broker.publish({ queue: PRIMARY, body: Buffer.from(JSON.stringify(STUDIES.map(plain)[1])), priority: 1 });
    await vi.waitFor(() => expect(handedOver()).toEqual([UIDS[1]]), WAIT);
  });

  it("answers inside the service too, set up by the original's own file", async () => {
    const environmentFile = join(home.folder, "pixl.env");
    const lines = Object.entries({ ...environment, SKIP_ALEMBIC: "true" }).map(([name, value]) => `${name}=${value}`);
    await writeFile(environmentFile, lines.join("\n"), { mode: 0o600 });
    const settings = { compat: { pixl: { host: "127.0.0.1", port: 0, environmentFile } } };
    await using service = await openService({ settings, environment: {} });
    const url = `http://127.0.0.1:${service.gateway.facePorts?.pixl}`;
    const post = (path: string, body: unknown) =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await post("/messages", STUDIES.map(plain))).status).toBe(202);
    expect((await post("/token-bucket-refresh-rate", { rate: 50 })).status).toBe(200);
    await vi.waitFor(() => expect(handedOver()).toEqual(UIDS), WAIT);
    await service.gateway.drain();
  });

  it.skipIf(!requirePythonPeers())(
    "works off what jsonpickle writes and pika publishes, the most urgent first",
    async () => {
      await using service = await startPixlService({ ...environment, PIXL_MAX_MESSAGES_IN_FLIGHT: "1" });
      await using broker = openBroker({ port: rabbit.port });
      const keys = STUDIES.map(({ patientId, accessionNumber }) => [patientId, accessionNumber] as const);
      for (const [index, key] of keys.entries())
        await runPixlProducer({
          do: ["publish"],
          port: rabbit.port,
          queue: PRIMARY,
          priority: index + 2,
          count: 1,
          key,
        });
      expect(await broker.count(PRIMARY)).toBe(3);
      await service.setRate(100);
      await vi.waitFor(() => expect(handedOver()).toEqual(UIDS), WAIT);
      const order = site.anon.imports.map((request) => request.StudyInstanceUIDs[0]);
      expect(order).toEqual([...UIDS].reverse());
    },
  );
});
