import { describe, expect, it } from "vitest";
import { startWebServer, type WebAnswer, type WebRequest } from "../../../test/peers/dicomweb-server.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemRandom } from "../../units/random.ts";
import { openHttpClient } from "../http-client/http-client.ts";
import type { HttpClientOptions } from "../http-client/types.ts";
import { readMultipart } from "../multipart/reader.ts";
import { type StoreAnswer, storeDicomWeb } from "./store.ts";

const SENT = ["2.25.1", "2.25.2", "2.25.3"];

/** An item of a Store Instances Response. PS3.18 table I.1-1. */
const item = (uid: string | undefined, reason?: number | string) => ({
  ...(uid === undefined ? {} : { "00081155": { vr: "UI", Value: [uid] } }),
  ...(reason === undefined ? {} : { "00081197": { vr: "US", Value: [reason] } }),
});

const response = (stored: readonly object[], failed: readonly object[] = []) => ({
  "00081190": { vr: "UR", Value: ["/studies/1.2.3"] },
  ...(stored.length === 0 ? {} : { "00081199": { vr: "SQ", Value: stored } }),
  ...(failed.length === 0 ? {} : { "00081198": { vr: "SQ", Value: failed } }),
});

interface Outcome {
  readonly answer?: StoreAnswer;
  readonly code?: string;
  readonly details?: object;
  /** How often an instance was read, and given up before its end. */
  readonly opened: readonly string[];
  readonly open: number;
  readonly requests: readonly WebRequest[];
}

interface Sent extends Partial<HttpClientOptions> {
  readonly sizeBytes?: number;
  /** What is said before of each instance's size. */
  readonly announcedBytes?: number;
}

/** Stores three instances of so many bytes each at a service that answers so. */
async function store(
  answer: (request: WebRequest, body: () => Promise<Buffer>) => WebAnswer | Promise<WebAnswer>,
  { sizeBytes = 100, announcedBytes, ...client }: Sent = {},
): Promise<Outcome> {
  const opened: string[] = [];
  let open = 0;
  const instances = SENT.map((sopInstanceUid) => ({
    sopInstanceUid,
    sizeBytes: announcedBytes,
    async *read() {
      opened.push(sopInstanceUid);
      open += 1;
      try {
        for (let sent = 0; sent < sizeBytes; sent += 65_536) yield Buffer.alloc(Math.min(65_536, sizeBytes - sent), 7);
      } finally {
        open -= 1;
      }
    },
  }));
  const server = await startWebServer(answer);
  let found: Pick<Outcome, "answer" | "code" | "details">;
  {
    await using _server = server;
    await using http = openHttpClient({ baseUrl: server.url, ...client });
    const options = { studyInstanceUid: "1.2.3" as StudyInstanceUid, random: systemRandom };
    found = await storeDicomWeb(http, instances, options, neverAborted()).then(
      (given) => ({ answer: given }),
      (thrown: unknown) => toGatewayError(thrown),
    );
  }
  return { ...found, opened, open, requests: server.requests };
}

/** Answers once everything has come. */
const after =
  (answer: WebAnswer) =>
  async (_: WebRequest, body: () => Promise<Buffer>): Promise<WebAnswer> => {
    await body();
    return answer;
  };

