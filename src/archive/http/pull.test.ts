import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { statusError } from "../../network/http-client/http-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import { createPace } from "../availability/pace.ts";
import { createDicomWebArchive } from "../dicomweb/dicomweb-archive.ts";
import { createExpectations } from "../expectations.ts";
import { createRefusals } from "../refusals.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const STUDY = parseStudyInstanceUid("1.2.3");

/** An archive whose service answers so. */
async function withService(request: HttpClient["request"]) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const [clock, logger, random] = [systemClock, silentLogger, systemRandom];
  const options = { path: `${path}/staging`, reserveBytes: 0, disk: systemDisk, logger };
  const staging = stack.use(await openStagingArea(options));
  const client: HttpClient = { request, async [Symbol.asyncDispose]() {} };
  const taker = {
    ...{ staging, clock, random, pace: createPace(clock) },
    ...{ expectations: createExpectations(clock), refusals: createRefusals() },
  };
  const archive = stack.use(createDicomWebArchive({ name: "web", client, associations: 1, taker }));
  return { archive, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A service from which an answer never comes, as seen by who waits for its end: a byte now and then keeps its connection alive. */
async function withDrippingService() {
  const asked = Promise.withResolvers<void>();
  const service = await withService(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        asked.resolve();
      }),
  );
  return { ...service, asked: asked.promise };
}

it.each([
  ["lists a study", 6, "listStudy"],
  ["finds one", 6, "findStudies"],
  ["brings an instance", 24, "retrieve"],
] as const)("does not wait for ever for a service that drips, and never %s", async (_, hours, question) => {
  await using service = await withDrippingService();
  const { archive, asked } = service;
  const signal = neverAborted();
  const answer = {
    listStudy: () => archive.listStudy(STUDY, signal),
    findStudies: () => archive.findStudies({ by: "study-uid", studyInstanceUid: STUDY }, signal),
    retrieve: () => archive.retrieve({ studyInstanceUid: STUDY }, signal),
  }[question]();
  const ended = expect(answer).rejects.toMatchObject({ code: "TIMED_OUT", class: "transient" });
  await asked;
  vi.advanceTimersByTime(hours * 3_600_000);
  await ended;
});

it.each([
  ["asks to be left alone for a while", 429, { "retry-after": "60" }, { class: "transient", retryAfterMs: 60_000 }],
  ["is away", 503, {}, { class: "transient", retryAfterMs: undefined }],
])("tells of nothing that came that the service %s, whatever it lacks", async (_, status, headers, told) => {
  const lacking = statusError(404, new Map(), 0);
  const errors = [lacking, statusError(status, new Map(Object.entries(headers)), 0)];
  await using service = await withService(async () => {
    throw errors.shift() ?? lacking;
  });
  const instances = ["1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.3"].map((uid) => ({
    sopInstanceUid: parseSopInstanceUid(uid),
    seriesInstanceUid: parseSeriesInstanceUid("1.2.3.4"),
    sopClassUid: undefined,
  }));
  const retrieved = service.archive.retrieve({ studyInstanceUid: STUDY, instances }, neverAborted());
  await expect(retrieved).rejects.toMatchObject(told);
});
