import { readdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseStudyInstanceUid } from "../../src/dicom/uid.ts";
import { storeDicomWeb } from "../../src/network/dicomweb/store.ts";
import { bearerAuthentication } from "../../src/network/http-client/authentication.ts";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { runProgram } from "../peers/process.ts";
import { findPythonPeers, requirePythonPeers } from "../peers/python-peers.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import type { SyntheticInstance } from "../peers/synthetic-studies.ts";
import { openPushSite, type PushSite } from "../support/push-site.ts";
import { ctStudy } from "../support/rehearsal.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hasOrthanc = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so")].every(Boolean);
const python = requirePythonPeers() ? findPythonPeers() : undefined;

const RULES = [
  { name: "unwanted", tokens: ["unwanted"], refuse: "Send this to the PACS" },
  { name: "not-by-http", callingAeTitles: ["CT1"], project: "other" },
  { name: "limited", tokens: ["limited"], project: "other" },
  { name: "routers", tokens: ["router"], addresses: ["127.0.0.0/8"], project: "trial" },
];
const INSTANCE_BYTES = 1_000_000;

const CONTENT = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const OPERATION = z.object({ responses: z.record(z.string(), z.object({ content: CONTENT })) });
const API_DOCUMENT = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
type ApiDocument = z.infer<typeof API_DOCUMENT>;

/** Holds an answer to what the gateway's own document says of it. */
function expectAsDocumented({ status, headers, json }: Awaited<ReturnType<typeof post>>, path: string): void {
  const { responses } = OPERATION.parse(document.paths[path]?.post);
  const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
  const { schema } = responses[status]?.content[type] ?? {};
  expect(schema, `${status} ${type}`).toBeDefined();
  const name = String(schema?.$ref ?? "").replace("#/components/schemas/", "");
  if (name !== "") z.fromJSONSchema(document.components.schemas[name] ?? { not: {} }).parse(json);
}

const ITEMS = z.object({ Value: z.array(z.unknown()) });
/** Referenced SOP Sequence and Other Failures Sequence. PS3.18 table I.1-1. */
const ANSWERED = z.object({ "00081199": ITEMS, "0008119A": ITEMS });

let site: PushSite;
let document: ApiDocument;
let tokens: { readonly router: string; readonly unwanted: string; readonly limited: string; readonly viewer: string };
beforeAll(async () => {
  const slowest = { bytesPerSecond: 100, overMs: 2_000 };
  const limits = { requestMs: 300, storeInstanceBytes: INSTANCE_BYTES, storeBytes: 4e6, slowest };
  site = await openPushSite({ rules: RULES }, limits);
  const { api } = site;
  document = API_DOCUMENT.parse((await api.call("GET", "//openapi.json")).json);
  tokens = {
    router: await api.tokenOf("router", "sender"),
    unwanted: await api.tokenOf("unwanted", "sender"),
    limited: await api.tokenOf("limited", "sender", ["trial"]),
    viewer: await api.tokenOf("pat", "viewer"),
  };
});
afterAll(() => site[Symbol.asyncDispose]());

const TYPE = 'multipart/related; type="application/dicom"; boundary=B';

function bodyOf(parts: readonly Uint8Array[], { type = "application/dicom", end = "\r\n--B--\r\n" } = {}): Buffer {
  const head = Buffer.from(`\r\n--B\r\nContent-Type: ${type}\r\n\r\n`);
  return Buffer.concat([...parts.flatMap((part) => [head, part]), Buffer.from(end)]);
}

async function post(
  body: Uint8Array,
  { token = tokens.router, path = "", type = TYPE, accept = "application/dicom+json" } = {},
) {
  const headers = { "content-type": type, accept };
  const answer = await site.api.call("POST", `//dicomweb/studies${path}`, { token, body, headers });
  expectAsDocumented(answer, path === "" ? "/dicomweb/studies" : "/dicomweb/studies/{study}");
  return answer;
}

