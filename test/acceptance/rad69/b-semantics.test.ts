import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { judge } from "../../../src/network/ihe/judge.ts";
import { RESPONSE_STATUS } from "../../../src/network/ihe/names.ts";
import type { SoughtDocument } from "../../../src/network/ihe/responder/plan.ts";
import {
  content,
  duplicate,
  type Fault,
  failure,
  fault,
  missing,
  page,
  partWithoutResponse,
  registryError,
  responseWithoutPart,
  statusOf,
  unrequested,
} from "../../../src/network/ihe/testing/faults.ts";
import { someInstances } from "../../../src/network/ihe/testing/instances.ts";
import { rehearse } from "../../../src/network/ihe/testing/rehearsal.ts";

const all = someInstances(5);
const [first, second, third] = all;
if (first === undefined || second === undefined || third === undefined) throw new Error("no instances");
const held = [first, second, third];
const stranger = all[4] ?? first;

/** What a retrieval of the three makes of an answer; nothing is ever kept that is not the source's. */
async function retrieveWith(alter: Fault, options: Partial<Parameters<typeof rehearse>[0]> = {}) {
  const result = await rehearse({ held: all, asked: held, responder: { alter }, ...options });
  expect(result.wrong).toEqual([]);
  expect(result.files).toEqual(result.delivered.map((uid) => `${uid}.dcm`).sort());
  return result;
}

it("B1 success: all of it", async () => {
  const result = await retrieveWith((plan) => plan);
  expect(result).toMatchObject({ codes: [], requests: 1, unexpected: 0, duplicates: 0 });
  expect(result.delivered.length).toBe(3);
});

it("B2 partial success: what came, and the error of each that did not", async () => {
  const error = registryError("XDSDocumentUniqueIdError", second.sopInstanceUid);
  const { delivered, outcomes } = await retrieveWith(missing(second.sopInstanceUid, [error]));
  expect(delivered).toEqual([first.sopInstanceUid, third.sopInstanceUid]);
  expect(outcomes.get(second.sopInstanceUid)).toMatchObject({
    state: "failed",
    error: {
      name: "XdsMissingDocumentError",
      code: "RAD69_DOCUMENT_MISSING",
      errors: [error],
      instances: [second.sopInstanceUid],
    },
  });
});

it.each(["multipart", "plain"] as const)("B3 failure, %s", async (framing) => {
  const errors = held.map(({ sopInstanceUid }) => registryError("XDSMissingDocument", sopInstanceUid));
  const { codes, delivered } = await retrieveWith(failure(errors, framing));
  expect(delivered).toEqual([]);
  expect(codes).toEqual(["RAD69_DOCUMENT_MISSING", "RAD69_DOCUMENT_MISSING", "RAD69_DOCUMENT_MISSING"]);
});

it("B4 success with warnings: delivered, and said", async () => {
  const warning = registryError("urn:dicom:wado:0002", first.sopInstanceUid, "warning");
  const { outcomes, codes } = await retrieveWith(statusOf(RESPONSE_STATUS.success, [warning]));
  expect(codes).toEqual([]);
  expect(outcomes.get(first.sopInstanceUid)).toMatchObject({ state: "delivered", warnings: [warning] });
  expect(outcomes.get(second.sopInstanceUid)).toMatchObject({ state: "delivered", warnings: [] });
});

describe("B5 success that is none", () => {
  it("a document is missing without a word", async () => {
    const { codes, delivered } = await retrieveWith(missing(first.sopInstanceUid, []));
    expect({ codes, count: delivered.length }).toEqual({ codes: ["RAD69_DOCUMENT_NOT_SENT"], count: 2 });
  });

  it("a part that the envelope does not list is kept when it says itself that it was asked for", async () => {
    expect(await retrieveWith(partWithoutResponse)).toMatchObject({ codes: [], unexpected: 0 });
  });

  it("a document is listed and its part does not come", async () => {
    const { codes, delivered } = await retrieveWith(responseWithoutPart);
    expect({ codes, count: delivered.length }).toEqual({ codes: ["RAD69_DOCUMENT_NOT_SENT"], count: 2 });
  });

  it("a document comes twice, and one that nobody asked for", async () => {
    expect(await retrieveWith(duplicate)).toMatchObject({ codes: [], duplicates: 1, unexpected: 0 });
    expect(await retrieveWith(unrequested(stranger))).toMatchObject({ codes: [], duplicates: 0, unexpected: 1 });
  });

  it("a document holds another instance", async () => {
    const { codes, outcomes } = await retrieveWith(content(stranger.file));
    expect(codes).toEqual(["INSTANCE_MISMATCH"]);
    const outcome = outcomes.get(first.sopInstanceUid);
    const text = JSON.stringify(outcome?.state === "failed" ? outcome.error : {});
    for (const { sopInstanceUid } of all) expect(text).not.toContain(sopInstanceUid);
  });

  it("an instance is of another series than was asked for", async () => {
    const asked = held.map((one) => ({ ...one, seriesInstanceUid: "1.2.3" }));
    const lenient: Fault = (plan) => plan;
    const source = { find: ({ documentUniqueId }: SoughtDocument) => Promise.resolve(sources.get(documentUniqueId)) };
    const { codes } = await retrieveWith(lenient, { asked, responder: { source } });
    expect(new Set(codes)).toEqual(new Set(["INSTANCE_MISMATCH"]));
  });
});

