import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runPixlProducer } from "../../../../test/peers/pixl-producer.ts";
import { requirePythonPeers } from "../../../../test/peers/python-peers.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { silentLogger } from "../../../units/logger.ts";
import type { FaceServer } from "../../fastapi/server.ts";
import { deserialise } from "../messages/deserialise.ts";
import { startPixlServer } from "./server.ts";

let server: FaceServer;
let perSecond = 0;
let kept: { readonly body: Buffer; readonly priority: number }[] = [];
let isStoreFull = false;
let dead: readonly string[] = [];

beforeAll(async () => {
  const rate = {
    get perSecond() {
      return perSecond;
    },
    async set(next: number) {
      perSecond = next;
    },
  };
  const keep = async (bodies: readonly Buffer[], priority: number): Promise<number> => {
    if (isStoreFull) throw new GatewayError("STORE_UNAVAILABLE");
    kept.push(...bodies.map((body) => ({ body, priority })));
    return 0;
  };
  const host = "0.0.0.0";
  const logger = silentLogger;
  server = await startPixlServer({
    rate,
    keep,
    dead: () => dead,
    host,
    port: 0,
    version: "1.2.3",
    token: TOKEN,
    logger,
  });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  perSecond = 0;
  kept = [];
  isStoreFull = false;
  dead = [];
});

/** Beyond ASCII, as a site may choose one. */
const TOKEN = "OPEN-SÉSAME";
/** A header's value whose bytes are UTF-8, as curl sends what it reads from a file. */
const asSent = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const JSON_HEADERS = { "content-type": "application/json" };
const RATE = "/token-bucket-refresh-rate";

async function ask(path: string, init: RequestInit & { readonly from?: string } = {}): Promise<[number, string]> {
  const answer = await fetch(`http://${init.from ?? "127.0.0.1"}:${server.port}${path}`, init);
  return [answer.status, await answer.text()];
}

const post = (path: string, body: string, headers: Record<string, string> = JSON_HEADERS) =>
  ask(path, { method: "POST", body, headers });

it("says OK, as JSON, to whoever looks whether it lives", async () => {
  const answer = await fetch(`http://127.0.0.1:${server.port}/heart-beat`);
  expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
    200,
    "application/json",
    '"OK"',
  ]);
});

it("says so when it lives, but works nothing off any more", async () => {
  dead = ["imaging-primary"];
  expect(await ask("/heart-beat")).toEqual([503, '{"detail":"Not worked off: imaging-primary"}']);
});

/** As PIXL's own router says it, under FastAPI 0.165 with pydantic 2.14. */
describe("the rate", () => {
  const done = '"Successfully updated the refresh rate"';

  it.each([
    ['{"rate": 2}', "2.0"],
    ['{"rate": 2.5, "more": [1]}', "2.5"],
    ['{"rate": "3"}', "3.0"],
    ['{"rate": " 1.5 "}', "1.5"],
    ['{"rate": "1_000"}', "1000.0"],
    ['{"rate": ".5"}', "0.5"],
    ['{"rate": true}', "1.0"],
    ['{"rate": false}', "0.0"],
    ['{"rate": -0.0}', "0.0"],
    ['{"rate": 1e-7}', "1e-07"],
    ['{"rate": 12345678901234567890123}', "1.2345678901234568e+22"],
    ['\ufeff{"rate": 1, "rate": 2}', "2.0"],
  ])("is set by %s to %s", async (body, rate) => {
    expect(await post(RATE, body)).toEqual([200, done]);
    expect(await ask(RATE)).toEqual([200, `{"rate":${rate}}`]);
  });

  it.each([
    ['{"rate": -1}', "-1.0"],
    ['{"rate": "-0.5"}', "-0.5"],
    ['{"rate": -1e16}', "-1e+16"],
    ['{"rate": -Infinity}', "-inf"],
  ])("is not negative: %s", async (body, rate) => {
    const detail = `{"detail":"Refresh rate mush be a positive integer. Had ${rate}"}`;
    expect(await post(RATE, body)).toEqual([406, detail]);
    expect(await ask(RATE)).toEqual([200, '{"rate":0.0}']);
  });

  const problem = (
    type: string,
    msg: string,
    input: unknown,
    loc: readonly (string | number)[] = ["body", "rate"],
  ) => ({
    type,
    loc,
    msg,
    input,
  });
  const notJson = (at: number, error: string) => ({
    ...problem("json_invalid", "JSON decode error", {}, ["body", at]),
    ctx: { error },
  });
  const noNumber = "Input should be a valid number";
  const noObject = "Input should be a valid dictionary or object to extract fields from";
  const infinite = "Input should be a finite number";
  it.each([
    ["{}", problem("missing", "Field required", {})],
    ["", problem("missing", "Field required", null, ["body"])],
    ['{"rate": null}', problem("float_type", noNumber, null)],
    ['{"rate": []}', problem("float_type", noNumber, [])],
    ['{"rate": "abc"}', problem("float_parsing", `${noNumber}, unable to parse string as a number`, "abc")],
    ['{"rate": "0x10"}', problem("float_parsing", `${noNumber}, unable to parse string as a number`, "0x10")],
    ["[1]", problem("model_attributes_type", noObject, [1], ["body"])],
    ["null", problem("missing", "Field required", null, ["body"])],
    ["hello", notJson(0, "Expecting value")],
    ['{"rate": ', notJson(9, "Expecting value")],
    ["{'rate':1}", notJson(1, "Expecting property name enclosed in double quotes")],
    ['{"rate" 1}', notJson(8, "Expecting ':' delimiter")],
    ['{"rate": 01}', notJson(10, "Expecting ',' delimiter")],
    ['{"rate":1}{"rate":2}', notJson(10, "Extra data")],
    ['{"rate": "a\nb"}', notJson(11, "Invalid control character at")],
    // The original takes these for a rate, and then cannot say which one it has.
    ['{"rate": NaN}', problem("finite_number", infinite, "nan")],
    ['{"rate": "inf"}', problem("finite_number", infinite, "inf")],
    ['{"rate": 1e999}', problem("finite_number", infinite, "inf")],
  ])("is not set by %j", async (body, expected) => {
    const [status, text] = await post(RATE, body);
    expect([status, JSON.parse(text)]).toEqual([422, { detail: [expected] }]);
    expect(perSecond).toBe(0);
  });

  it("is not set by bytes that are no text", async () => {
    const body = Buffer.from([...Buffer.from('{"rate": 1, "by": "'), 0xe9, 0x22, 0x7d]);
    expect(await ask(RATE, { method: "POST", body, headers: JSON_HEADERS })).toEqual([
      400,
      '{"detail":"There was an error parsing the body"}',
    ]);
    expect(perSecond).toBe(0);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "json", "application/json, text/plain"])(
    "is not set by what calls itself %s",
    async (type) => {
      const [status, text] = await post(RATE, '{"rate": 1}', { "content-type": type });
      const expected = problem("model_attributes_type", noObject, '{"rate": 1}', ["body"]);
      expect([status, JSON.parse(text)]).toEqual([422, { detail: [expected] }]);
    },
  );
});