const filesOf = (instances: readonly SyntheticInstance[]): readonly Buffer[] => instances.map(({ file }) => file);

async function listed(): Promise<unknown> {
  const { json } = await site.api.call("GET", "/intake?limit=100");
  return json;
}

describe("a gateway that takes STOW-RS", () => {
  it("delivers what our own client stores", async () => {
    const { studyInstanceUid, instances } = ctStudy(201);
    await using client = openHttpClient({
      baseUrl: site.url,
      authentication: bearerAuthentication(() => Promise.resolve(tokens.router)),
    });
    const outgoing = instances.map(({ sopInstanceUid, file }) => ({
      sopInstanceUid,
      async *read() {
        yield file;
      },
    }));
    const study = { studyInstanceUid: parseStudyInstanceUid(studyInstanceUid) };
    for (const _ of ["at first", "again"]) {
      const answer = await storeDicomWeb(client, outgoing, study, neverAborted());
      expect(answer).toMatchObject({ status: 200, failed: [], unmentioned: [] });
      expect(answer.stored).toHaveLength(instances.length);
    }
    const isDone = (each: { readonly state: string; readonly delivered: number }): boolean =>
      each.state === "delivered" && each.delivered === instances.length;
    await site.until((studies) => studies.some(isDone));
    const delivered = await readdir(site.delivered, { recursive: true });
    expect(delivered.filter((name) => name.endsWith(".dcm"))).toHaveLength(instances.length);
  });

  it("says of each instance what became of it, and why", async () => {
    const [first, second] = filesOf(ctStudy(202).instances);
    const [foreign] = filesOf(ctStudy(203).instances);
    if (first === undefined || second === undefined || foreign === undefined) throw new Error("no instance");
    const cut = second.subarray(0, second.length - 100);
    const large = Buffer.concat([second, Buffer.alloc(INSTANCE_BYTES)]);
    const path = `/${ctStudy(202).studyInstanceUid}`;
    const { status, json } = await post(bodyOf([first, foreign, cut, large]), { path });
    expect(status).toBe(202);
    expect(json).toMatchObject({
      "00081198": { vr: "SQ", Value: [{ "00081197": { vr: "US", Value: [0xa900] } }] },
      "00081199": {
        vr: "SQ",
        Value: [{ "00081155": { vr: "UI", Value: [ctStudy(202).instances[0]?.sopInstanceUid] } }],
      },
      "0008119A": {
        vr: "SQ",
        Value: [{ "00081197": { Value: [0xc000] } }, { "00081197": { Value: [0xa700] } }],
      },
    });
  });

  it("tells the reason of a rule that refuses, in JSON, in XML and by a header", async () => {
    const body = bodyOf(filesOf(ctStudy(204).instances));
    const { status, json, headers } = await post(body, { token: tokens.unwanted });
    expect(status).toBe(409);
    expect(headers.get("warning")).toBe('299 radferry "Send this to the PACS"');
    const failed = { "00081197": { Value: [0x0124] }, "00000902": { vr: "LO", Value: ["Send this to the PACS"] } };
    expect(json).toMatchObject({ "00081198": { Value: ctStudy(204).instances.map(() => failed) } });
    const xml = await post(body, { token: tokens.unwanted, accept: "application/dicom+xml" });
    expect(xml.headers.get("content-type")).toMatch(/^application\/dicom\+xml/);
    expect(xml.text).toContain('<DicomAttribute tag="00081197" vr="US" keyword="FailureReason"><Value number="1">292<');
  });

  it("takes nothing for a project that the token is not for", async () => {
    const { json } = await post(bodyOf(filesOf(ctStudy(205).instances)), { token: tokens.limited });
    expect(json).toMatchObject({ "00081198": { Value: [{ "00081197": { Value: [0x0124] } }, {}, {}, {}] } });
  });

  it("holds what no rule speaks of", async () => {
    const { status } = await post(bodyOf(filesOf(ctStudy(206).instances)), { token: site.api.admin });
    expect(status).toBe(200);
    const held = { state: "held", code: "INTAKE_NO_RULE", sender: "first-admin", instances: 4 };
    expect(await listed()).toMatchObject({ items: expect.arrayContaining([expect.objectContaining(held)]) });
  });

  it.each([
    ["without a token", { token: "" }, 401, "API_TOKEN_MISSING"],
    ["as somebody who only looks", { token: () => tokens.viewer }, 403, "ROLE_INSUFFICIENT"],
    ["for a study that is none", { path: "/1.2.x" }, 400, "API_REQUEST_MALFORMED"],
    ["as a form", { type: "multipart/form-data; boundary=B" }, 415, "API_CONTENT_TYPE_UNSUPPORTED"],
    ["as JSON with bulk data", { type: TYPE.replace("dicom", "dicom+json") }, 415, "API_CONTENT_TYPE_UNSUPPORTED"],
    ["without its boundary", { type: TYPE.replace("=B", "=other") }, 400, "API_REQUEST_MALFORMED"],
  ] as const)(
    "refuses what is sent %s",
    async (_, { token, ...how }: { token?: unknown; path?: string; type?: string }, status, code) => {
      const secret = typeof token === "function" ? token() : token;
      const answer = await post(bodyOf([Buffer.from("x")]), {
        ...how,
        ...(secret === undefined ? {} : { token: secret }),
      });
      expect(answer).toMatchObject({ status, json: { code } });
    },
  );

  it("refuses parts that are no DICOM, and requests that are too long", async () => {
    const [first] = filesOf(ctStudy(207).instances);
    if (first === undefined) throw new Error("no instance");
    expect(await post(bodyOf([first], { type: "image/jpeg" }))).toMatchObject({
      status: 409,
      json: { "0008119A": { Value: [{ "00081197": { Value: [0xc000] } }] } },
    });
    const long = Array.from({ length: 5 }, () => Buffer.alloc(INSTANCE_BYTES));
    expect(await post(bodyOf(long))).toMatchObject({ status: 413, json: { code: "API_BODY_TOO_LARGE" } });
  });

  it("reads no more of a request in which a thousand parts were nothing", async () => {
    const [first, second] = filesOf(ctStudy(210).instances);
    if (first === undefined || second === undefined) throw new Error("no instance");
    const junk = Array.from({ length: 2_000 }, () => Buffer.from("junk"));
    const { status, json } = await post(bodyOf([first, ...junk, second]));
    expect(status).toBe(202);
    const { "00081199": stored, "0008119A": others } = ANSWERED.parse(json);
    expect(stored.Value).toHaveLength(1);
    expect(others.Value.length).toBeGreaterThan(1_000);
    expect(others.Value.length).toBeLessThan(1_020);
    expect(await post(bodyOf(junk))).toMatchObject({
      status: 400,
      json: { code: "API_REQUEST_MALFORMED", details: { because: "MULTIPART_LIMIT_EXCEEDED" } },
    });
  });

  it("answers no other method there", async () => {
    const stores = Object.entries(document.paths).filter(([path]) => path.startsWith("/dicomweb"));
    expect(stores).toHaveLength(2);
    for (const [path, operations] of stores) {
      expect(Object.keys(operations)).toEqual(["post"]);
      expect((await site.api.call("GET", "//docs")).text).toContain(`POST ${path}<`);
      const { status, headers } = await site.api.call("GET", `/${path.replace("{study}", "1.2.3")}`);
      expect({ status, allow: headers.get("allow") }).toEqual({ status: 405, allow: "POST" });
    }
  });

  it("tells a sender whose request ends too early what was stored of it", async () => {
    const [first, second] = filesOf(ctStudy(208).instances);
    if (first === undefined || second === undefined) throw new Error("no instance");
    const { status, json } = await post(bodyOf([first, second.subarray(0, 900)], { end: "" }));
    expect(status).toBe(202);
    expect(json).toMatchObject({ "00081199": { Value: [{}] }, "0008119A": { Value: [{}] } });
  });

  it("lets a request to store take longer than others", async () => {
    const body = bodyOf(filesOf(ctStudy(209).instances));
    const slowly = (path: string, type: string) => {
      const head = `POST ${path} HTTP/1.1\r\nHost: radferry\r\nAuthorization: Bearer ${tokens.router}\r\nContent-Type: ${type}`;
      const socket = connect(Number(new URL(site.url).port), "127.0.0.1");
      socket.write(`${head}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
      socket.write(body.subarray(0, 500));
      return {
        socket,
        answer: socket
          .setEncoding("utf8")
          .toArray()
          .then((texts) => texts.join("")),
      };
    };
    const storing = slowly("/dicomweb/studies", TYPE);
    const asking = slowly("/session", "application/json");
    expect(await asking.answer).toMatch(/^HTTP\/1\.1 408 /);
    storing.socket.write(body.subarray(500));
    expect(await storing.answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

it("keeps no place for a request to store of which a byte comes now and then", async () => {
  const socket = connect(Number(new URL(site.url).port), "127.0.0.1");
  const head = `POST /dicomweb/studies HTTP/1.1\r\nHost: radferry\r\nAuthorization: Bearer ${tokens.router}\r\nContent-Type: ${TYPE}`;
  socket.write(`${head}\r\nContent-Length: 1000000\r\n\r\n\r\n--B\r\n`);
  const drip = setInterval(() => socket.write("X"), 50);
  const answer = await socket.setEncoding("utf8").toArray();
  clearInterval(drip);
  expect(answer.join("")).toMatch(/^HTTP\/1\.1 408 /);
});

describe("what others send by STOW-RS", () => {
  it.skipIf(python === undefined)("comes from dicomweb-client", async () => {
    await using folder = await temporaryFolder();
    const { instances } = ctStudy(211);
    const files = await Promise.all(
      instances.map(async ({ file }, index) => {
        const path = join(folder.path, `${index}.dcm`);
        await writeFile(path, file);
        return path;
      }),
    );
    const script = join(import.meta.dirname, "..", "peers", "dicomweb-store.py");
    const stored = await runProgram(python ?? "", [script, site.url, tokens.router, ...files], folder.path);
    const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
    expect(JSON.parse(stored.output.trim().split("\n").at(-1) ?? "")).toEqual({ stored: uids, failed: [] });
    const refused = await runProgram(python ?? "", [script, site.url, tokens.unwanted, ...files], folder.path);
    expect(JSON.parse(refused.output.trim().split("\n").at(-1) ?? "")).toEqual({ status: 409 });
  });

  it.skipIf(!hasOrthanc)("comes from Orthanc", async () => {
    const { instances } = ctStudy(212);
    const HttpHeaders = { Authorization: `Bearer ${tokens.router}` };
    await using orthanc = await startOrthanc({
      aeTitle: "ORTHANC",
      configuration: {
        Plugins: [findPeer("libOrthancDicomWeb.so")],
        DicomWeb: { Enable: true, Servers: { gateway: { Url: `${site.url}/`, HttpHeaders } } },
      },
    });
    const orthancUrl = `http://127.0.0.1:${orthanc.httpPort}`;
    for (const file of filesOf(instances))
      await fetch(`${orthancUrl}/instances`, { method: "POST", body: new Uint8Array(file) });
    const studies: unknown = await (await fetch(`${orthancUrl}/studies`)).json();
    const sent = await fetch(`${orthancUrl}/dicom-web/servers/gateway/stow`, {
      method: "POST",
      body: JSON.stringify({ Resources: studies, Synchronous: true }),
    });
    expect(await sent.text()).toContain(`"InstancesCount" : "${instances.length}"`);
    expect(sent.status).toBe(200);
    const sender = expect.objectContaining({ sender: "router", instances: instances.length });
    expect(await listed()).toMatchObject({ items: expect.arrayContaining([sender]) });
  });
});