/** As dcm4chee does it: found by SOP Instance UID, whatever series is asked for. */
const sources = new Map(
  held.map(({ sopInstanceUid, studyInstanceUid, transferSyntaxUid, file }) => [
    sopInstanceUid,
    {
      sopInstanceUid,
      studyInstanceUid,
      seriesInstanceUid: "1.2.3",
      transferSyntaxUid,
      sizeBytes: file.length,
      async *open() {
        yield file;
      },
    },
  ]),
);

describe("B6 error codes", () => {
  it.each([
    ["XDSDocumentUniqueIdError", "RAD69_DOCUMENT_MISSING"],
    ["XDSMissingDocument", "RAD69_DOCUMENT_MISSING"],
    ["XDSUnknownRepositoryId", "RAD69_REPOSITORY_UNKNOWN"],
    ["XDSIUnknownIdsUid", "RAD69_REPOSITORY_UNKNOWN"],
    ["XDSMissingHomeCommunityId", "RAD69_COMMUNITY_UNKNOWN"],
    ["XDSUnknownCommunity", "RAD69_COMMUNITY_UNKNOWN"],
    ["XDSUnavailableCommunity", "RAD69_COMMUNITY_UNAVAILABLE"],
    ["XDSRepositoryBusy", "RAD69_REPOSITORY_BUSY"],
    ["XDSRepositoryOutOfResources", "RAD69_REPOSITORY_BUSY"],
    ["XDSRepositoryError", "RAD69_REPOSITORY_FAILED"],
    ["XDSResultNotSinglePatient", "RAD69_REQUEST_REFUSED"],
    ["XDSIRequestError", "RAD69_REQUEST_REFUSED"],
    ["urn:dicom:wado:0003", "RAD69_DOCUMENT_OFFLINE"],
    ["urn:dicom:wado:0007", "RAD69_TRANSFER_SYNTAX_REFUSED"],
    ["urn:dicom:wado:0010", "RAD69_REQUEST_REFUSED"],
    ["urn:dicom:wado:0014", "RAD69_REPOSITORY_FAILED"],
    ["urn:dicom:wado:0017", "RAD69_DOCUMENT_MISSING"],
    ["AnythingElse", "RAD69_SERVER_ERROR"],
  ])("%s is %s", (errorCode, code) => {
    const { sopInstanceUid } = first;
    for (const location of [sopInstanceUid, "", "IdsActorSimulator"]) {
      const errors = [registryError(errorCode, location)];
      const { failures } = judge({ fault: undefined, errors }, [sopInstanceUid], new Map());
      expect(failures.get(sopInstanceUid)?.code).toBe(code);
    }
  });

  it("with no location, or one that says nothing, are those of what did not come", async () => {
    for (const location of ["", "IdsActorSimulator"]) {
      const error = registryError("XDSRepositoryError", location);
      const { codes, delivered } = await retrieveWith(missing(first.sopInstanceUid, [error]));
      expect({ codes, count: delivered.length }).toEqual({ codes: ["RAD69_REPOSITORY_FAILED"], count: 2 });
    }
  });

  it("of a failure without locations are those of all", async () => {
    const { outcomes } = await retrieveWith(failure([registryError("XDSRepositoryBusy", "")]));
    const failed = [...outcomes.values()].map((one) => (one.state === "failed" ? one.error.code : ""));
    expect(failed).toEqual(["RAD69_REPOSITORY_BUSY", "RAD69_REPOSITORY_BUSY", "RAD69_REPOSITORY_BUSY"]);
  });
});

