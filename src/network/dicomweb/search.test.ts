import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { startWebServer, type WebAnswer, type WebRequest } from "../../../test/peers/dicomweb-server.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { tagOf } from "../../dicom/tag.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { numberOf, textOf, uidOf } from "../../dicom/values.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { neverAborted } from "../../units/abort.ts";
import { openHttpClient } from "../http-client/http-client.ts";
import { type Search, searchDicomWeb } from "./search.ts";

const STUDIES: Search = { level: "STUDY", matching: [], including: [], maximumAnswers: 100 };
const WITHIN: Search = { ...STUDIES, level: "IMAGE", studyInstanceUid: "1.2.3" as StudyInstanceUid };

/** A study of so many: `1.2.0`, `1.2.1`, … */
const study = (number: number) => ({ "0020000D": { vr: "UI", Value: [`1.2.${number}`] } });
const studies = (count: number, from = 0) => Array.from({ length: count }, (_, index) => study(from + index));

/** What a search finds at a server that answers so, and what it asked. */
async function search(answer: (request: WebRequest) => WebAnswer, request: Partial<Search> = {}) {
  await using server = await startWebServer(answer);
  await using client = openHttpClient({ baseUrl: `${server.url}/dicom-web/` });
  const found: string[] = [];
  let code: unknown;
  let by: unknown;
  try {
    for await (const match of searchDicomWeb(client, { ...STUDIES, ...request }, neverAborted())) {
      found.push(uidOf(match, tags.StudyInstanceUID) ?? "none");
    }
  } catch (thrown) {
    ({
      code,
      details: { by },
    } = toGatewayError(thrown));
  }
  return { found, code, by, asked: server.requests.map(({ path, query }) => `${path}?${query}`) };
}

/** A service that holds so many studies and gives `most` at once. */
const holding =
  (count: number, most = 1_000, more: Partial<WebAnswer> = {}) =>
  ({ query }: WebRequest): WebAnswer => {
    const offset = Number(query.get("offset") ?? 0);
    const page = studies(count).slice(offset, offset + Math.min(most, Number(query.get("limit") ?? 1_000)));
    return page.length === 0 ? { status: 204 } : { body: page, ...(offset + page.length < count ? more : {}) };
  };

describe("what is asked", () => {
  it("is keys by tag, what to return, and a page at a time", async () => {
    const { asked } = await search(holding(0), {
      matching: [[tags.PatientID, "4711&co"]],
      including: [tags.AccessionNumber],
      fuzzy: true,
    });
    expect(asked).toEqual(["/dicom-web/studies?00100020=4711%26co&includefield=00080050&fuzzymatching=true&limit=101"]);
  });

  it("lies within the study or series that is named", async () => {
    const { asked } = await search(holding(0), WITHIN);
    expect(asked).toEqual(["/dicom-web/studies/1.2.3/instances?limit=101"]);
  });
});

