import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Broker, openBroker } from "../../src/compat/pixl/intake/broker.ts";
import { type Intake, startIntake } from "../../src/compat/pixl/intake/intake.ts";
import { IMAGING_QUEUES, type ImagingQueue, PARKED_QUEUE } from "../../src/compat/pixl/intake/queues.ts";
import { createTokenBuckets, type TokenBuckets } from "../../src/compat/pixl/intake/token-buckets.ts";
import type { RetryPolicies } from "../../src/compat/pixl/processing/dispositions.ts";
import { type PixlWorker, startWorker, type WorkerOptions } from "../../src/compat/pixl/processing/worker.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { textOf } from "../../src/dicom/values.ts";
import type { BreakerPolicy } from "../../src/store/archive-condition.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { type Clock, systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { introduceModality } from "../peers/orthanc.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { type RabbitMqServer, startRabbitMq } from "../peers/rabbitmq.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { openPixlSite, openSiteProcessing, type PixlSite, store as storeIn } from "../support/pixl-site.ts";

const [PRIMARY, SECONDARY] = IMAGING_QUEUES;
const WAIT = { timeout: 20_000, interval: 20 };
const studies = [911, 912, 913, 914, 915, 916].map((seed) =>
  syntheticStudy({ seed, modality: "CT", rows: 16, columns: 16 }),
);
const [STUDY = syntheticStudy({ seed: 910, modality: "CT" })] = studies;

/** As PIXL's own consumers would take it, with blanks that nobody may change. */
const bodyOf = ({ patientId, accessionNumber, studyInstanceUid }: SyntheticStudy): Buffer =>
  Buffer.from(
    `{"mrn": "${patientId}",  "accession_number": "${accessionNumber}", "study_uid": "${studyInstanceUid}", "series_uid": "", "project_name": "p"}`,
  );

/** Runs on from the given moment. */
function clockFrom(text: string): Clock {
  const offsetMs = Date.parse(text) - Date.now();
  return { ...systemClock, nowMs: () => Date.now() + offsetMs };
}

/** 2026-01-05 is a Monday. */
const NIGHT = "2026-01-05T02:00:00Z";
const QUICK: RetryPolicies = {
  own: { attempts: 3, firstDelayMs: 20, maximumDelayMs: 50 },
  site: { attempts: 1_000, firstDelayMs: 20, maximumDelayMs: 50 },
};

/** Archives are asked again and again. */
const RARE: BreakerPolicy = { failures: 1_000, firstRestMs: 1, longestRestMs: 1, probeMs: 1_000 };

interface World extends AsyncDisposable {
  readonly broker: Broker;
  readonly store: Store;
  readonly buckets: TokenBuckets;
  readonly intake: Intake;
  readonly worker: PixlWorker;
  publish(study: SyntheticStudy, queue?: ImagingQueue, priority?: number): Promise<void>;
  list(state: "waiting" | "running" | "done" | "failed", queue?: ImagingQueue): ReturnType<Store["listInboxMessages"]>;
}

interface WorldOptions {
  readonly rate?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly retry?: RetryPolicies;
  readonly breaker?: BreakerPolicy;
  /** What the worker sees of the store and the broker. */
  readonly worker?: (given: Pick<WorkerOptions, "store" | "broker">) => Partial<WorkerOptions>;
}

