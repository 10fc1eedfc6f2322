import { expect, it, vi } from "vitest";
import { startWebServer } from "../../test/peers/dicomweb-server.ts";
import { createDicomWebArchive } from "../archive/dicomweb/dicomweb-archive.ts";
import type { InstanceTaker } from "../archive/http/staging-store.ts";
import { createRefusals } from "../archive/refusals.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openHttpClient } from "../network/http-client/http-client.ts";
import type { ClaimedJob } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { neverAborted } from "../units/abort.ts";
import { silentLogger } from "../units/logger.ts";
import { seededRandom } from "../units/random.ts";
import { noTraces } from "../units/traces.ts";
import { deidentifyAndDeliver } from "./deliver.ts";
import { runJob } from "./run-job.ts";
import type { PipelineServices } from "./services.ts";
import { createStudyLocks } from "./study-locks.ts";

vi.mock("./deliver.ts", { spy: true });

const NOW_MS = 1_000_000;

/** How a job ends whose archive answers every question so. */
async function settled(
  answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>> },
  isWithdrawn: PipelineServices["isWithdrawn"] = async () => false,
  { isNeeded = false, optOut = new Set<string>(), closed = false, isReloaded = false } = {},
) {
  await using server = await startWebServer(() => answer);
  await using archive = createDicomWebArchive({
    name: "web",
    client: openHttpClient({ baseUrl: server.url }),
    associations: 1,
    // Nothing is ever retrieved here.
    taker: {} as InstanceTaker,
  });
  const findStudies = async (): Promise<never> => {
    if (isReloaded) projects.set("trial", { name: "trial", archives: [archive], optOut });
    throw new GatewayError("ARCHIVE_CLOSED", { archive: "web", untilMs: NOW_MS + 3_600_000 });
  };
  const projects = new Map([
    ["trial", { name: "trial", archives: [closed ? { ...archive, findStudies } : archive], optOut }],
  ]);
  const settlements: unknown[] = [];
  const removed: string[] = [];
  const noteRemoved = async (...what: readonly string[]) => void removed.push(what.join(" "));
  const services = {
    store: {
      claimsOfJob: async () => [],
      events: async () => [],
      renew: () => Promise.resolve(true),
      change: () => Promise.resolve(true),
      settle: (_lease: unknown, settlement: unknown) => Promise.resolve(settlements.push(settlement) > 0),
      discardUnasked: (...what: readonly string[]) => noteRemoved("unasked", ...what),
      studyIsNeeded: async () => isNeeded,
    },
    staging: { removeStudy: (study: string) => noteRemoved("staged", study) },
    isWithdrawn,
    outbox: { remove: (job: string) => noteRemoved("outbox", job) },
    projects,
    retry: { attempts: 3, firstDelayMs: 1_000, maximumDelayMs: 1_000 },
    clock: { nowMs: () => NOW_MS, sleep: (_: number, signal: AbortSignal) => stopped(signal) },
    random: seededRandom(1),
    logger: silentLogger,
    traces: noTraces,
  } as unknown as PipelineServices;
  const job = { id: "1", project: "trial", stage: "locating", attempts: 0, studyInstanceUid: "1.2.3", patientId: "P1" };
  await runJob(services, { lease: { jobId: "1", token: "t" }, job } as unknown as ClaimedJob, neverAborted());
  return { settlements, removed };
}

function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

it.each([429, 503])(
  "waits as long as an archive that answers %i asks for, before it is asked again",
  async (status) => {
    const { settlements } = await settled({ status, headers: { "Retry-After": "3600" } });
    expect(settlements).toMatchObject([{ state: "waiting", dueAtMs: NOW_MS + 3_600_000, attempts: 1 }]);
  },
);

it("waits for the next opening of an archive that is closed", async () => {
  const { settlements } = await settled({ status: 500 }, undefined, { closed: true });
  expect(settlements).toMatchObject([{ state: "waiting", code: "ARCHIVE_CLOSED", dueAtMs: NOW_MS + 3_600_000 }]);
});

it("does not wait for an opening by settings that are in force no more: those who waited were woken before it did", async () => {
  const { settlements } = await settled({ status: 500 }, undefined, { closed: true, isReloaded: true });
  expect(settlements).toMatchObject([{ state: "waiting", code: "ARCHIVE_CLOSED", dueAtMs: NOW_MS }]);
});

it("leaves out a patient who was withdrawn, before any archive is asked", async () => {
  const { settlements, removed } = await settled({ status: 500 }, async () => true);
  expect(settlements).toMatchObject([{ state: "excluded", code: "PATIENT_WITHDRAWN" }]);
  expect(removed).toEqual(["outbox 1", "unasked trial 1.2.3", "staged 1.2.3"]);
});

