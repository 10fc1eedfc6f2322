import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "rabbitmq-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Database, openDatabase } from "../../src/compat/pixl/database/connection.ts";
import { HEAD } from "../../src/compat/pixl/database/revisions.ts";
import { type Broker, openBroker } from "../../src/compat/pixl/intake/broker.ts";
import { type Intake, type IntakeOptions, startIntake } from "../../src/compat/pixl/intake/intake.ts";
import { IMAGING_QUEUES, PARKED_QUEUE } from "../../src/compat/pixl/intake/queues.ts";
import { createTokenBuckets, type TokenBuckets } from "../../src/compat/pixl/intake/token-buckets.ts";
import { deserialise } from "../../src/compat/pixl/messages/deserialise.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { type Clock, systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { type PracticeImagingApi, startImagingApi } from "../peers/pixl-imaging-api.ts";
import { runPixlProducer } from "../peers/pixl-producer.ts";
import { startPostgres } from "../peers/postgres.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { type RabbitMqServer, startRabbitMq } from "../peers/rabbitmq.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type CliResult, runCli } from "../support/cli.ts";
import { writeOmopExtract } from "../support/omop-extract.ts";

const PRIMARY = "imaging-primary";
const WAIT = { timeout: 20_000, interval: 20 };

/** A plain message that is told from others by its accession number. */
const bodyOf = (accession: string): Buffer =>
  Buffer.from(`{"mrn":"1","accession_number":"${accession}","study_uid":"","project_name":"p"}`);

interface World extends AsyncDisposable {
  readonly broker: Broker;
  readonly store: Store;
  readonly buckets: TokenBuckets;
  readonly intake: Intake;
}

interface WorldOptions {
  readonly port: number;
  readonly rate: number;
  readonly maximumUnfinished?: number;
  /** What the intake sees of the store. */
  readonly failing?: (store: Store) => IntakeOptions["store"];
}

/** Waits after failures are short here. */
const CLOCK: Clock = { ...systemClock, sleep: (durationMs, signal) => systemClock.sleep(durationMs / 20, signal) };

