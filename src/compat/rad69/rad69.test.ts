import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { textOf, uidOf } from "../../dicom/values.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import {
  DicomTrolleyError,
  NonInstanceParameterError,
  Rad69ServerError,
  XdsMissingDocumentError,
} from "../../network/ihe/errors.ts";
import { readImagingDocumentSetRequest } from "../../network/ihe/responder/request-reader.ts";
import { type ResponderOptions, startRad69Responder } from "../../network/ihe/responder/responder.ts";
import { content, type Fault, failure, missing, page, registryError } from "../../network/ihe/testing/faults.ts";
import { someInstances, sourceOf } from "../../network/ihe/testing/instances.ts";
import { planFor, writtenAnswer } from "../../network/ihe/testing/read-answer.ts";
import { Rad69, type Rad69Options } from "./rad69.ts";
import { vitreaSession } from "./vitrea-session.ts";

const held = someInstances(2, 2);
const [first, second] = held;
if (first === undefined || second === undefined) throw new Error("no instances");
const { studyInstanceUid, seriesInstanceUid } = first;

/** A client of a responder that holds the four, and how many instances were in each request so far. */
async function setUp(options: Partial<Rad69Options> = {}, responder: Partial<ResponderOptions> = {}) {
  const asked: number[] = [];
  const running = await startRad69Responder({
    source: sourceOf(held),
    ...responder,
    async alter(plan, request) {
      asked.push(request.documents.length);
      return (await responder.alter?.(plan, request)) ?? plan;
    },
  });
  const rad69 = new Rad69({ url: running.url, ...options });
  return {
    rad69,
    asked,
    url: running.url,
    async [Symbol.asyncDispose]() {
      await rad69[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}

async function uidsOf(datasets: AsyncIterable<{ readonly dataSet: Parameters<typeof uidOf>[0] }>) {
  const uids: (string | undefined)[] = [];
  for await (const { dataSet } of datasets) uids.push(uidOf(dataSet, tags.SOPInstanceUID));
  return uids.sort();
}

const all = held.map(({ sopInstanceUid }) => sopInstanceUid).sort();

describe("Rad69", () => {
  it("gets one data set", async () => {
    await using set = await setUp();
    const { dataSet } = await set.rad69.getDataset(first);
    expect(textOf(dataSet, tags.Modality)).toBe("CT");
  });

  it("asks for a series when the one before is read, and for nothing before that", async () => {
    await using set = await setUp();
    const datasets = set.rad69.datasets(held);
    expect(set.asked).toEqual([]);
    await datasets.next();
    expect(set.asked).toEqual([2]);
    await datasets.next();
    await datasets.next();
    expect(set.asked).toEqual([2, 2]);
    await datasets.return();
  });

  it("asks for everything at once, or with several workers", async () => {
    await using single = await setUp({ requestPerSeries: false });
    expect(await uidsOf(single.rad69.datasets(held))).toEqual(all);
    expect(single.asked).toEqual([4]);
    await using several = await setUp({ useAsync: true, maxWorkers: 3 });
    expect(await uidsOf(several.rad69.datasets(held))).toEqual(all);
    expect(several.asked.toSorted()).toEqual([1, 1, 2]);
  });

  it("takes studies and series that say what is in them, and no others", async () => {
    await using set = await setUp();
    const instances = [first, second];
    expect(
      await uidsOf(set.rad69.datasets({ studyInstanceUid, series: [{ seriesInstanceUid, instances }] })),
    ).toHaveLength(2);
    for (const bare of [{ studyInstanceUid }, { studyInstanceUid, seriesInstanceUid }]) {
      await expect(uidsOf(set.rad69.datasets([bare]))).rejects.toBeInstanceOf(NonInstanceParameterError);
    }
    expect(set.asked).toEqual([2]);
  });

  it("gives every instance as it was received to a sink", async () => {
    const received: Buffer[] = [];
    await using set = await setUp({ sink: (_, bytes) => void received.push(bytes) });
    await uidsOf(set.rad69.datasets([first]));
    expect(received).toHaveLength(1);
    expect(received[0]?.equals(first.file)).toBe(true);
  });

  it("asks for nothing when there is nothing to ask for", async () => {
    await using set = await setUp({ useAsync: true });
    expect(await uidsOf(set.rad69.datasets([]))).toEqual([]);
    expect(set.asked).toEqual([]);
  });

  it("writes the envelope that asks", async () => {
    await using set = await setUp();
    const { documents } = readImagingDocumentSetRequest(set.rad69.createInstancesRequest(held));
    expect(documents.map(({ documentUniqueId }) => documentUniqueId).sort()).toEqual(all);
    expect(readImagingDocumentSetRequest(set.rad69.createInstanceRequest(first)).documents).toHaveLength(1);
  });

  it("splits instances into even piles", () => {
    expect(Rad69.splitInstances([1, 2, 3, 4, 5], 2).map(({ length }) => length)).toEqual([2, 3]);
    expect(Rad69.splitInstances([], 4)).toEqual([]);
  });

  it("stops asking when nobody reads any more", async () => {
    await using set = await setUp({ useAsync: true, maxWorkers: 2 });
    for await (const _ of set.rad69.datasets(held)) break;
    expect(set.asked.length).toBeLessThanOrEqual(2);
  });

  it("uses a client that is logged in, and leaves it open", async () => {
    await using set = await setUp();
    await using session = openHttpClient({ baseUrl: set.url });
    {
      await using rad69 = new Rad69({ url: set.url, session });
      await rad69.getDataset(first);
    }
    await using again = new Rad69({ url: set.url, session });
    await again.getDataset(first);
    expect(set.asked).toEqual([1, 1]);
  });
});

describe("errors", () => {
  const missingFirst: Fault = (plan) =>
    plan.documents.some(({ documentUniqueId }) => documentUniqueId === first.sopInstanceUid)
      ? missing(first.sopInstanceUid, [registryError("XDSMissingDocument", first.sopInstanceUid)])(plan)
      : plan;

  it("come after what came, and name what did not", async () => {
    await using set = await setUp({}, { alter: missingFirst });
    const datasets = set.rad69.datasets(held);
    await datasets.next();
    const failed = datasets.next();
    await expect(failed).rejects.toBeInstanceOf(XdsMissingDocumentError);
    await expect(failed).rejects.toMatchObject({ instances: [first.sopInstanceUid] });
  });

  it("are passed over when they are to be ignored, by class or by code", async () => {
    for (const ignored of [XdsMissingDocumentError, Rad69ServerError, "RAD69_DOCUMENT_MISSING"] as const) {
      await using set = await setUp({ errorsToIgnore: [ignored] }, { alter: missingFirst });
      expect(await uidsOf(set.rad69.datasets(held))).toHaveLength(3);
    }
  });

  it.each([
    ["no DICOM", content(Buffer.alloc(1_234)), DicomTrolleyError, "INSTANCE_UNREADABLE"],
    ["502", page(502, "text/plain"), DicomTrolleyError, "HTTP_UNAVAILABLE"],
    ["no content type", page(200, ""), DicomTrolleyError, "HTTP_CONTENT_UNEXPECTED"],
    ["a web page", page(200, "text/html"), DicomTrolleyError, "HTTP_CONTENT_UNEXPECTED"],
    [
      "an error",
      failure([registryError("XDSRepositoryError", "")], "plain"),
      Rad69ServerError,
      "RAD69_REPOSITORY_FAILED",
    ],
    ["silence", missing(first.sopInstanceUid, []), DicomTrolleyError, "RAD69_DOCUMENT_NOT_SENT"],
  ] as const)("are of one family: %s", async (_, alter, errorClass, code) => {
    await using set = await setUp({}, { alter });
    const failed = set.rad69.getDataset(first);
    await expect(failed).rejects.toBeInstanceOf(errorClass);
    await expect(failed).rejects.toMatchObject({ code, instances: [first.sopInstanceUid] });
    await expect(uidsOf(set.rad69.datasetsAsync([first]))).rejects.toMatchObject({ code });
  });

  it("hold no identifier when they are written down", async () => {
    await using set = await setUp({}, { alter: missingFirst });
    const error = await set.rad69.getDataset(first).catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error)).not.toContain(studyInstanceUid);
  });
});

describe("an answer that was got elsewhere", () => {
  const answerOf = async (alter: Fault) => {
    const { body, contentType } = await writtenAnswer(await planFor([first, second]), alter);
    async function* pieces() {
      yield body;
    }
    const headers = new Map([["content-type", contentType]]);
    return { status: 200, headers, body: pieces(), [Symbol.asyncDispose]: () => Promise.resolve() };
  };

  it("is read into its data sets", async () => {
    await using set = await setUp();
    expect(await uidsOf(set.rad69.parseRad69Response(await answerOf((plan) => plan)))).toHaveLength(2);
    await set.rad69.verifyResponse(await answerOf((plan) => plan));
  });

  it("is read into its errors", async () => {
    const errors = [registryError("XDSMissingDocument", "1.2"), registryError("XDSMissingDocument", "1.3")];
    const failed = () => answerOf(failure(errors, "plain"));
    await expect(Rad69.checkForResponseErrors(await failed())).rejects.toBeInstanceOf(XdsMissingDocumentError);
    await expect(Rad69.parseRad69SoapErrorResponse(await failed())).rejects.toMatchObject({ errors });
    await using set = await setUp();
    await expect(uidsOf(set.rad69.parseRad69Response(await failed()))).rejects.toBeInstanceOf(XdsMissingDocumentError);
    await expect(set.rad69.verifyResponse(await answerOf(page(200, "text/html")))).rejects.toBeInstanceOf(
      DicomTrolleyError,
    );
  });
});

it("logs in to Vitrea, and again when its session is over", async () => {
  let logins = 0;
  await using login = await startHttpServer((request, response) => {
    const { "x-userid": user, "x-password": password, "x-realm": realm } = request.headers;
    if (user !== "alice" || password !== "secret" || realm !== "DefaultSystemRealm") response.statusCode = 401;
    else {
      logins += 1;
      response.setHeader("set-cookie", [
        `JSESSIONID=${logins}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/`,
        "node=a",
      ]);
    }
    response.end();
  });
  const cookies: (string | undefined)[] = [];
  await using server = await startHttpServer((request, response) => {
    cookies.push(request.headers.cookie);
    response.writeHead(cookies.length === 1 ? 401 : 403).end();
  });
  const session = vitreaSession({ loginUrl: login.url, user: "alice", password: async () => "secret" });
  await using rad69 = new Rad69({ url: server.url, session });
  await expect(rad69.getDataset(first)).rejects.toMatchObject({ code: "HTTP_FORBIDDEN" });
  expect(cookies).toEqual(["JSESSIONID=1; node=a", "JSESSIONID=2; node=a"]);
});