describe("what is sent", () => {
  it("is one request of many parts, each an instance, bytes as they are", async () => {
    const parts: { readonly type: string | undefined; readonly sizeBytes: number }[] = [];
    const { requests, opened } = await store(async ({ headers }, body) => {
      const boundary = /boundary=(.*)$/.exec(headers["content-type"] ?? "")?.[1];
      const all = await body();
      const pieces = async function* () {
        yield all;
      };
      for await (const part of readMultipart(pieces(), { boundary })) {
        parts.push({ type: part.headers.get("content-type"), sizeBytes: await part.pipe(() => undefined) });
      }
      return { body: response(SENT.map((uid) => item(uid))) };
    });
    // Orthanc takes no parameter beside a part's type.
    expect(parts).toEqual(SENT.map(() => ({ type: "application/dicom", sizeBytes: 100 })));
    expect(opened).toEqual(SENT);
    expect(requests).toMatchObject([
      {
        method: "POST",
        path: "/studies/1.2.3",
        headers: {
          accept: "application/dicom+json",
          "content-type": expect.stringMatching(/^multipart\/related; type="application\/dicom"; boundary=\w+$/),
        },
      },
    ]);
  });

  it("has a length where the sizes of all instances are known, and comes in chunks where not", async () => {
    const whole = async ({ headers }: WebRequest, body: () => Promise<Buffer>): Promise<WebAnswer> => {
      const expected = headers["content-length"] ?? "chunked";
      expect(["chunked", `${(await body()).length}`]).toContain(expected);
      return expected === "chunked" ? { status: 411 } : { body: response(SENT.map((uid) => item(uid))) };
    };
    expect((await store(whole, { announcedBytes: 100 })).answer?.stored.length).toBe(3);
    expect(await store(whole)).toMatchObject({ code: "HTTP_REFUSED", details: { status: 411 } });
  });

  it.each([99, 101])("is not sent to its end when an instance of 100 bytes was announced with %i", async (bytes) => {
    const { answer, code } = await store(after({ body: response(SENT.map((uid) => item(uid))) }), {
      announcedBytes: bytes,
    });
    expect({ answer, code }).toEqual({ answer: undefined, code: "HTTP_CONNECTION_LOST" });
  });

  it("is read no further than it is taken", async () => {
    const { opened, open, code } = await store(() => ({ status: 401, ends: "cut" }), { sizeBytes: 64 * 1024 * 1024 });
    expect({ opened, open }).toEqual({ opened: ["2.25.1"], open: 0 });
    expect(["HTTP_UNAUTHORISED", "HTTP_CONNECTION_LOST"]).toContain(code);
  });
});

