import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { makeDatabase, type TestDatabase } from "../../store/postgres/support.testing.ts";
import { createSharedPermits } from "../../store/shared-permits.ts";
import type { Store } from "../../store/store.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { createManualClock, type ManualClock } from "../../units/manual-clock.testing.ts";
import { seededRandom } from "../../units/random.ts";
import type { Archive, RetrieveRequest } from "../archive.ts";
import { createSharedAssociations } from "./associations.ts";
import { type GovernedArchive, governArchive } from "./govern-archive.ts";
import { limitRequests } from "./limit-requests.ts";
import type { Pace } from "./pace.ts";
import { type AvailabilityPolicy, BREAKER_POLICY } from "./policy.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const signal = neverAborted();

describe.runIf(requirePeer("initdb"))("what two gateways on one PostgreSQL may ask of an archive", () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let clock: ManualClock;
  let north: Store;
  let east: Store;
  let answer: (request?: RetrieveRequest) => Promise<void>;
  /** As they were set last. */
  let bytesPerSecond: (number | undefined)[];
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await using opened = new AsyncDisposableStack();
    database = opened.use(await makeDatabase(server));
    north = opened.use(await database.open({ timeOf: "callers", poolSize: 2 }));
    east = opened.use(await database.open({ timeOf: "callers", poolSize: 2 }));
    clock = createManualClock(1_000);
    answer = () => Promise.resolve();
    bytesPerSecond = [];
    const closing = opened.move();
    return () => closing.disposeAsync();
  });

  function governed(store: Store, facts: Partial<AvailabilityPolicy> = {}): GovernedArchive {
    const archive: Archive = {
      name: "vna",
      kind: "dicomweb",
      capabilities: { search: "itself", lists: "instances", retrieves: "instance", connects: "us" },
      associations: 2,
      echo: () => answer(),
      findStudies: async () => [],
      find: async function* () {},
      listStudy: async () => ({ kind: "unknown" }),
      async retrieve(request) {
        await answer(request);
        return { status: 0, completed: 1, failed: 0 };
      },
      rehearseRetrieval: async () => ({ kind: "nothing-to-try" }),
      async [Symbol.asyncDispose]() {},
    };
    const policy = { windows: undefined, timeZone: undefined, studiesPerMinute: undefined, bytesPerSecond: undefined };
    const pace: Pace = { take: () => undefined, set: (rate) => void bytesPerSecond.push(rate) };
    return governArchive(archive, { policy: { ...policy, ...facts }, store, clock, pace, sharers: () => 2 });
  }

  const retrieve = (archive: GovernedArchive) => archive.retrieve({ studyInstanceUid: STUDY }, signal);
  const refusal = (code: string, details = {}) =>
    expect.objectContaining({ code, details: expect.objectContaining(details) });

  it("is so many studies a minute of both together", async () => {
    const [one, other] = [governed(north, { studiesPerMinute: 6 }), governed(east, { studiesPerMinute: 6 })];
    await retrieve(one);
    await expect(retrieve(other)).rejects.toEqual(refusal("ARCHIVE_RATE_LIMITED", { untilMs: 11_000 }));
    await clock.advance(10_000);
    await retrieve(other);
    await expect(retrieve(one)).rejects.toEqual(refusal("ARCHIVE_RATE_LIMITED"));
  });

  it("is half of the bytes a second for each", async () => {
    await retrieve(governed(north, { bytesPerSecond: 1_000 }));
    expect(bytesPerSecond).toEqual([500]);
  });

  it("is nothing while it rests, and one question of one of them as a probe", async () => {
    const [one, other] = [governed(north), governed(east)];
    answer = () => Promise.reject(new GatewayError("CONNECTION_FAILED"));
    for (let failure = 0; failure < BREAKER_POLICY.failures; failure += 1)
      await expect(retrieve(failure % 2 === 0 ? one : other)).rejects.toEqual(refusal("CONNECTION_FAILED"));
    await expect(retrieve(one)).rejects.toEqual(refusal("ARCHIVE_RESTING"));
    await expect(retrieve(other)).rejects.toEqual(refusal("ARCHIVE_RESTING"));
    await clock.advance(BREAKER_POLICY.firstRestMs);
    const { promise: answered, resolve: end } = Promise.withResolvers<void>();
    const { promise: asked, resolve: begin } = Promise.withResolvers<void>();
    answer = () => {
      begin();
      return answered;
    };
    const probe = retrieve(other);
    await asked;
    await expect(retrieve(one)).rejects.toEqual(refusal("ARCHIVE_RESTING"));
    end();
    await probe;
    await retrieve(one);
  });

  it("is nothing while it asked one of them to be left alone, until that time or an echo that it answers", async () => {
    const [one, other] = [governed(north), governed(east)];
    const asking = new GatewayError("HTTP_TOO_MANY_REQUESTS", { status: 429, retryAfterMs: 60_000 });
    answer = () => Promise.reject(asking);
    await expect(retrieve(one)).rejects.toBe(asking);
    answer = () => Promise.resolve();
    for (const each of [other, one])
      await expect(retrieve(each)).rejects.toEqual(refusal("ARCHIVE_ASKED_TO_WAIT", { untilMs: 61_000 }));
    await expect(other.whileOpen(() => answer(), signal)).rejects.toEqual(refusal("ARCHIVE_ASKED_TO_WAIT"));
    // Another process of the same node, or the same after a restart.
    await expect(retrieve(governed(north))).rejects.toEqual(refusal("ARCHIVE_ASKED_TO_WAIT"));
    await clock.advance(59_999);
    await expect(retrieve(other)).rejects.toEqual(refusal("ARCHIVE_ASKED_TO_WAIT"));
    await clock.advance(1);
    await retrieve(other);
    answer = () => Promise.reject(asking);
    await expect(retrieve(other)).rejects.toBe(asking);
    answer = () => Promise.resolve();
    await other.echo(signal);
    await retrieve(one);
  });

  it("is nothing further of a retrieval that is under way when it asks another of them to be left alone", async () => {
    const [one, other] = [governed(north), governed(east)];
    const { promise: begun, resolve: begin } = Promise.withResolvers<() => boolean>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    answer = (request) => {
      begin(request?.isSpared ?? (() => false));
      return ended;
    };
    const underWay = retrieve(other);
    const isSpared = await begun;
    answer = () => Promise.reject(new GatewayError("HTTP_UNAVAILABLE", { status: 503, retryAfterMs: 3_600_000 }));
    await expect(retrieve(one)).rejects.toEqual(refusal("HTTP_UNAVAILABLE"));
    expect(isSpared()).toBe(false);
    await vi.waitFor(
      async () => {
        await clock.advance(1_000);
        expect(isSpared()).toBe(true);
      },
      { timeout: 20_000 },
    );
    end();
    expect(await underWay).toMatchObject({ completed: 1 });
  });

  it("is what an operator last said at either of them", async () => {
    const [one, other] = [governed(north), governed(east)];
    await north.setArchiveControls("vna", { paused: true }, clock.nowMs());
    await expect(retrieve(other)).rejects.toEqual(refusal("ARCHIVE_PAUSED"));
    await east.setArchiveControls(
      "vna",
      { paused: false, overrides: { windows: ["Mon 03:00-03:01"], timeZone: "UTC" } },
      0,
    );
    await expect(retrieve(one)).rejects.toEqual(refusal("ARCHIVE_CLOSED"));
    await north.setArchiveControls("vna", { overrides: { windows: null, studiesPerMinute: 6 } }, clock.nowMs());
    await retrieve(one);
    await expect(retrieve(other)).rejects.toEqual(refusal("ARCHIVE_RATE_LIMITED"));
  });

  it("is so many HTTP requests at once, until their answers are read", async () => {
    const LIMIT = 2;
    let open = 0;
    let most = 0;
    const release: (() => void)[] = [];
    await using web = await startHttpServer((_request, response) => {
      open += 1;
      most = Math.max(most, open);
      response.on("close", () => {
        open -= 1;
      });
      release.push(() => response.end("done"));
    });
    const clientOf = (node: string, store: Store): HttpClient => {
      const permits = createSharedPermits({ store, node, clock: systemClock, random: seededRandom(1) });
      const limit = { resource: "archive:vna", limit: LIMIT };
      return limitRequests(
        openHttpClient({ baseUrl: web.url, connections: 8 }),
        createSharedAssociations({ permits, clock: systemClock }, limit),
      );
    };
    await using one = clientOf("north", north);
    await using other = clientOf("east", east);
    let done = 0;
    const ask = async (client: HttpClient): Promise<void> => {
      await using response = await client.request({});
      for await (const _ of response.body);
      done += 1;
    };
    const all = Promise.all(Array.from({ length: 12 }, (_, index) => ask(index % 2 === 0 ? one : other)));
    // None is answered before.
    await vi.waitFor(() => expect(open).toBe(LIMIT), { timeout: 20_000 });
    while (done < 12) {
      release.shift()?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await all;
    expect(most).toBe(LIMIT);
  });
});