describe("a list in pages", () => {
  const all = studies(7).map((each) => each["0020000D"].Value[0]);

  it("is asked for until a page is not full", async () => {
    const { found, asked } = await search(holding(7), { pageSize: 3 });
    expect(found).toEqual(all);
    expect(asked.map((each) => each.replace(/.*\?/, ""))).toEqual(["limit=3", "limit=3&offset=3", "limit=3&offset=6"]);
  });

  it.each([
    ["a warning", { headers: { Warning: '299 {SERVICE}: "There are 4 additional results that can be requested"' } }],
    ["status 206", { status: 206 }],
  ])("that the service cuts shorter, with %s, is asked for to its end", async (_, more) => {
    expect(await search(holding(7, 2, more), { pageSize: 5 })).toMatchObject({ found: all, code: undefined });
  });

  it("that comes whole, with a warning of something else, is whole", async () => {
    const headers = { Warning: "299 http://server/: The fuzzymatching parameter is not supported." };
    const answer = ({ query }: WebRequest) => ({ headers, body: query.has("offset") ? [] : studies(2) });
    expect(await search(answer)).toMatchObject({ found: ["1.2.0", "1.2.1"], code: undefined });
  });

  it("of a service that heeds neither offset nor limit is taken once", async () => {
    const { found, asked } = await search(() => ({ body: studies(7) }), { pageSize: 3 });
    expect(found).toEqual(all);
    expect(asked.length).toBe(2);
  });

  it("of a service that heeds the limit and no offset is asked for at once", async () => {
    const heeding = ({ query }: WebRequest) => ({ body: studies(7).slice(0, Number(query.get("limit"))) });
    const { found, code, asked } = await search(heeding, { pageSize: 3 });
    expect({ found, code }).toEqual({ found: all, code: undefined });
    expect(asked.map((each) => each.replace(/.*\?/, ""))).toEqual(["limit=3", "limit=3&offset=3", "limit=101"]);
    const tooMany = await search(heeding, { pageSize: 3, maximumAnswers: 5 });
    expect(tooMany).toMatchObject({ found: all.slice(0, 5), code: "FIND_LIMIT_REACHED", by: "us" });
  });

  it("of a service that heeds neither, and has just as many as a page, is whole", async () => {
    const { found, code, asked } = await search(() => ({ body: studies(3) }), { pageSize: 3 });
    expect({ found, code, asked: asked.length }).toEqual({ found: all.slice(0, 3), code: undefined, asked: 3 });
  });

  it("of such a service that holds some back is no whole list", async () => {
    const headers = { Warning: "299 - more" };
    const result = await search(() => ({ headers, body: studies(3) }));
    expect(result).toMatchObject({ found: ["1.2.0", "1.2.1", "1.2.2"], code: "FIND_LIMIT_REACHED", by: "peer" });
  });

  it("gives as many as are wanted before it says that there are more", async () => {
    const result = await search(() => ({ body: studies(50) }), { maximumAnswers: 2 });
    expect(result).toMatchObject({ found: ["1.2.0", "1.2.1"], code: "FIND_LIMIT_REACHED", by: "us" });
    expect(result.asked).toEqual(["/dicom-web/studies?limit=3"]);
  });

  it("without end ends all the same", async () => {
    const endless = ({ query }: WebRequest) => ({ body: studies(10, Number(query.get("offset") ?? 0)) });
    const result = await search(endless, { pageSize: 10 });
    expect({ code: result.code, found: result.found.length }).toEqual({ code: "FIND_LIMIT_REACHED", found: 100 });
    const nameless = await search(() => ({ body: Array.from({ length: 10 }, () => ({})) }), { pageSize: 10 });
    expect({ code: nameless.code, found: nameless.found.length }).toEqual({ code: "FIND_LIMIT_REACHED", found: 100 });
  });
});