describe("an answer", () => {
  const stored = (uid: string, warningReason?: number) => ({ sopInstanceUid: uid, warningReason });
  const failed = (uid: string, failureReason?: number) => ({ sopInstanceUid: uid, failureReason });

  it.each<[string, WebAnswer, Omit<StoreAnswer, "status">]>([
    [
      "200: all are stored",
      { body: response(SENT.map((uid) => item(uid))) },
      { stored: SENT.map((uid) => stored(uid)), failed: [], unmentioned: [] },
    ],
    [
      "202: one is refused, for a reason in a text",
      { status: 202, body: response([item("2.25.1"), item("2.25.3")], [item("2.25.2", "272")]) },
      { stored: [stored("2.25.1"), stored("2.25.3")], failed: [failed("2.25.2", 272)], unmentioned: [] },
    ],
    [
      "409: all are refused",
      {
        status: 409,
        body: response(
          [],
          SENT.map((uid) => item(uid, 0xa700)),
        ),
      },
      { stored: [], failed: SENT.map((uid) => failed(uid, 0xa700)), unmentioned: [] },
    ],
    [
      "409, with a reason and no names",
      { status: 409, body: response([], [item(undefined, 272)]) },
      { stored: [], failed: SENT.map((uid) => failed(uid, 272)), unmentioned: [] },
    ],
    ["409, and nothing", { status: 409 }, { stored: [], failed: SENT.map((uid) => failed(uid)), unmentioned: [] }],
    ["200, and nothing", {}, { stored: [], failed: [], unmentioned: SENT }],
    [
      "200, in XML",
      {
        headers: { "Content-Type": "application/dicom+xml" },
        body: "<!DOCTYPE a [<!ENTITY b 'b'>]><NativeDicomModel/>",
      },
      { stored: [], failed: [], unmentioned: SENT },
    ],
    [
      "200, of others",
      { body: response([item("9.9.9"), item("2.25.1")], [item("8.8.8", 1)]) },
      { stored: [stored("2.25.1")], failed: [], unmentioned: ["2.25.2", "2.25.3"] },
    ],
    [
      "202, with one as both",
      {
        status: 202,
        body: response(
          SENT.map((uid) => item(uid)),
          [item("2.25.1", 272)],
        ),
      },
      { stored: [stored("2.25.2"), stored("2.25.3")], failed: [failed("2.25.1", 272)], unmentioned: [] },
    ],
    [
      "200, in a list",
      { body: [response(SENT.map((uid) => item(uid)))] },
      { stored: SENT.map((uid) => stored(uid)), failed: [], unmentioned: [] },
    ],
    [
      "200, coerced",
      { body: response([{ ...item("2.25.1"), "00081196": { vr: "US", Value: [0xb000] } }]) },
      { stored: [stored("2.25.1", 0xb000)], failed: [], unmentioned: ["2.25.2", "2.25.3"] },
    ],
  ])("%s", async (_, answer, expected) => {
    expect((await store(after(answer))).answer).toEqual({ status: answer.status ?? 200, ...expected });
  });

  it.each<[string, WebAnswer, string, object]>([
    ["400", { status: 400, body: { message: "2.25.1" } }, "HTTP_REFUSED", { status: 400 }],
    ["401", { status: 401 }, "HTTP_UNAUTHORISED", { status: 401 }],
    ["413", { status: 413 }, "HTTP_REFUSED", { status: 413 }],
    ["415", { status: 415 }, "HTTP_REFUSED", { status: 415 }],
    [
      "429",
      { status: 429, headers: { "Retry-After": "3" } },
      "HTTP_TOO_MANY_REQUESTS",
      { status: 429, retryAfterMs: 3_000 },
    ],
    ["500", { status: 500 }, "HTTP_SERVER_FAILED", { status: 500 }],
    [
      "503",
      { status: 503, headers: { "Retry-After": "120" } },
      "HTTP_UNAVAILABLE",
      { status: 503, retryAfterMs: 120_000 },
    ],
    ["a redirect", { status: 302, headers: { Location: "/login" } }, "HTTP_REDIRECTED", { status: 302 }],
    [
      "a web page",
      { headers: { "Content-Type": "text/html" }, body: "<form>" },
      "HTTP_CONTENT_UNEXPECTED",
      { contentType: "text/html", status: 200 },
    ],
    [
      "half of a JSON",
      { headers: { "Content-Type": "application/json" }, body: '{"0008' },
      "HTTP_JSON_INVALID",
      { what: "syntax" },
    ],
    [
      "JSON without end",
      { headers: { "Content-Type": "application/json" }, body: "[".repeat(1_000) },
      "HTTP_JSON_INVALID",
      { what: "depth", limit: 128 },
    ],
    [
      "nothing, cut",
      { ends: "cut", headers: { "Content-Type": "application/json", "Content-Length": "10" } },
      "HTTP_CONNECTION_LOST",
      {},
    ],
  ])("that is %s is an error", async (_, answer, code, details) => {
    const result = await store(after(answer));
    expect(result).toMatchObject({ code, details, open: 0 });
    expect(JSON.stringify(result.details)).not.toContain("2.25");
  });

  it("that comes before all is sent is heard", async () => {
    const early: WebAnswer = { status: 413, headers: { Connection: "close" }, body: "too much" };
    const { code, open } = await store(() => early, { sizeBytes: 16 * 1024 * 1024 });
    expect({ code, open }).toEqual({ code: "HTTP_REFUSED", open: 0 });
  });

  it("that never comes is waited for no longer than is allowed", async () => {
    const { code } = await store(() => new Promise(() => undefined), { timeouts: { headersMs: 50 } });
    expect(code).toBe("HTTP_HEADERS_TIMED_OUT");
  });
});

describe("a connection that is cut while instances are sent", () => {
  it("is an error, and closes what was open", async () => {
    const cut = (): never => {
      throw new Error("gone");
    };
    expect(await store(cut, { sizeBytes: 64 * 1024 * 1024 })).toMatchObject({ code: "HTTP_CONNECTION_LOST", open: 0 });
  });
});
