import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  BOUNDARY,
  MULTIPART,
  multipartOf,
  startWebServer,
  type WebAnswer,
  type WebRequest,
} from "../../../test/peers/dicomweb-server.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textElement } from "../../dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../../dicom/writer.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { openHttpClient } from "../http-client/http-client.ts";
import type { HttpClientOptions } from "../http-client/types.ts";
import { InstanceError } from "../instance-files/instance-error.ts";
import { openInstanceFolder } from "../instance-files/instance-folder.ts";
import { keepInstances } from "../instance-files/keep-instance.ts";
import type { WadoTarget } from "./resource.ts";
import { type RetrieveOptions, retrieveDicomWeb } from "./retrieve.ts";

const study = syntheticStudy({ seed: 811, modality: "CT", series: 2, instancesPerSeries: 2, rows: 8, columns: 8 });
const other = syntheticStudy({ seed: 812, modality: "CT", rows: 8, columns: 8 });
const [first, second] = study.instances;
const [foreign] = other.instances;
if (first === undefined || second === undefined || foreign === undefined) throw new Error("no instances");
const STUDY: WadoTarget = { studyInstanceUid: parseStudyInstanceUid(study.studyInstanceUid) };
const INSTANCE: WadoTarget = {
  ...STUDY,
  seriesInstanceUid: parseSeriesInstanceUid(first.seriesInstanceUid),
  sopInstanceUid: parseSopInstanceUid(first.sopInstanceUid),
};
const files = study.instances.map(({ file }) => file);

interface Asking extends RetrieveOptions {
  readonly target?: WadoTarget;
  readonly client?: Partial<HttpClientOptions>;
}

/** Retrieves into a folder, and looks at everything that lies there and beside it afterwards. */
async function retrieve(
  answer: (request: WebRequest) => WebAnswer,
  { target = STUDY, client, ...options }: Asking = {},
) {
  await using server = await startWebServer(answer);
  await using http = openHttpClient({ baseUrl: `${server.url}/dicom-web`, ...client });
  await using folder = await temporaryFolder();
  const store = await openInstanceFolder(join(folder.path, "out"), systemClock);
  const refused: InstanceError[] = [];
  let error: ReturnType<typeof toGatewayError> | undefined;
  try {
    const open = (signal: AbortSignal) => retrieveDicomWeb(http, target, options, signal);
    for await (const taken of keepInstances(open, store, target, neverAborted())) {
      if (taken instanceof InstanceError) refused.push(taken);
    }
  } catch (thrown) {
    error = toGatewayError(thrown);
  }
  expect(await readdir(folder.path)).toEqual(["out"]);
  const kept = (await readdir(join(folder.path, "out"))).sort();
  for (const name of kept) {
    const whole = study.instances.find(({ sopInstanceUid }) => name === `${sopInstanceUid}.dcm`);
    expect(whole?.file.equals(await readFile(join(folder.path, "out", name)))).toBe(true);
  }
  for (const { message, details } of [...refused, ...(error === undefined ? [] : [error])]) {
    expect(message + JSON.stringify(details)).not.toContain("1.2.826");
  }
  const codes = refused.map(({ code }) => code);
  return { kept: kept.length, error: error?.code, refused: codes, instances: refused[0]?.instances, server, store };
}

const whole: WebAnswer = { headers: MULTIPART, body: multipartOf(files) };

/** The first instance with other elements, as a Part 10 file. */
function changed(elements: readonly (readonly [keyof typeof tags, string])[]): Buffer {
  if (first === undefined) throw new Error("no instance");
  const dataSet = new Map(first.dataSet);
  for (const [name, text] of elements) dataSet.set(tags[name], textElement(tags[name], text));
  return Buffer.concat([encodeFileMeta(first), encodeDataSet(dataSet, first.transferSyntaxUid)]);
}

describe("what is asked", () => {
  it.each([
    [STUDY, `/dicom-web/studies/${study.studyInstanceUid}`],
    [
      INSTANCE,
      `/dicom-web/studies/${study.studyInstanceUid}/series/${first.seriesInstanceUid}/instances/${first.sopInstanceUid}`,
    ],
  ])("is the resource, as it is stored", async (target, path) => {
    const { server } = await retrieve(() => whole, { target });
    expect(server.requests).toMatchObject([
      {
        path,
        headers: {
          accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
          "accept-encoding": "identity",
        },
      },
    ]);
  });

  it.each([400, 406, 415])("is asked again in simpler words of a server that answers %i", async (status) => {
    const result = await retrieve(({ headers }) => (headers.accept?.includes("*") ? { status } : whole));
    expect(result).toMatchObject({ kept: 4, error: undefined });
    expect(result.server.requests.map(({ headers }) => headers.accept)).toEqual([
      'multipart/related; type="application/dicom"; transfer-syntax=*',
      'multipart/related; type="application/dicom"',
    ]);
  });

  it("is not asked for in another transfer syntax than the one that is wanted", async () => {
    const result = await retrieve(() => ({ status: 406 }), { transferSyntaxUid: "1.2.840.10008.1.2.4.50" });
    expect(result).toMatchObject({ kept: 0, error: "HTTP_REFUSED", server: { requests: { length: 1 } } });
  });
});

