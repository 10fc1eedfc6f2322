import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { RESPONSE_STATUS } from "../../network/ihe/names.ts";
import type { ImagingDocumentSetRequest } from "../../network/ihe/responder/request-reader.ts";
import { type ResponderOptions, startRad69Responder } from "../../network/ihe/responder/responder.ts";
import { someInstances, sourceOf } from "../../network/ihe/testing/instances.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import type { Archive, StudyListing } from "../archive.ts";
import { createPace } from "../availability/pace.ts";
import { createExpectations } from "../expectations.ts";
import { createRefusals } from "../refusals.ts";
import { createRad69Archive } from "./rad69-archive.ts";

const held = someInstances(8);
const STUDY = parseStudyInstanceUid(held[0]?.studyInstanceUid ?? "");
/** As the archive that is searched lists them: one more than the source still holds. */
const listing: StudyListing = {
  kind: "instances",
  instances: [...held, { ...held[0], sopInstanceUid: "1.2.826.0.1.3680043.9.77" }].map((each) => ({
    seriesInstanceUid: parseSeriesInstanceUid(each.seriesInstanceUid ?? ""),
    sopInstanceUid: parseSopInstanceUid(each.sopInstanceUid),
    sopClassUid: undefined,
  })),
};
const searched = { listStudy: () => Promise.resolve(listing) } as unknown as Archive;

/** The study is retrieved as a job does it at first: by what the searched archive lists. */
async function retrieved(responder: Partial<ResponderOptions>) {
  let requests = 0;
  await using source = await startRad69Responder({
    source: sourceOf(held),
    ...responder,
    async alter(plan, request) {
      requests += 1;
      return (await responder.alter?.(plan, request)) ?? plan;
    },
  });
  await using folder = await temporaryFolder();
  const options = { path: `${folder.path}/staging`, reserveBytes: 0, disk: systemDisk, logger: silentLogger };
  await using staging = await openStagingArea(options);
  const clock = systemClock;
  const taker = {
    ...{ staging, clock, random: systemRandom, pace: createPace(clock) },
    ...{ expectations: createExpectations(clock), refusals: createRefusals() },
  };
  const client = { http: openHttpClient({ baseUrl: source.url }), url: source.url };
  await using archive = createRad69Archive({ name: "rids", client, associations: 1, taker, searched });
  const result = await archive.retrieve({ studyInstanceUid: STUDY, job: "job" }, neverAborted());
  return { result, staged: (await staging.list(STUDY)).length, requests };
}

describe("a source that fails a whole request for the sake of one instance gives the others all the same", () => {
  it("where it names that instance", async () => {
    const { result, staged, requests } = await retrieved({ profile: "vitrea" });
    expect(staged).toBe(held.length);
    expect(result).toMatchObject({ completed: held.length, failed: 1 });
    expect(requests).toBe(2);
  });

  it("where it does not", async () => {
    const alter: ResponderOptions["alter"] = (plan) => ({
      ...plan,
      errors: plan.errors.map((error) => ({ ...error, location: "" })),
    });
    const { staged, requests } = await retrieved({ profile: "vitrea", alter });
    expect(staged).toBe(held.length);
    expect(requests).toBeLessThanOrEqual(9);
  });

  it("where it is too much at once", async () => {
    const alter: ResponderOptions["alter"] = (plan, request) => {
      if (request.documents.length <= 3) return plan;
      const error = { errorCode: "urn:dicom:wado:0005", codeContext: "", severity: "error", location: "" } as const;
      return { ...plan, status: RESPONSE_STATUS.failure, errors: [error], documents: [], parts: [] };
    };
    const { staged } = await retrieved({ alter });
    expect(staged).toBe(held.length);
  });
});

describe("a source that fails a whole request over one instance, which may come another time,", () => {
  const [, away] = held;
  const isAskedFor = (request: ImagingDocumentSetRequest): boolean =>
    request.documents.some(({ documentUniqueId }) => documentUniqueId === away?.sopInstanceUid);
  const fault = {
    httpStatus: 500,
    fault: { code: "Receiver", reason: "" },
    errors: [],
    documents: [],
    parts: [],
  } as const;

  it("gives the others where it names that instance", async () => {
    const alter: ResponderOptions["alter"] = (plan, request) => {
      if (!isAskedFor(request)) return plan;
      const location = away?.sopInstanceUid ?? "";
      const error = { errorCode: "urn:dicom:wado:0003", codeContext: "", severity: "error", location } as const;
      return { ...plan, status: RESPONSE_STATUS.failure, errors: [error], documents: [], parts: [] };
    };
    const { result, staged, requests } = await retrieved({ alter });
    expect(staged).toBe(held.length - 1);
    expect(result).toMatchObject({ completed: held.length - 1, failed: 2 });
    expect(requests).toBe(2);
  });

  it("gives the others where it does not", async () => {
    const alter: ResponderOptions["alter"] = (plan, request) => (isAskedFor(request) ? { ...plan, ...fault } : plan);
    const { staged, requests } = await retrieved({ alter });
    expect(staged).toBe(held.length - 1);
    expect(requests).toBeLessThanOrEqual(9);
  });

  it("is not asked on and on where it fails for all", async () => {
    let requests = 0;
    const alter: ResponderOptions["alter"] = (plan) => {
      requests += 1;
      return { ...plan, ...fault };
    };
    await expect(retrieved({ alter })).rejects.toMatchObject({ code: "RAD69_FAULT_RECEIVER" });
    expect(requests).toBeLessThanOrEqual(8);
  });
});