it("tells in the study's timeline how it ended, and by which code", async () => {
  const [settlement] = (await settled({ status: 500 }, async () => true)).settlements;
  const event = { event: "excluded", detail: { code: "PATIENT_WITHDRAWN" } };
  expect(settlement).toMatchObject({ change: { events: [event] } });
});

it("keeps no images of a patient who opted out, but what is staged for another project's work", async () => {
  const optOut = new Set(["P1"]);
  const { settlements, removed } = await settled({ status: 500 }, undefined, { optOut, isNeeded: true });
  expect(settlements).toMatchObject([{ state: "excluded", code: "PATIENT_OPTED_OUT" }]);
  expect(removed).toEqual(["unasked trial 1.2.3"]);
});

it("waits while the withdrawn list cannot be read, and asks no archive", async () => {
  const { settlements, removed } = await settled({ status: 500 }, () =>
    Promise.reject(new GatewayError("WITHDRAWN_KEY_OTHER")),
  );
  expect(settlements).toMatchObject([{ state: "waiting", code: "WITHDRAWN_KEY_OTHER", attempts: 0 }]);
  expect(removed).toEqual([]);
});

it("backs off by itself where an archive does not say for how long", async () => {
  const [settlement] = (await settled({ status: 503 })).settlements;
  expect(settlement).toMatchObject({ state: "waiting", code: "HTTP_UNAVAILABLE", attempts: 1 });
  expect(settlement).toHaveProperty(
    "dueAtMs",
    expect.toSatisfy((dueAtMs: number) => dueAtMs <= NOW_MS + 1_000),
  );
});

it("names the archive that a study could not be looked for in, in its timeline and its record", async () => {
  const [settlement] = (await settled({ status: 503 })).settlements;
  const event = { event: "will be tried again", detail: { code: "HTTP_UNAVAILABLE", archive: "web" } };
  expect(settlement).toMatchObject({ change: { archive: "web", events: [event] } });
});

it("puts a job aside until its project comes back, and not when that happens while it is put aside", async () => {
  const known = new Map([["trial", {}]]);
  const outcomeWhen = async (...projects: readonly ReadonlyMap<string, unknown>[]) => {
    const settlements: unknown[] = [];
    const looks = [...projects];
    const services = {
      store: { settle: (_lease: unknown, settlement: unknown) => Promise.resolve(settlements.push(settlement) > 0) },
      get projects() {
        return looks.shift() ?? projects.at(-1);
      },
      clock: { nowMs: () => NOW_MS, sleep: (_: number, signal: AbortSignal) => stopped(signal) },
      logger: silentLogger,
      traces: noTraces,
    } as unknown as PipelineServices;
    const job = { id: "1", project: "trial", stage: "locating", attempts: 0 };
    await runJob(services, { lease: { jobId: "1", token: "t" }, job } as unknown as ClaimedJob, neverAborted());
    return settlements;
  };
  expect(await outcomeWhen(new Map())).toMatchObject([{ code: "PROJECT_UNKNOWN", dueAtMs: NOW_MS + 900_000 }]);
  expect(await outcomeWhen(new Map(), known)).toMatchObject([{ code: "PROJECT_UNKNOWN", dueAtMs: NOW_MS }]);
});

