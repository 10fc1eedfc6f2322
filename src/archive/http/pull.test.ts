import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
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

/** A service from which an answer never comes, as seen by who waits for its end: a byte now and then keeps its connection alive. */
async function withDrippingService() {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const [clock, logger, random] = [systemClock, silentLogger, systemRandom];
  const options = { path: `${path}/staging`, reserveBytes: 0, disk: systemDisk, logger };
  const staging = stack.use(await openStagingArea(options));
  const asked = Promise.withResolvers<void>();
  const client: HttpClient = {
    request: ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        asked.resolve();
      }),
    async [Symbol.asyncDispose]() {},
  };
  const taker = {
    ...{ staging, clock, random, pace: createPace(clock) },
    ...{ expectations: createExpectations(clock), refusals: createRefusals() },
  };
  const archive = stack.use(createDicomWebArchive({ name: "web", client, associations: 1, taker }));
  return { archive, asked: asked.promise, [Symbol.asyncDispose]: () => stack.disposeAsync() };
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
