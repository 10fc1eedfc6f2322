import { expect, it } from "vitest";
import { startWebServer } from "../../test/peers/dicomweb-server.ts";
import { createDicomWebArchive } from "../archive/dicomweb/dicomweb-archive.ts";
import type { InstanceTaker } from "../archive/http/staging-store.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openHttpClient } from "../network/http-client/http-client.ts";
import type { ClaimedJob } from "../store/records.ts";
import { neverAborted } from "../units/abort.ts";
import { silentLogger } from "../units/logger.ts";
import { seededRandom } from "../units/random.ts";
import { noTraces } from "../units/traces.ts";
import { runJob } from "./run-job.ts";
import type { PipelineServices } from "./services.ts";

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