/** A job that goes through its stages, and what its archive was asked and it settled by. */
async function run({
  job = {},
  services = {},
  asked = () => undefined,
  staged = [],
}: {
  readonly job?: Partial<ClaimedJob["job"]>;
  readonly services?: Partial<Record<keyof Store, unknown>> & Partial<Pick<PipelineServices, "isWithdrawn">>;
  /** Called with whatever the archive is asked. */
  readonly asked?: (what: string, stop: AbortController) => unknown;
  readonly staged?: readonly object[];
}) {
  const { isWithdrawn = async () => false, ...store } = services;
  const stop = new AbortController();
  const questions: string[] = [];
  const settlements: unknown[] = [];
  const ask = async (what: string): Promise<unknown> => {
    questions.push(what);
    return await asked(what, stop);
  };
  const archive = {
    name: "pacs",
    findStudies: async () => {
      await ask("find");
      return [{ studyInstanceUid: "1.2.3", patientId: "P1", accessionNumber: "" }];
    },
    listStudy: async () => {
      await ask("list");
      return { kind: "instances", instances: [{ seriesInstanceUid: "1.2.3.1", sopInstanceUid: "1.2.3.1.1" }] };
    },
    retrieve: () => ask("retrieve"),
  };
  let sleptMs = 0;
  const record = { id: "1", project: "trial", stage: "locating", attempts: 0, studyInstanceUid: "1.2.3", ...job };
  const located = { ...record, stage: "retrieving", archive: "pacs", patientId: "P1" };
  const all = {
    store: {
      claimsOfJob: async () => [],
      events: async () => [],
      renew: async () => true,
      change: async () => true,
      located: async () => located,
      settle: async (_: unknown, settlement: unknown) => settlements.push(settlement) > 0,
      discardUnasked: async () => undefined,
      studyIsNeeded: async () => true,
      ...store,
    },
    staging: { isBelowReserve: async () => false, list: async () => staged, sync: async () => undefined },
    studyLocks: createStudyLocks(),
    refusals: createRefusals(),
    isWithdrawn,
    outbox: { remove: async () => undefined },
    projects: new Map([["trial", { name: "trial", archives: [archive], optOut: new Set() }]]),
    retry: { attempts: 3, firstDelayMs: 1_000, maximumDelayMs: 1_000 },
    clock: {
      nowMs: () => NOW_MS + sleptMs,
      async sleep(durationMs: number, signal: AbortSignal) {
        if (store.renew === undefined) await stopped(signal);
        sleptMs += durationMs;
      },
    },
    random: seededRandom(1),
    logger: silentLogger,
    traces: noTraces,
  } as unknown as PipelineServices;
  const claimed = { lease: { jobId: "1", token: "t" }, job: record } as unknown as ClaimedJob;
  const end = await runJob(all, claimed, stop.signal).catch((thrown: unknown) => thrown);
  return { end, questions, settlements };
}

it("asks nothing more of a patient who was withdrawn, as soon as it is known who that is, and before each stage", async () => {
  const excluded = [{ state: "excluded", code: "PATIENT_WITHDRAWN" }];
  const asLocated = await run({ services: { isWithdrawn: async () => true } });
  expect(asLocated).toMatchObject({ questions: ["find"], settlements: excluded });
  let isFetched = false;
  const meanwhile = await run({
    services: { isWithdrawn: async () => isFetched },
    asked(what) {
      isFetched = what === "retrieve";
    },
  });
  expect(meanwhile).toMatchObject({ questions: ["find", "list", "retrieve"], settlements: excluded });
});

it("looks for a study anew whose archive was taken out of its project", async () => {
  const { questions } = await run({ job: { stage: "verifying", archive: "gone" } });
  expect(questions[0]).toBe("find");
});

it("fails a job whose last try failed, and no sooner", async () => {
  const asked = (): never => {
    throw new GatewayError("CONNECTION_FAILED");
  };
  const after = async (attempts: number) => (await run({ job: { attempts }, asked })).settlements;
  expect(await after(1)).toMatchObject([{ state: "waiting", code: "CONNECTION_FAILED", attempts: 2 }]);
  expect(await after(2)).toMatchObject([{ state: "failed", code: "CONNECTION_FAILED", attempts: 3 }]);
});

it("leaves a job as it is journalled that is stopped, is somebody else's by now, or cannot be renewed", async () => {
  const stopping = await run({
    asked: (_, stop) => {
      stop.abort(new Error("stop"));
      throw new Error("stopped");
    },
  });
  expect(stopping).toEqual({ end: undefined, questions: ["find"], settlements: [] });
  const taken = await run({ services: { change: async () => false } });
  expect(taken).toEqual({ end: undefined, questions: ["find", "list"], settlements: [] });
  const lost = { renew: async () => false };
  const broken = { renew: () => Promise.reject(new GatewayError("STORE_UNAVAILABLE")) };
  const asked = () => new Promise((_, reject) => setImmediate(reject, new GatewayError("CONNECTION_FAILED")));
  expect(await run({ services: lost, asked })).toEqual({ end: undefined, questions: ["find"], settlements: [] });
  const unreachable = await run({ services: broken, asked });
  expect(unreachable).toMatchObject({ end: { code: "STORE_UNAVAILABLE" }, settlements: [] });
});

it("has a study delivered with the verdict that was found just now: its report tells it", async () => {
  const verdicts: unknown[] = [];
  vi.mocked(deidentifyAndDeliver).mockImplementationOnce(async ({ job }) => {
    verdicts.push(job.verdict);
    return { kind: "end", state: "held", code: "INSTANCES_MISSING" };
  });
  const staged = [{ seriesInstanceUid: "1.2.3.1", sopInstanceUid: "1.2.3.1.1" }];
  await run({ job: { stage: "verifying", archive: "pacs" }, staged });
  expect(verdicts).toEqual(["complete"]);
});