it("B7 a status that contradicts the rest decides nothing: what came counts", async () => {
  const error = registryError("XDSRepositoryError", "");
  for (const status of [...Object.values(RESPONSE_STATUS), "urn:unheard:of", ""]) {
    expect((await retrieveWith(statusOf(status, [error]))).codes).toEqual([]);
  }
});

describe("B8 faults", () => {
  it.each([
    ["Receiver", 500, "plain", "RAD69_FAULT_RECEIVER"],
    ["Sender", 400, "plain", "RAD69_FAULT_SENDER"],
    ["Receiver", 200, "plain", "RAD69_FAULT_RECEIVER"],
    ["Sender", 200, "multipart", "RAD69_FAULT_SENDER"],
    ["Sender", 500, "multipart", "RAD69_FAULT_SENDER"],
  ] as const)("%s with status %i, %s", async (code, status, framing, expected) => {
    const { outcomes } = await retrieveWith(fault(code, status, framing));
    expect(outcomes.get(first.sopInstanceUid)).toMatchObject({
      error: { code: expected, details: { code, subcode: "ActionNotSupported" } },
    });
  });

  it("of SOAP 1.1", async () => {
    const envelope = "http://schemas.xmlsoap.org/soap/envelope/";
    const body = `<e:Envelope xmlns:e="${envelope}"><e:Body><e:Fault><faultcode>e:Server</faultcode><faultstring>x</faultstring></e:Fault></e:Body></e:Envelope>`;
    const { codes } = await retrieveWith(page(500, "text/xml"), {
      responder: { alter: page(500, "text/xml"), write: async (response) => void response.end(body) },
    });
    expect(new Set(codes)).toEqual(new Set(["RAD69_FAULT_RECEIVER"]));
  });
});

it("B9 an answer to another request is refused; another action is not", async () => {
  const other = await retrieveWith((plan) => ({ ...plan, relatesTo: "urn:uuid:of-another" }));
  expect(new Set(other.codes)).toEqual(new Set(["RAD69_ANSWER_INVALID"]));
  expect((await retrieveWith((plan) => ({ ...plan, relatesTo: undefined }))).codes).toEqual([]);
  expect((await retrieveWith((plan) => ({ ...plan, action: "urn:ihe:rad:2009:Other" }))).codes).toEqual([]);
});

describe("B10 no answer at all", () => {
  it.each([
    ["a web page", page(200, "text/html"), "HTTP_CONTENT_UNEXPECTED"],
    ["no content type", page(200, ""), "HTTP_CONTENT_UNEXPECTED"],
    ["401", page(401, "text/html"), "HTTP_UNAUTHORISED"],
    ["403", page(403, "text/html"), "HTTP_FORBIDDEN"],
    ["404", page(404, "text/html"), "HTTP_NOT_FOUND"],
    ["413", page(413, "text/plain"), "HTTP_REFUSED"],
    ["500 with a page", page(500, "text/html"), "HTTP_SERVER_FAILED"],
    ["502", page(502, "text/plain"), "HTTP_UNAVAILABLE"],
    ["a redirect to a login page", page(302, "text/html", { location: "http://login.example/" }), "HTTP_REDIRECTED"],
  ])("%s", async (_, alter, code) => {
    const { codes, requests } = await retrieveWith(alter);
    expect({ codes: new Set(codes), requests }).toEqual({ codes: new Set([code]), requests: 1 });
  });

  it("500 with XML of another kind", async () => {
    const alter = page(500, "text/xml");
    const write = async (response: ServerResponse) => void response.end("<error/>");
    expect(new Set((await retrieveWith(alter, { responder: { alter, write } })).codes)).toEqual(
      new Set(["HTTP_SERVER_FAILED"]),
    );
  });

  it("an empty body", async () => {
    const { codes } = await retrieveWith((plan) => plan, {
      responder: { write: async (response) => void response.end() },
    });
    expect(new Set(codes)).toEqual(new Set(["MULTIPART_TRUNCATED"]));
  });

  it("503 with Retry-After is waited for", async () => {
    let asked = 0;
    const waits: number[] = [];
    const alter: Fault = (plan) => {
      asked += 1;
      return asked === 1 ? page(503, "text/plain", { "retry-after": "90" })(plan) : plan;
    };
    const sleep = async (durationMs: number) => void waits.push(durationMs);
    const result = await retrieveWith(alter, { retrieve: { attempts: 2 }, clock: { nowMs: () => 0, sleep } });
    expect(result).toMatchObject({ codes: [], requests: 2 });
    expect(waits).toEqual([90_000]);
  });
});