it.each([
  ["POST", "/heart-beat", 405, "GET"],
  ["PUT", RATE, 405, "POST, GET"],
  ["HEAD", "/heart-beat", 405, "GET"],
  ["GET", "/messages", 405, "POST"],
  ["POST", "/docs", 405, "GET, HEAD"],
  ["HEAD", "/docs", 200, null],
  ["HEAD", "/redoc", 200, null],
  ["HEAD", "/openapi.json", 200, null],
  ["GET", "/docs/oauth2-redirect", 200, null],
  ["GET", "/nothing", 404, null],
])("answers %s %s with %i", async (method, path, status, allow) => {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  expect([answer.status, answer.headers.get("allow")]).toEqual([status, allow]);
});

it("answers an address that is no text as one that leads nowhere", async () => {
  expect(await ask("/%FF")).toEqual([404, '{"detail":"Not Found"}']);
});

it("shows its addresses to people and to programs", async () => {
  expect((await ask("/docs"))[1]).toContain("<code>/token-bucket-refresh-rate</code>");
  const [, text] = await ask("/openapi.json");
  const { info, paths, components } = JSON.parse(text);
  expect(info).toEqual({ title: "imaging-api", description: "Imaging extraction service", version: "1.2.3" });
  expect(Object.keys(paths)).toEqual(["/heart-beat", RATE, "/messages"]);
  // Programs that are made from the original's page name their functions so.
  expect(paths[RATE].post.operationId).toBe("update_tb_refresh_rate_token_bucket_refresh_rate_post");
  expect(components.schemas.TokenRefreshUpdate).toMatchObject({ required: ["rate"] });
  const body = paths["/messages"].post.requestBody.content["application/json"].schema;
  const reference = { $ref: "#/components/schemas/Message" };
  expect(body).toEqual({ anyOf: [reference, { type: "array", items: reference }] });
});

const MESSAGE = { mrn: "1", accession_number: "A1", study_uid: "1.2.3", series_uid: "", project_name: "p" };
const PICKLED = { "py/object": "core.patient_queue.message.Message", ...MESSAGE };