describe("an answer", () => {
  it.each<[string, WebAnswer, WadoTarget]>([
    ["in parts", whole, STUDY],
    [
      "in parts of no type",
      { headers: MULTIPART, body: multipartOf(files.map((body) => ({ body, type: "" }))) },
      STUDY,
    ],
    [
      "in parts with more to each head, as Orthanc writes them",
      {
        headers: MULTIPART,
        body: multipartOf(
          files.map((body) => ({ body, headers: `Content-Length: ${body.length}\r\nMIME-Version: 1.0\r\n` })),
        ),
      },
      STUDY,
    ],
    [
      "whose boundary is quoted and comes first",
      {
        headers: { "Content-Type": `Multipart/Related; boundary="${BOUNDARY}"; type=application/dicom` },
        body: multipartOf(files),
      },
      STUDY,
    ],
  ])("%s is kept byte for byte", async (_, answer, target) => {
    expect(await retrieve(() => answer, { target })).toMatchObject({ kept: 4, error: undefined, refused: [] });
  });

  it.each(["application/dicom", "application/dicom; transfer-syntax=1.2.840.10008.1.2.1", "application/octet-stream"])(
    "that is one instance alone, as %s, is kept",
    async (type) => {
      const answer: WebAnswer = { headers: { "Content-Type": type }, body: first.file };
      expect(await retrieve(() => answer, { target: INSTANCE })).toMatchObject({ kept: 1, error: undefined });
    },
  );

  it("that says that it is not all is kept, and told", async () => {
    const answer: WebAnswer = { ...whole, status: 206, body: multipartOf(files.slice(0, 2)) };
    expect(await retrieve(() => answer)).toMatchObject({ kept: 2, error: "INSTANCES_WITHHELD" });
  });
});

describe("an answer without instances", () => {
  it.each<[string, WebAnswer, string]>([
    [
      "a web page",
      { headers: { "Content-Type": "text/html; charset=utf-8" }, body: "<html>log in" },
      "HTTP_CONTENT_UNEXPECTED",
    ],
    ["an error as JSON", { body: { error: "internal" } }, "HTTP_CONTENT_UNEXPECTED"],
    [
      "an error as XML",
      { headers: { "Content-Type": "application/xml" }, body: "<!DOCTYPE a [<!ENTITY b 'c'>]>" },
      "HTTP_CONTENT_UNEXPECTED",
    ],
    ["a body of no type", { body: multipartOf(files) }, "HTTP_CONTENT_UNEXPECTED"],
    ["nothing", {}, "HTTP_CONTENT_UNEXPECTED"],
    ["204", { status: 204 }, "HTTP_NOT_FOUND"],
    ["404", { status: 404 }, "HTTP_NOT_FOUND"],
    ["no parts", { headers: MULTIPART, body: multipartOf([]) }, "HTTP_NOT_FOUND"],
    [
      "parts without a boundary",
      { headers: { "Content-Type": "multipart/related" }, body: "x" },
      "MULTIPART_MALFORMED",
    ],
    [
      "parts with another boundary",
      { headers: MULTIPART, body: "--other\r\n\r\nx\r\n--other--" },
      "MULTIPART_MALFORMED",
    ],
    ["an empty body as parts", { headers: MULTIPART }, "MULTIPART_TRUNCATED"],
    [
      "a part that is a web page",
      { headers: MULTIPART, body: multipartOf([{ body: "<html>", type: "text/html" }]) },
      "HTTP_CONTENT_UNEXPECTED",
    ],
    ["a login page elsewhere", { status: 302, headers: { Location: "https://login.example/" } }, "HTTP_REDIRECTED"],
    ["a redirect without end", { status: 302, headers: { Location: "again" } }, "HTTP_REDIRECTED"],
    ["headers without end", { headers: { "X-Much": "x".repeat(70_000) } }, "HTTP_HEADERS_TOO_LARGE"],
    ["429", { status: 429 }, "HTTP_TOO_MANY_REQUESTS"],
    ["503", { status: 503 }, "HTTP_UNAVAILABLE"],
    [
      "the answer to another request",
      { status: 200, headers: { "Content-Type": "image/jpeg" }, body: "jpeg" },
      "HTTP_CONTENT_UNEXPECTED",
    ],
  ])("%s is an error of its own, and nothing is kept", async (_, answer, code) => {
    expect(await retrieve(() => answer)).toMatchObject({ kept: 0, error: code, refused: [] });
  });

  it("a login page of the same server is an error of its own", async () => {
    const login: WebAnswer = { headers: { "Content-Type": "text/html" }, body: "<form>" };
    const result = await retrieve(({ path }) =>
      path === "/login" ? login : { status: 302, headers: { Location: "/login" } },
    );
    expect(result).toMatchObject({ kept: 0, error: "HTTP_CONTENT_UNEXPECTED" });
  });
});

