import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { runPixlProducer } from "../../../../test/peers/pixl-producer.ts";
import { requirePythonPeers } from "../../../../test/peers/python-peers.ts";
import { type RabbitMqServer, startRabbitMq } from "../../../../test/peers/rabbitmq.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { openSqliteStore } from "../../../store/sqlite/open.ts";
import type { Store } from "../../../store/store.ts";
import { systemClock } from "../../../units/clock.ts";
import { silentLogger } from "../../../units/logger.ts";
import { type Broker, openBroker } from "./broker.ts";
import { type Intake, startIntake } from "./intake.ts";
import { IMAGING_QUEUES, PARKED_QUEUE } from "./queues.ts";
import { createTokenBuckets, type TokenBuckets } from "./token-buckets.ts";

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

async function openWorld({
  port,
  rate,
  maximumUnfinished = 5,
}: Readonly<Record<"port" | "rate", number>> & { maximumUnfinished?: number }): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "intake-"));
  const store = await openSqliteStore({ path: join(folder, "store.sqlite") });
  const broker = openBroker({ port, timeoutMs: 5_000 });
  const buckets = createTokenBuckets(systemClock, rate);
  const intake = startIntake({ broker, store, buckets, maximumUnfinished, clock: systemClock, logger: silentLogger });
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

describe.skipIf(!requirePeer("rabbitmq-server"))("the intake from RabbitMQ", () => {
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

    it("parks what can never be worked off with its reason, and goes on", async () => {
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