describe.skipIf(!requirePeer("Orthanc") || !requirePeer("rabbitmq-server"))("PIXL's worker", () => {
  const running = new AsyncDisposableStack();
  let site: PixlSite;
  let server: RabbitMqServer;
  beforeAll(async () => {
    server = running.use(await startRabbitMq());
    site = running.use(await openPixlSite());
  });
  afterAll(() => running.disposeAsync());
  beforeEach(async () => {
    await site.clear();
    await using broker = openBroker({ port: server.port });
    for (const queue of [...IMAGING_QUEUES, PARKED_QUEUE]) await broker.purge(queue);
  });

  async function openWorld(options: WorldOptions = {}): Promise<World> {
    const { rate = 1_000, environment = {}, clock = clockFrom(NIGHT), retry = QUICK } = options;
    const folder = await mkdtemp(join(tmpdir(), "pixl-worker-"));
    const store = await openSqliteStore({ path: join(folder, "store.sqlite") });
    const broker = openBroker({ port: server.port, timeoutMs: 2_000 });
    const buckets = createTokenBuckets(systemClock, rate);
    const { breaker = RARE } = options;
    const processing = openSiteProcessing(site, environment, { store, clock, breaker });
    const { maximumInFlight } = processing.settings;
    const worker = await startWorker({
      ...{ store, broker, buckets, processing, retry },
      ...options.worker?.({ store, broker }),
      onSettled: () => intake.wake(),
    });
    const intake = startIntake({
      ...{ broker, store, buckets, clock, logger: silentLogger },
      maximumUnfinished: maximumInFlight,
      onStored: () => worker.wake(),
    });
    return {
      ...{ broker, store, buckets, intake, worker },
      publish: (study, queue = PRIMARY, priority = 1) => broker.publish({ queue, body: bodyOf(study), priority }),
      list: (state, queue = PRIMARY) => store.listInboxMessages({ queue, state, limit: 100 }),
      async [Symbol.asyncDispose]() {
        await intake[Symbol.asyncDispose]();
        await worker.drain(0);
        await processing[Symbol.asyncDispose]();
        await broker[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    };
  }

  const handedOver = (): readonly string[] => site.anon.imports.flatMap(({ StudyInstanceUIDs }) => StudyInstanceUIDs);
  const uidsOf = (list: readonly SyntheticStudy[]): readonly string[] =>
    list.map(({ studyInstanceUid }) => studyInstanceUid);

  it("works off what is published, more than may be in flight, each once", async () => {
    for (const { instances } of studies) await storeIn(site.vna, instances);
    await using world = await openWorld({ environment: { PIXL_MAX_MESSAGES_IN_FLIGHT: "2" } });
    for (const study of studies) await world.publish(study);
    await vi.waitFor(async () => expect(await world.list("done")).toHaveLength(studies.length), WAIT);
    expect([...handedOver()].sort()).toEqual([...uidsOf(studies)].sort());
    const [one] = await world.list("done");
    expect(JSON.parse(one?.progress ?? "{}")).toEqual({
      ...{ failures: 0, handovers: 1, studies: 1, instances: 1, retrieved: 1 },
      outcome: "handed-over",
    });
    expect(await world.broker.count(PRIMARY)).toBe(0);
  });

  it("W23: holds what is stored while the rate is 0, then takes the most urgent first", async () => {
    for (const { instances } of studies) await storeIn(site.vna, instances);
    await using world = await openWorld({ rate: 0, environment: { PIXL_MAX_MESSAGES_IN_FLIGHT: "1" } });
    for (const [index, study] of studies.entries()) {
      await world.store.addInboxMessage({ queue: PRIMARY, body: bodyOf(study), priority: 1 + (index % 5) }, 0);
    }
    world.worker.wake();
    await vi.waitFor(async () => expect(await world.list("waiting")).toHaveLength(6), WAIT);
    expect(handedOver()).toEqual([]);
    world.buckets.setRate(1_000);
    await vi.waitFor(() => expect(handedOver()).toHaveLength(6), WAIT);
    const [one, two, three, four, five, six] = uidsOf(studies);
    expect(handedOver()).toEqual([five, four, three, two, one, six]);
  });

  it("W23: takes five at once after a rest, and leaves the others until there is a token for them", async () => {
    for (const { instances } of studies) await storeIn(site.vna, instances);
    await using world = await openWorld({ rate: 0.000_1, environment: { PIXL_MAX_MESSAGES_IN_FLIGHT: "10" } });
    for (const study of studies) await world.publish(study);
    await vi.waitFor(async () => expect(await world.list("done")).toHaveLength(5), WAIT);
    await vi.waitFor(async () => expect(await world.list("waiting")).toHaveLength(1), WAIT);
    expect(handedOver()).toHaveLength(5);
    world.buckets.setRate(1_000);
    await vi.waitFor(() => expect(handedOver()).toHaveLength(6), WAIT);
  });

  it("W6: passes what the primary archive has not to the secondary queue as it came, and finds it there", async () => {
    await storeIn(site.pacs, STUDY.instances);
    const passed: unknown[] = [];
    await using world = await openWorld({
      worker: ({ broker }) => ({
        broker: {
          async publish(publication) {
            passed.push(publication);
            await broker.publish(publication);
          },
        },
      }),
    });
    await world.publish(STUDY, PRIMARY, 4);
    await vi.waitFor(async () => expect(await world.list("done", SECONDARY)).toHaveLength(1), WAIT);
    expect(passed).toEqual([{ queue: SECONDARY, body: expect.anything(), priority: 4 }]);
    expect(
      (await world.list("done", SECONDARY)).map(({ body, priority }) => [String(Buffer.from(body)), priority]),
    ).toEqual([[bodyOf(STUDY).toString(), 4]]);
    expect(await world.list("done")).toMatchObject([{ progress: expect.stringContaining("forwarded") }]);
    expect(handedOver()).toEqual([STUDY.studyInstanceUid]);
  });

  it("W6: loses nothing when it dies between the secondary queue's confirmation and its own commit", async () => {
    let deaths = 0;
    await using world = await openWorld({
      worker: ({ store }) => ({
        store: {
          ...store,
          async settleInboxMessage(...settling) {
            deaths += 1;
            if (deaths === 1) throw new Error("the power was cut");
            return await store.settleInboxMessage(...settling);
          },
        },
      }),
    });
    await storeIn(site.pacs, STUDY.instances);
    await world.publish(STUDY);
    await vi.waitFor(async () => expect(await world.list("done", SECONDARY)).toHaveLength(1), WAIT);
    expect(handedOver()).toEqual([STUDY.studyInstanceUid]);
    // What the dead one held is given back at the next start.
    expect(await world.store.releaseInboxMessages(Date.now())).toBe(1);
  });

  it("W3: holds a message with its reason while anon is down, and hands over once it is back", async () => {
    await storeIn(site.vna, STUDY.instances);
    await using world = await openWorld();
    site.anon.status = 503;
    await world.publish(STUDY);
    await vi.waitFor(async () => {
      expect(await world.list("waiting")).toMatchObject([{ code: "HTTP_UNAVAILABLE", attempts: expect.any(Number) }]);
    }, WAIT);
    site.anon.status = undefined;
    await vi.waitFor(async () => expect(await world.list("done")).toHaveLength(1), WAIT);
    expect(handedOver()).toEqual([STUDY.studyInstanceUid]);
  });

  it("W3: parks with its reason what fails again and again, and goes on with the others", async () => {
    const [bad = STUDY, good = STUDY] = studies;
    await storeIn(site.vna, [...bad.instances, ...good.instances]);
    await using world = await openWorld({ environment: { PIXL_MAX_MESSAGES_IN_FLIGHT: "1" } });
    site.anon.status = 500;
    await world.publish(bad, PRIMARY, 5);
    await vi.waitFor(async () => expect(await world.broker.count(PARKED_QUEUE)).toBe(1), WAIT);
    site.anon.status = undefined;
    await world.publish(good);
    await vi.waitFor(() => expect(handedOver()).toEqual([good.studyInstanceUid]), WAIT);
    expect(await world.list("failed")).toMatchObject([{ code: "HTTP_SERVER_FAILED", attempts: 3 }]);
    const parked: unknown[] = [];
    const consumer = world.broker.consumer(PARKED_QUEUE, ({ body, headers, priority }) => {
      parked.push([String(body), headers?.["radferry-code"], headers?.["radferry-queue"], priority]);
    });
    consumer.start();
    await vi.waitFor(() => expect(parked).toHaveLength(1), WAIT);
    await consumer.close();
    expect(parked).toEqual([[bodyOf(bad).toString(), "HTTP_SERVER_FAILED", PRIMARY, 5]]);
  });

  it("W4: parks what the archive will not search for, though it answers, and goes on with the others", async () => {
    const [bad = STUDY, good = STUDY] = studies;
    await using archive = await startPracticeArchive({
      ...{ studies: [bad, good], aeTitle: "PRIMARYQR", destinations: [`PIXLRAW@127.0.0.1:${site.raw.port}`] },
      faults: { refuses: (identifier) => textOf(identifier, tags.StudyInstanceUID) === bad.studyInstanceUid },
    });
    const port = Number(archive.address.split(":").at(-1));
    await introduceModality(site.raw, "UCPRIMARYQR", { aeTitle: "PRIMARYQR", port });
    await using world = await openWorld({ environment: { PIXL_MAX_MESSAGES_IN_FLIGHT: "1" } });
    await world.publish(bad, PRIMARY, 5);
    await world.publish(good);
    await vi.waitFor(() => expect(handedOver()).toEqual([good.studyInstanceUid]), WAIT);
    expect(await world.list("failed")).toMatchObject([{ code: "DIMSE_FAILED", attempts: 3 }]);
    expect(await world.broker.count(PARKED_QUEUE)).toBe(1);
    await introduceModality(site.raw, "UCPRIMARYQR", site.vna);
  });

  it("waits for an archive that refuses every search, parks nothing for it, and goes on when it searches again", async () => {
    let isRefusing = true;
    let refusals = 0;
    await using archive = await startPracticeArchive({
      ...{ studies, aeTitle: "PRIMARYQR", destinations: [`PIXLRAW@127.0.0.1:${site.raw.port}`] },
      faults: {
        refuses() {
          if (isRefusing) refusals += 1;
          return isRefusing;
        },
      },
    });
    const port = Number(archive.address.split(":").at(-1));
    await introduceModality(site.raw, "UCPRIMARYQR", { aeTitle: "PRIMARYQR", port });
    const breaker = { failures: 5, firstRestMs: 300, longestRestMs: 300, probeMs: 1_000 };
    await using world = await openWorld({ breaker });
    for (const study of studies.slice(0, 3)) await world.publish(study);
    await vi.waitFor(async () => {
      const codes = (await world.list("waiting")).map(({ code }) => code);
      expect(codes).toContain("ARCHIVE_RESTING");
      expect(refusals).toBeGreaterThan(3 * 2 * QUICK.own.attempts);
    }, WAIT);
    expect(await world.list("failed")).toEqual([]);
    isRefusing = false;
    await vi.waitFor(async () => expect(await world.list("done")).toHaveLength(3), WAIT);
    expect(await world.broker.count(PARKED_QUEUE)).toBe(0);
    await introduceModality(site.raw, "UCPRIMARYQR", site.vna);
  });

  it("writes down what no archive has, and parks nothing for it", async () => {
    await using world = await openWorld();
    await world.publish(STUDY);
    await vi.waitFor(async () => {
      expect(await world.list("failed", SECONDARY)).toMatchObject([{ code: "PIXL_STUDY_NOT_FOUND", attempts: 1 }]);
    }, WAIT);
    expect(await world.broker.count(PARKED_QUEUE)).toBe(0);
  });

  it("W26: waits for the secondary archive's hours without asking again, and begins when they begin", async () => {
    await storeIn(site.pacs, STUDY.instances);
    const claims: ImagingQueue[] = [];
    const closed = clockFrom("2026-01-05T19:30:00Z");
    let leapMs = 0;
    const clock: Clock = { ...closed, nowMs: () => closed.nowMs() + leapMs };
    await using world = await openWorld({
      clock,
      worker: ({ store }) => ({
        store: {
          ...store,
          async claimInboxMessage(queue, ...rest) {
            const claimed = await store.claimInboxMessage(queue, ...rest);
            if (claimed !== undefined) claims.push(PRIMARY === queue ? PRIMARY : SECONDARY);
            return claimed;
          },
        },
      }),
    });
    await world.publish(STUDY, SECONDARY);
    await vi.waitFor(async () => {
      expect(await world.list("waiting", SECONDARY)).toMatchObject([
        { code: "PIXL_OUT_OF_HOURS", waitingUntilMs: Date.parse("2026-01-05T20:00:00.001Z") },
      ]);
    }, WAIT);
    expect(handedOver()).toEqual([]);
    leapMs = 1_800_000;
    world.worker.wake();
    await vi.waitFor(() => expect(handedOver()).toEqual([STUDY.studyInstanceUid]), WAIT);
    expect(claims).toEqual([SECONDARY, SECONDARY]);
  });

  it("keeps what is to be passed on while the broker is away", async () => {
    await storeIn(site.pacs, STUDY.instances);
    // Long enough between two tries to be seen waiting.
    const away = { attempts: 1_000, firstDelayMs: 1_000, maximumDelayMs: 1_000 };
    await using world = await openWorld({ rate: 0, retry: { ...QUICK, site: away } });
    await world.store.addInboxMessage({ queue: PRIMARY, body: bodyOf(STUDY), priority: 1 }, 0);
    await server.kill();
    world.worker.wake();
    world.buckets.setRate(1_000);
    await vi.waitFor(async () => {
      expect(await world.list("waiting")).toMatchObject([{ code: "PIXL_BROKER_UNAVAILABLE" }]);
    }, WAIT);
    await server.start();
    await vi.waitFor(() => expect(handedOver()).toEqual([STUDY.studyInstanceUid]), WAIT);
  });

  it("W24: leaves an archive alone that fails in a row, says so, and asks again after its rest", async () => {
    await storeIn(site.vna, STUDY.instances);
    const breaker = { failures: 2, firstRestMs: 500, longestRestMs: 500, probeMs: 10_000 };
    await using world = await openWorld({ breaker });
    await site.vna.kill();
    await world.publish(STUDY);
    await vi.waitFor(
      async () => expect(await world.list("waiting")).toMatchObject([{ code: "ARCHIVE_RESTING" }]),
      WAIT,
    );
    expect(await world.store.archiveCondition("pixl-primary")).toMatchObject({ breaker: { state: "open" } });
    await site.vna.start();
    await vi.waitFor(() => expect(handedOver()).toEqual([STUDY.studyInstanceUid]), WAIT);
  });

  it("gives back what a drain breaks off, for the next start to go on with", async () => {
    await storeIn(site.vna, STUDY.instances);
    await using world = await openWorld();
    // Never answered before the drain.
    const held = Promise.withResolvers<void>();
    site.anon.hold = held.promise;
    await world.publish(STUDY);
    await vi.waitFor(() => expect(site.anon.waiting).toBe(1), WAIT);
    await world.worker.drain(0);
    held.resolve();
    expect(await world.list("waiting")).toMatchObject([{ code: "CANCELLED", attempts: 0 }]);
    expect(JSON.parse((await world.list("waiting"))[0]?.progress ?? "{}")).toMatchObject({ handovers: 1 });
  });
});