describe("an answer that says", () => {
  it.each<[string, WebAnswer]>([
    ["204", { status: 204 }],
    ["an empty list", { body: [] }],
    ["nothing", {}],
    ["nothing, as JSON", { headers: { "Content-Type": "application/dicom+json" } }],
  ])("%s finds nothing", async (_, answer) => {
    expect(await search(() => answer)).toMatchObject({ found: [], code: undefined });
  });

  it("nothing before the connection ends may have been cut: it does not say that there is nothing", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n\r\n";
    await using server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(head)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${port}/` });
    await expect(searchDicomWeb(client, STUDIES, neverAborted()).next()).rejects.toMatchObject({
      code: "HTTP_CONNECTION_LOST",
    });
  });

  it("404 finds nothing within a study; elsewhere the base URL is wrong", async () => {
    expect(await search(() => ({ status: 404 }), WITHIN)).toMatchObject({ found: [], code: undefined });
    expect(await search(() => ({ status: 404 }))).toMatchObject({ found: [], code: "HTTP_NOT_FOUND" });
  });

  it.each<[string, WebAnswer, string]>([
    ["a web page", { headers: { "Content-Type": "text/html" }, body: "<html>log in" }, "HTTP_CONTENT_UNEXPECTED"],
    ["XML", { headers: { "Content-Type": "application/dicom+xml" }, body: "<NativeDicomModel/>" }, "HTTP_JSON_INVALID"],
    ["an object", { body: { error: "no" } }, "HTTP_JSON_INVALID"],
    ["half of a list", { body: '[{"0020000D":' }, "HTTP_JSON_INVALID"],
    ["lists without end", { body: "[".repeat(100_000) }, "HTTP_JSON_INVALID"],
    ["objects without end", { body: `[${'{"00081199":{"vr":"SQ","Value":['.repeat(5_000)}` }, "HTTP_JSON_INVALID"],
    ["something, cut", { body: "[{}", ends: "cut" }, "HTTP_CONNECTION_LOST"],
    ["400", { status: 400 }, "HTTP_REFUSED"],
    ["401", { status: 401 }, "HTTP_UNAUTHORISED"],
    ["429", { status: 429, headers: { "Retry-After": "7" } }, "HTTP_TOO_MANY_REQUESTS"],
    ["500", { status: 500, body: "stack trace" }, "HTTP_SERVER_FAILED"],
    ["503", { status: 503 }, "HTTP_UNAVAILABLE"],
    ["302 to elsewhere", { status: 302, headers: { Location: "https://login.example/" } }, "HTTP_REDIRECTED"],
  ])("%s is an error of its own", async (_, answer, code) => {
    expect(await search(() => answer, WITHIN)).toMatchObject({ found: [], code });
  });

  it("more than is read is refused, compressed or not", async () => {
    const body = gzipSync(Buffer.concat([Buffer.from("["), Buffer.alloc(65 * 1024 * 1024, " ")]), { level: 1 });
    const headers = { "Content-Type": "application/dicom+json", "Content-Encoding": "gzip" };
    expect(await search(() => ({ headers, body }))).toMatchObject({ code: "HTTP_BODY_TOO_LARGE" });
  });
});

describe("a match as servers write it", () => {
  async function matchOf(json: unknown) {
    await using server = await startWebServer(() => ({ body: [json] }));
    await using client = openHttpClient({ baseUrl: server.url });
    for await (const match of searchDicomWeb(client, { ...STUDIES, maximumAnswers: 1 }, neverAborted())) return match;
    throw new Error("no match");
  }

  it("is read with numbers as texts, texts as numbers, values outside of arrays, VRs left out, names as texts", async () => {
    const match = await matchOf({
      "0020000d": { Value: "1.2.3" },
      "00201208": { vr: "IS", Value: ["12"] },
      "00280010": { vr: "US", Value: ["512"] },
      "00080050": { vr: "SH", Value: [4711] },
      "00100010": { vr: "PN", Value: ["Winterbourne^Septimus"] },
      "00100020": { vr: "LO", Value: null },
      "00081190": { vr: "UR", Value: ["/dcm4chee-arc/aets/A/rs/studies/1.2.3"] },
    });
    expect(uidOf(match, tags.StudyInstanceUID)).toBe("1.2.3");
    expect(numberOf(match, tags.NumberOfStudyRelatedInstances)).toBe(12);
    expect(numberOf(match, tags.Rows)).toBe(512);
    expect(textOf(match, tags.AccessionNumber)).toBe("4711");
    expect(textOf(match, tags.PatientName)).toBe("Winterbourne^Septimus");
    expect(textOf(match, tags.PatientID)).toBe(undefined);
    expect(match.has(tagOf(0x0008_1190))).toBe(true);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["a number beyond its VR", { "00280010": { vr: "US", Value: [70_000] } }],
    ["a number that is none", { "00280010": { vr: "US", Value: ["many"] } }],
    ["a VR that does not exist", { "00280010": { vr: "ZZ", Value: [1] } }],
    ["bulk data", { "7FE00010": { vr: "OW", BulkDataURI: "http://elsewhere.example/" } }],
    ["a name that is no tag", { constructor: { vr: "LO", Value: ["x"] }, __proto__: { vr: "LO" } }],
    ["an attribute twice", { "0020000d": { vr: "UI", Value: ["9.9"] } }],
    ["an attribute that is no object", { "00100020": "4711" }],
    ["a URL as the study", { "00081190": { vr: "UR", Value: [{}] } }],
  ])("with %s is read without it", async (_, odd) => {
    const match = await matchOf({ ...study(3), ...odd });
    expect(uidOf(match, tags.StudyInstanceUID)).toBe("1.2.3");
  });

  it.each([[null], ["text"], [[[]]], [17]])("that is %j has nothing in it", async (json) => {
    expect((await matchOf(json)).size).toBe(0);
  });
});