async function openWorld({
  port,
  rate,
  maximumUnfinished = 5,
  failing = (store) => store,
}: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "intake-"));
  const store = await openSqliteStore({ path: join(folder, "store.sqlite") });
  const broker = openBroker({ port, timeoutMs: 5_000 });
  const buckets = createTokenBuckets(systemClock, rate);
  const options = { broker, buckets, maximumUnfinished, clock: CLOCK, logger: silentLogger };
  const intake = startIntake({ ...options, store: failing(store) });
  return {
    broker,
    store,
    buckets,
    intake,
    async [Symbol.asyncDispose]() {
      await intake[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const accessionsOf = async (store: Store): Promise<readonly string[]> => {
  const messages = await store.listInboxMessages({ queue: PRIMARY, state: "waiting", limit: 100 });
  return messages
    .map(({ body }) => /"accession_number": ?"(.*?)"/.exec(Buffer.from(body).toString())?.[1] ?? "?")
    .reverse();
};

/** Works the most urgent message off. */
async function finishOne({ store, intake }: World): Promise<void> {
  const claimed = await store.claimInboxMessage(PRIMARY, 60_000, systemClock.nowMs());
  if (claimed === undefined) throw new Error("nothing was due");
  await store.settleInboxMessage(claimed.lease, { state: "done", attempts: 1 }, systemClock.nowMs());
  intake.wake();
}

interface Site extends AsyncDisposable {
  readonly api: PracticeImagingApi;
  readonly database: Database;
  readonly folder: string;
  pixl(args: readonly string[], clock?: Clock): Promise<CliResult>;
}

const EXTRACT = [
  "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id",
  "1,001,A1,p,2023-12-07T14:08:00Z,2022-11-22,1.2.1,P-1",
  "2,002,A2,p,2023-12-07T14:08:00Z,2022-11-23,1.2.2,",
  "3,00*,A3,p,2023-12-07T14:08:00Z,2022-11-24,1.2.3,",
].join("\n");

/** What PIXL's command line talks to. */
async function openSite(brokerPort: number): Promise<Site> {
  const [server, api] = [await startPostgres(), await startImagingApi()];
  const { port, user } = server;
  const database = await openDatabase({ host: "127.0.0.1", port, database: user, user, password: "" });
  const workingFolder = await mkdtemp(join(tmpdir(), "pixl-site-"));
  await writeFile(join(workingFolder, "extract.csv"), EXTRACT);
  await mkdir(join(workingFolder, "exports"));
  await mkdir(join(workingFolder, "omop"));
  await writeOmopExtract(join(workingFolder, "omop"), [{ id: 4, mrn: "004", accession: "A4" }]);
  const environment = {
    RABBITMQ_PORT: `${brokerPort}`,
    CLI_PIXL_DB_HOST: "127.0.0.1",
    CLI_PIXL_DB_PORT: `${port}`,
    PIXL_DB_HOST: "127.0.0.1",
    PIXL_DB_PORT: `${port}`,
    PIXL_DB_NAME: user,
    PIXL_DB_USER: user,
    PIXL_IMAGING_API_HOST: "127.0.0.1",
    PIXL_IMAGING_API_PORT: `${api.port}`,
    CLI_RETRY_SECONDS: "7",
    HOST_EXPORT_ROOT_DIR: "exports",
  };
  return {
    api,
    database,
    folder: workingFolder,
    pixl: (args, clock = systemClock) => runCli(["pixl", ...args], { environment, workingFolder, clock }),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(workingFolder, { recursive: true });
    },
  };
}

describe.skipIf(!requirePeer("rabbitmq-server"))("PIXL's queues in RabbitMQ", () => {
  let server: RabbitMqServer;
  beforeAll(async () => {
    server = await startRabbitMq({ isStarted: false });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("waits for a broker that is not there yet", async () => {
    await using world = await openWorld({ port: server.port, rate: 1 });
    await vi.waitFor(() => expect(world.broker.trouble?.details.reason).toBe("ECONNREFUSED"), WAIT);
    await server.start();
    await vi.waitFor(() => expect(world.broker.trouble).toBeUndefined(), WAIT);
    await world.broker.publish({ queue: PRIMARY, body: bodyOf("A1"), priority: 1 });
    await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["A1"]), WAIT);
  });

  describe("that runs", () => {
    beforeEach(async () => {
      await using broker = openBroker({ port: server.port });
      for (const queue of [...IMAGING_QUEUES, PARKED_QUEUE]) await broker.purge(queue);
    });

    it("leaves messages with the broker while it is paused, and takes the most urgent first", async () => {
      await using world = await openWorld({ port: server.port, rate: 0 });
      for (const [accession, priority] of [
        ["low", 1],
        ["high", 5],
        ["middle", 3],
      ] as const) {
        await world.broker.publish({ queue: PRIMARY, body: bodyOf(accession), priority });
      }
      expect(await world.broker.count(PRIMARY)).toBe(3);
      expect(world.intake.state()).toEqual({ "imaging-primary": "holding", "imaging-secondary": "holding" });
      world.buckets.setRate(1);
      await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["high", "middle", "low"]), WAIT);
      expect(await world.broker.count(PRIMARY)).toBe(0);
    });

    it("holds no more than it may, and takes another when one is done", async () => {
      await using world = await openWorld({ port: server.port, rate: 1, maximumUnfinished: 2 });
      for (const accession of ["A1", "A2", "A3", "A4"]) {
        await world.broker.publish({ queue: PRIMARY, body: bodyOf(accession), priority: 1 });
      }
      await vi.waitFor(() => expect(world.intake.state()[PRIMARY]).toBe("holding"), WAIT);
      expect(await accessionsOf(world.store)).toEqual(["A1", "A2"]);
      await vi.waitFor(async () => expect(await world.broker.count(PRIMARY)).toBe(2), WAIT);
      await finishOne(world);
      await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["A2", "A3"]), WAIT);
      await vi.waitFor(async () => expect(await world.broker.count(PRIMARY)).toBe(1), WAIT);
    });

    it("W4: parks what can never be worked off with its reason, and goes on", async () => {
      await using world = await openWorld({ port: server.port, rate: 1, maximumUnfinished: 1 });
      const poison = ["hello", '{"mrn":NaN,"accession_number":"A"}', '{"py/reduce":[]}', bodyOf("A*").toString()];
      for (const body of poison) await world.broker.publish({ queue: PRIMARY, body: Buffer.from(body), priority: 2 });
      await world.broker.publish({ queue: PRIMARY, body: bodyOf("good"), priority: 1 });
      await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["good"]), WAIT);
      expect(await world.broker.count(PARKED_QUEUE)).toBe(4);
      const parked: unknown[] = [];
      const consumer = world.broker.consumer(PARKED_QUEUE, ({ body, headers, priority }) => {
        parked.push({
          body: String(body),
          code: headers?.["radferry-code"],
          queue: headers?.["radferry-queue"],
          priority,
        });
      });
      consumer.start();
      await vi.waitFor(() => expect(parked).toHaveLength(4), WAIT);
      await consumer.close();
      const codes = ["NOT_JSON", "FIELD_INVALID", "HOSTILE", "KEY_UNSAFE"].map((code) => `PIXL_MESSAGE_${code}`);
      expect(parked).toEqual(poison.map((body, index) => ({ body, code: codes[index], queue: PRIMARY, priority: 2 })));
    });

    it("forwards a body byte for byte, persistently, with its priority and nothing else", async () => {
      await using broker = openBroker({ port: server.port });
      const body = Buffer.from('{"py/object": "x",  "mrn": NaN}\u00a0');
      await broker.publish({ queue: "imaging-secondary", body, priority: 4 });
      const seen: object[] = [];
      const consumer = broker.consumer("imaging-secondary", (message) => void seen.push(message));
      consumer.start();
      await vi.waitFor(() => expect(seen).toHaveLength(1), WAIT);
      await consumer.close();
      expect(seen).toEqual([expect.objectContaining({ body, priority: 4, durable: true })]);
      const extra = ["timestamp", "contentType", "contentEncoding", "headers", "messageId"];
      expect(Object.keys(seen[0] ?? {}).filter((name) => extra.includes(name))).toEqual([]);
    });

    it("keeps a message with the broker until it is committed, and takes it once", async () => {
      const failing = (store: Store): IntakeOptions["store"] => {
        let calls = 0;
        return {
          unfinishedInboxMessages: (queue) => store.unfinishedInboxMessages(queue),
          async addInboxMessage(message, nowMs) {
            calls += 1;
            if (calls === 1) throw new GatewayError("STORE_UNAVAILABLE");
            const added = await store.addInboxMessage(message, nowMs);
            // Written, but the answer is lost.
            if (calls === 2) throw new GatewayError("STORE_UNAVAILABLE");
            return added;
          },
        };
      };
      await using world = await openWorld({ port: server.port, rate: 1, failing });
      await world.broker.publish({ queue: PRIMARY, body: bodyOf("A1"), priority: 1 });
      await world.broker.publish({ queue: PRIMARY, body: bodyOf("A2"), priority: 1 });
      await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["A1", "A2"]), WAIT);
      expect(await world.broker.count(PRIMARY)).toBe(0);
    });

    it("loses nothing into a queue that somebody deleted", async () => {
      await using broker = openBroker({ port: server.port });
      await broker.publish({ queue: PRIMARY, body: bodyOf("A1"), priority: 1 });
      const administrator = new Connection({ port: server.port });
      await administrator.queueDelete({ queue: PRIMARY });
      await administrator.close();
      await broker.publish({ queue: PRIMARY, body: bodyOf("A2"), priority: 1 });
      expect(await broker.count(PRIMARY)).toBe(1);
    });

    it.skipIf(!requirePythonPeers())(
      "takes what pika publishes, after it declared the queue in PIXL's way",
      async () => {
        const pika = { do: ["publish"], port: server.port, queue: PRIMARY, priority: 2, count: 3 } as const;
        await using world = await openWorld({ port: server.port, rate: 1 });
        await runPixlProducer(pika);
        await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["A0", "A1", "A2"]), WAIT);
      },
    );

    it("says when the broker refuses its password", async () => {
      await using broker = openBroker({ port: server.port, password: "wrong", timeoutMs: 500 });
      await expect(broker.count(PRIMARY)).rejects.toMatchObject({ code: "PIXL_BROKER_REFUSED" });
    });

    describe.skipIf(!requirePeer("initdb"))("PIXL's command line", () => {
      let site: Site;
      beforeAll(async () => {
        site = await openSite(server.port);
      });
      afterAll(() => site[Symbol.asyncDispose]());
      beforeEach(async () => {
        await site.pixl(["db", "upgrade", "--json"]);
        await site.database.query("TRUNCATE pixl_pipeline.extract CASCADE");
        site.api.rates.length = 0;
      });

      it("writes down and publishes what an extract asks for, once", async () => {
        const first = await site.pixl(["populate", "extract.csv", "--no-start", "--priority", "4", "--json"]);
        expect([first.exitCode, JSON.parse(first.stdout)]).toMatchObject([
          3,
          { studies: 2, published: [2], refused: [{ row: 3, error: { code: "PIXL_MESSAGE_KEY_UNSAFE" } }] },
        ]);
        expect(site.api.rates).toEqual([]);
        await using world = await openWorld({ port: server.port, rate: 1 });
        await vi.waitFor(async () => expect(await accessionsOf(world.store)).toEqual(["A1", "A2"]), WAIT);
        const [newest] = await world.store.listInboxMessages({ queue: PRIMARY, state: "waiting", limit: 1 });
        expect(newest?.priority).toBe(4);
        expect(deserialise(newest?.body ?? new Uint8Array())).toMatchObject({ mrn: "002", studyDate: "2022-11-23" });
        const images = "SELECT accession_number, pseudo_patient_id FROM pixl_pipeline.image ORDER BY image_id";
        expect(await site.database.query(images)).toEqual([
          { accession_number: "A1", pseudo_patient_id: "P-1" },
          { accession_number: "A2", pseudo_patient_id: null },
        ]);
        await site.database.query("UPDATE pixl_pipeline.image SET exported_at = now() WHERE accession_number = 'A1'");
        const second = await site.pixl(["populate", "extract.csv", "--no-start", "--json"]);
        expect(JSON.parse(second.stdout)).toMatchObject({ published: [1] });
      });

      it("publishes what an OMOP extract asks for, its public part being where exports are taken from", async () => {
        const { stdout } = await site.pixl(["populate", "omop", "--no-start", "--json"]);
        expect(JSON.parse(stdout)).toMatchObject({ studies: 1, published: [1], refused: [] });
        const images =
          "SELECT accession_number, slug FROM pixl_pipeline.image JOIN pixl_pipeline.extract USING (extract_id)";
        expect(await site.database.query(images)).toEqual([{ accession_number: "A4", slug: "trial" }]);
        const latest = await readdir(join(site.folder, "exports/trial/latest/omop/public/omop"));
        expect(latest).toEqual(["PROCEDURE_OCCURRENCE.parquet"]);
      });

      it("starts, waits for empty queues, and asks again as long as more is exported", async () => {
        const slept: number[] = [];
        const sleep = async (durationMs: number): Promise<void> => {
          slept.push(durationMs);
          await using broker = openBroker({ port: server.port });
          if (durationMs === 60_000) await broker.purge(PRIMARY);
          else
            await site.database.query(
              "UPDATE pixl_pipeline.image SET exported_at = now() WHERE accession_number = 'A1'",
            );
        };
        const clock = { ...systemClock, sleep };
        const result = await site.pixl(["populate", "extract.csv", "--rate", "2.5", "--json"], clock);
        expect(JSON.parse(result.stdout)).toMatchObject({ published: [2, 1], exported: 1 });
        expect(slept).toEqual([60_000, 7_000, 60_000, 7_000]);
        expect(site.api.rates).toEqual([2.5]);
      });

      it("starts, updates, stops and tells, by the imaging API's own answers", async () => {
        await site.pixl(["start"]);
        await site.pixl(["update", "--rate", "0.5"]);
        await site.pixl(["populate", "extract.csv", "--no-start"]);
        const status = await site.pixl(["status", "--queues", "imaging-primary,imaging-secondary", "--json"]);
        expect(JSON.parse(status.stdout)).toEqual({
          queues: [
            { queue: "imaging-primary", rate: 0.5, ready: 2 },
            { queue: "imaging-secondary", rate: 0.5, ready: 0 },
          ],
        });
        const stop = await site.pixl(["stop", "--purge", "--json"]);
        expect(JSON.parse(stop.stdout)).toEqual({ queues: ["imaging-primary"], rate: 0, purged: 2 });
        expect(site.api.rates).toEqual([1, 0.5, 0]);
        expect((await site.pixl(["start", "--rate", "0"])).exitCode).toBe(2);
        site.api.isRefusing = true;
        const refused = await site.pixl(["update", "--rate", "1", "--json"]);
        site.api.isRefusing = false;
        expect([refused.exitCode, JSON.parse(refused.stdout)]).toMatchObject([
          1,
          { error: { code: "PIXL_API_REFUSED", details: { status: 406 } } },
        ]);
      });

      it("takes the schema back and forth as alembic would", async () => {
        const json = async (...args: readonly string[]): Promise<unknown> =>
          JSON.parse((await site.pixl(["--json", "db", ...args])).stdout);
        expect(await json("current")).toEqual({ current: HEAD, head: HEAD, isHead: true });
        expect(await json("downgrade", "base")).toMatchObject({ from: HEAD, to: null });
        expect(await json("current")).toMatchObject({ current: null, isHead: false });
        expect(await json("upgrade", "cb5ee12a6e20")).toMatchObject({ to: "cb5ee12a6e20" });
        expect(await json("downgrade", "-1")).toMatchObject({ to: "bcaef54e2bfe" });
        expect(await json("history")).toMatchObject([{ revision: "bcaef54e2bfe" }, {}, {}, { isHead: true }]);
        const unknown = await site.pixl(["db", "upgrade", "0123456789ab", "--json"]);
        expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: "PIXL_DATABASE_REVISION_UNKNOWN" } });
      });
    });

    it("loses nothing when the broker is killed and comes back", async () => {
      await using world = await openWorld({ port: server.port, rate: 1, maximumUnfinished: 2 });
      const accessions = Array.from({ length: 8 }, (_, index) => `A${index}`);
      for (const accession of accessions)
        await world.broker.publish({ queue: PRIMARY, body: bodyOf(accession), priority: 1 });
      await vi.waitFor(async () => expect(await accessionsOf(world.store)).toHaveLength(2), WAIT);
      await server.kill();
      await vi.waitFor(() => expect(world.broker.trouble).toBeDefined(), WAIT);
      await finishOne(world);
      await server.start();
      const done = async () => await world.store.listInboxMessages({ queue: PRIMARY, state: "done", limit: 100 });
      await vi.waitFor(async () => {
        if ((await accessionsOf(world.store)).length > 0) await finishOne(world);
        expect(new Set((await done()).map(({ body }) => String(body))).size).toBe(accessions.length);
      }, WAIT);
      expect(await world.broker.count(PRIMARY)).toBe(0);
    });
  });
});