describe("messages", () => {
  it.each([
    ["a plain one", MESSAGE],
    ["jsonpickle's", PICKLED],
    ["a list", [MESSAGE]],
    ["one without a UID, as Parquet has it", { ...MESSAGE, study_uid: null }],
  ])("are kept in PIXL's own form: %s", async (_, body) => {
    expect(await post("/messages?priority=4", JSON.stringify(body))).toEqual([202, '{"accepted":1,"joined":0}']);
    expect(kept.map(({ priority }) => priority)).toEqual([4]);
    const [first = { body: Buffer.alloc(0) }] = kept;
    expect(first.body.toString()).toMatch(/^\{"py\/object": "core\.patient_queue\.message\.Message", "mrn": "1"/);
  });

  it.skipIf(!requirePythonPeers())(
    "are kept as jsonpickle wrote them, in a list whose objects refer to each other",
    async () => {
      const { list = "", decode } = await runPixlProducer({ do: ["list", "decode"], messages: [] });
      expect(decode).toEqual([]);
      const text = Buffer.from(list, "base64").toString();
      expect(text).toContain('{"py/id": ');
      expect(await post("/messages", text)).toEqual([202, '{"accepted":4,"joined":0}']);
      const [london, utc] = ["2023-12-07T14:08:58.123456+00:00[Europe/London]", "2023-12-07T14:08:58.123456+00:00"];
      expect(kept.map(({ body }) => deserialise(body).extractGeneratedTimestamp)).toEqual([london, utc, utc, london]);
      expect(kept.map(({ body }) => deserialise(body).studyDate)).toEqual(Array(4).fill("2022-11-22"));
    },
  );

  it.each([
    [
      "{}",
      [
        ["body", "mrn"],
        ["body", "accession_number"],
        ["body", "study_uid"],
        ["body", "project_name"],
      ],
    ],
    [JSON.stringify([MESSAGE, { ...MESSAGE, mrn: 7 }]), [["body", 1, "mrn"]]],
    [JSON.stringify({ ...MESSAGE, accession_number: "A*" }), [["body", "accession_number"]]],
    [JSON.stringify({ ...MESSAGE, study_uid: "", mrn: " " }), [["body"]]],
    ['{"mrn": NaN, "accession_number": "A", "study_uid": "1.2", "project_name": "p"}', [["body", "mrn"]]],
    [JSON.stringify({ ...PICKLED, "py/object": "os.system" }), [["body"]]],
    [
      JSON.stringify({ ...MESSAGE, study_date: { "py/reduce": [{ "py/function": "os.system" }, ["true"]] } }),
      [["body"]],
    ],
    ["[]", [["body"]]],
    ["3", [["body"]]],
    ["", [["body"]]],
    ["[", [["body", 1]]],
    ["[".repeat(100_000), [["body", 257]]],
    [JSON.stringify(Array(10_001).fill(0)), [["body"]]],
  ])("are refused as a whole, by field: %.40s", async (body, places) => {
    const [status, text] = await post("/messages", body);
    expect([status, JSON.parse(text).detail.map(({ loc }: { readonly loc: unknown }) => loc)]).toEqual([422, places]);
    expect(kept).toEqual([]);
  });

  it("have a priority from 1 to 5", async () => {
    expect((await post("/messages?priority=6", JSON.stringify(MESSAGE)))[0]).toBe(422);
    expect((await post("/messages", JSON.stringify(MESSAGE)))[0]).toBe(202);
    expect(kept.map(({ priority }) => priority)).toEqual([1]);
  });

  it("are answered for only when they are kept", async () => {
    isStoreFull = true;
    expect(await post("/messages", JSON.stringify(MESSAGE))).toEqual([503, '{"detail":"Service Unavailable"}']);
  });

  it("are no longer than a long list", async () => {
    expect((await post("/messages", "[".repeat(11 << 20)))[0]).toBe(413);
  });

  const [other] = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address?.family === "IPv4" && !address.internal);

  it.each([
    ["of another site's page", { origin: "http://elsewhere.example" }, 401],
    ["that a proxy passed on", { "x-forwarded-for": "10.0.0.9" }, 401],
    ["with a wrong token", { authorization: "Bearer SESAME" }, 401],
    [
      "that a proxy passed on, with the token",
      { "x-forwarded-for": "10.0.0.9", authorization: asSent(`Bearer ${TOKEN}`) },
      202,
    ],
  ])("need a token unless they are this machine's own: one %s", async (_, headers, status) => {
    expect((await post("/messages", JSON.stringify(MESSAGE), { ...JSON_HEADERS, ...headers }))[0]).toBe(status);
  });

  it.skipIf(other === undefined)("need a token from another address", async () => {
    const init = { from: other?.address ?? "", method: "POST", body: JSON.stringify(MESSAGE), headers: JSON_HEADERS };
    expect((await ask("/messages", init))[0]).toBe(401);
    const authorization = asSent(`Bearer ${TOKEN}`);
    expect((await ask("/messages", { ...init, headers: { ...JSON_HEADERS, authorization } }))[0]).toBe(202);
  });

  it("are refused before they are read", async () => {
    const asking = request({ port: server.port, method: "POST", path: "/messages", headers: { origin: "http://a" } });
    asking.flushHeaders();
    const status = await new Promise((resolve) => asking.on("response", (answer) => resolve(answer.statusCode)));
    expect(status).toBe(401);
    asking.destroy();
  });
});