describe("an answer that breaks off", () => {
  const open = (count: number, from?: number) => {
    const body = multipartOf(files.slice(0, count), { isClosed: false });
    return body.subarray(0, from === undefined ? body.length : body.length + from);
  };

  it.each<[string, WebAnswer, string, number]>([
    ["before it is closed", { headers: MULTIPART, body: open(3) }, "MULTIPART_TRUNCATED", 2],
    ["in the middle of an instance", { headers: MULTIPART, body: open(3, -10) }, "MULTIPART_TRUNCATED", 2],
    [
      "in the head of a part",
      { headers: MULTIPART, body: multipartOf([first.file, { body: "" }]).subarray(0, -40) },
      "MULTIPART_TRUNCATED",
      1,
    ],
    ["with its connection", { headers: MULTIPART, body: open(3, -10), ends: "cut" }, "HTTP_CONNECTION_LOST", 2],
    [
      "before the length it announced",
      { headers: { ...MULTIPART, "Content-Length": "1000000" }, body: open(3), ends: "cut" },
      "HTTP_CONNECTION_LOST",
      2,
    ],
  ])("%s leaves what came whole", async (_, answer, code, kept) => {
    expect(await retrieve(() => answer)).toMatchObject({ kept, error: code });
  });

  it("as one instance alone leaves nothing", async () => {
    const headers = { "Content-Type": "application/dicom" };
    const body = first.file.subarray(0, -10);
    expect(await retrieve(() => ({ headers, body, ends: "cut" }), { target: INSTANCE })).toMatchObject({
      kept: 0,
      error: "HTTP_CONNECTION_LOST",
    });
    expect(await retrieve(() => ({ headers, body }), { target: INSTANCE })).toMatchObject({
      kept: 0,
      refused: ["INSTANCE_INCOMPLETE"],
      instances: [first.sopInstanceUid],
    });
  });

  it("by falling silent leaves what came whole", async () => {
    const client = { timeouts: { idleMs: 50, headersMs: 10_000 } };
    expect(await retrieve(() => ({ headers: MULTIPART, body: open(2), ends: "never" }), { client })).toMatchObject({
      kept: 1,
      error: "HTTP_IDLE_TIMED_OUT",
    });
  });

  it("by a head of a part that is too long leaves what came whole", async () => {
    const parts = [first.file, { body: second.file, headers: `X-Much: ${"x".repeat(20_000)}\r\n` }];
    expect(await retrieve(() => ({ headers: MULTIPART, body: multipartOf(parts) }))).toMatchObject({
      kept: 1,
      error: "MULTIPART_LIMIT_EXCEEDED",
    });
  });
});

describe("an instance that is not what was asked for", () => {
  const path = "../../../../etc/passwd";
  it.each<[string, Uint8Array, string]>([
    ["cut short", second.file.subarray(0, -10), "INSTANCE_INCOMPLETE"],
    ["of another study", foreign.file, "INSTANCE_MISMATCH"],
    ["a web page", Buffer.from("<html>Internal Server Error</html>"), "INSTANCE_UNREADABLE"],
    ["an error as JSON", Buffer.from('{"error":"internal"}'), "INSTANCE_UNREADABLE"],
    ["nothing", Buffer.alloc(0), "INSTANCE_UNREADABLE"],
    ["a data set alone", first.bytes, "INSTANCE_UNREADABLE"],
    ["with a UID that leads elsewhere", changed([["SOPInstanceUID", path]]), "INSTANCE_MISMATCH"],
    ["with a study that leads elsewhere", changed([["StudyInstanceUID", path]]), "INSTANCE_MISMATCH"],
    ["with a UID that its file meta contradicts", changed([["SOPInstanceUID", "1.2.826.9"]]), "INSTANCE_MISMATCH"],
  ])("%s costs itself alone", async (_, odd, code) => {
    const body = multipartOf([first.file, odd, second.file]);
    expect(await retrieve(() => ({ headers: MULTIPART, body }))).toMatchObject({
      kept: 2,
      error: undefined,
      refused: [code],
    });
  });

  it("but another of the study is named beside the one that was asked for", async () => {
    const body = multipartOf([second.file]);
    expect(await retrieve(() => ({ headers: MULTIPART, body }), { target: INSTANCE })).toMatchObject({
      kept: 0,
      refused: ["INSTANCE_MISMATCH"],
      instances: [second.sopInstanceUid, first.sopInstanceUid],
    });
  });
});
