import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { createRequest } from "../../../src/network/ihe/request.ts";
import { readImagingDocumentSetRequest } from "../../../src/network/ihe/responder/request-reader.ts";
import { someInstances } from "../../../src/network/ihe/testing/instances.ts";
import { rehearse } from "../../../src/network/ihe/testing/rehearsal.ts";
import { createMultipartScanner } from "../../../src/network/multipart/scanner.ts";
import { seededRandom } from "../../../src/units/random.ts";

const held = someInstances(2, 2);
const options = {
  to: "https://source.example/rids?a=1&b=2",
  repositoryUniqueId: "1.2.3",
  transferSyntaxUids: ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"],
} as const;

/** Names of elements with their attributes, in order, as a schema would see them. */
function shapeOf(xml: string): readonly string[] {
  const shape: string[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ local, attributes }) => {
    const names = Object.values(attributes)
      .filter(({ prefix }) => prefix === "")
      .map(({ local: name }) => `@${name}`);
    shape.push([local, ...names].join(""));
  });
  parser.write(xml).close();
  return shape;
}

describe("D1 a request", () => {
  const xml = createRequest(held, { ...options, encoding: "plain" }, seededRandom(1)).body;

  it("has one request element, with elements in the order of the schema", () => {
    const document = ["DocumentRequest", "RepositoryUniqueId", "DocumentUniqueId"];
    const series = ["SeriesRequest@seriesInstanceUID", ...document, ...document];
    expect(shapeOf(xml)).toEqual([
      "Envelope",
      ...["Header", "Action", "MessageID", "ReplyTo", "Address", "To", "Body"],
      ...["RetrieveImagingDocumentSetRequest", "StudyRequest@studyInstanceUID", ...series, ...series],
      ...["TransferSyntaxUIDList", "TransferSyntaxUID", "TransferSyntaxUID"],
    ]);
  });

  it("says what it is, to whom, and that it waits on this connection", () => {
    expect(readImagingDocumentSetRequest(xml)).toMatchObject({
      action: "urn:ihe:rad:2009:RetrieveImagingDocumentSet",
      to: options.to,
      replyTo: "http://www.w3.org/2005/08/addressing/anonymous",
      messageId: expect.stringMatching(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      requests: 1,
      hasStrayText: false,
      transferSyntaxUids: options.transferSyntaxUids,
    });
  });

  it("cannot be broken out of by what it holds", () => {
    const evil = `"/><x>&amp;\u0000\ud800]]>'`;
    const instances = [{ studyInstanceUid: evil, seriesInstanceUid: evil, sopInstanceUid: evil }];
    const { body } = createRequest(instances, { ...options, encoding: "plain" }, seededRandom(1));
    const read = readImagingDocumentSetRequest(body).documents[0];
    expect(read?.documentUniqueId).toBe(`"/><x>&amp;\ufffd\ufffd]]>'`);
    expect(read?.studyInstanceUid).toBe(read?.documentUniqueId);
  });

  it("is the same envelope as MTOM, in one part that start names", () => {
    const { body, contentType } = createRequest(held, { ...options, encoding: "mtom" }, seededRandom(1));
    const boundary = /boundary=([^;]+)/.exec(contentType)?.[1];
    const tokens = createMultipartScanner(boundary).push(Buffer.from(body));
    const [part, data] = tokens;
    expect(tokens.map(({ kind }) => kind)).toEqual(["part", "data", "end"]);
    if (part?.kind !== "part" || data?.kind !== "data") throw new Error("no part");
    expect(contentType).toContain(`start="${part.headers.get("content-id")}"`);
    expect(shapeOf(data.bytes.toString())).toEqual(shapeOf(xml));
  });

  it.each(["mtom", "plain"] as const)("is taken by a strict source as %s", async (encoding) => {
    expect(await rehearse({ held, client: { encoding } })).toMatchObject({ codes: [], wrong: [] });
  });
});

describe("D2 grouping", () => {
  it.each([
    ["series", {}, [2, 2]],
    ["all at once", { grouping: "single" }, [4]],
    ["series, at most one instance", { maximumInstances: 1 }, [1, 1, 1, 1]],
    ["series, cut for workers", { parallel: 4, split: true }, [1, 1, 1, 1]],
    ["series, with workers", { parallel: 4 }, [2, 2]],
  ] as const)("by %s", async (_, retrieve, sizes) => {
    const result = await rehearse({ held, retrieve });
    expect(result.asked.map(({ length }) => length)).toEqual(sizes);
    expect(result).toMatchObject({ codes: [], wrong: [] });
  });

  it("runs as many requests at once as it may, and no more", async () => {
    let atOnce = 0;
    let most = 0;
    const { promise: bothThere, resolve } = Promise.withResolvers<void>();
    await rehearse({
      held: someInstances(1, 6),
      retrieve: { parallel: 2 },
      responder: {
        async alter(plan) {
          atOnce += 1;
          most = Math.max(most, atOnce);
          if (atOnce === 2) resolve();
          await bothThere;
          return plan;
        },
        async write(response, body) {
          for await (const bytes of body) response.write(bytes);
          atOnce -= 1;
          response.end();
        },
      },
    });
    expect(most).toBe(2);
  });
});

it("D3 an instance that is named twice is asked for once", async () => {
  const result = await rehearse({ held, asked: [...held, ...held] });
  expect(result.asked.flat().length).toBe(4);
});

it("D4 nothing to ask for: no request", async () => {
  expect(await rehearse({ held, asked: [] })).toMatchObject({ requests: 0, files: [] });
});

it("D5 repository, community and transfer syntaxes are what they are set to, for each instance its own", async () => {
  const seen: unknown[] = [];
  const [first] = held;
  if (first === undefined) throw new Error("no instance");
  const transferSyntaxUids = [first.transferSyntaxUid, "1.2.840.10008.1.2.4.70"];
  const client = { repositoryUniqueId: "1.9", homeCommunityId: "urn:oid:1.8", transferSyntaxUids };
  const asked = [first, { ...held[1], ...first, sopInstanceUid: "1.5", repositoryUniqueId: "1.7" }];
  await rehearse({
    held,
    asked,
    client,
    responder: {
      alter(plan, request) {
        seen.push(request.transferSyntaxUids, ...request.documents);
        return plan;
      },
    },
  });
  expect(seen).toEqual([
    transferSyntaxUids,
    expect.objectContaining({ repositoryUniqueId: "1.9", homeCommunityId: "urn:oid:1.8" }),
    expect.objectContaining({ repositoryUniqueId: "1.7", homeCommunityId: "urn:oid:1.8" }),
  ]);
});

it("D6 a session that is over is renewed once for all workers", async () => {
  let logins = 0;
  const isValid = () => logins >= 2;
  const logIn = async () => {
    logins += 1;
    return { cookie: `session=${logins}` };
  };
  const { promise: allThere, resolve } = Promise.withResolvers<void>();
  let refusals = 0;
  const result = await rehearse({
    held: someInstances(1, 4),
    http: { authentication: { logIn } },
    retrieve: { parallel: 4 },
    responder: {
      async alter(plan) {
        if (isValid()) return plan;
        refusals += 1;
        if (refusals === 4) resolve();
        await allThere;
        return { ...plan, httpStatus: 401, contentType: "text/html", framing: "plain" };
      },
    },
  });
  expect(result).toMatchObject({ codes: [], wrong: [] });
  expect({ logins, refusals }).toEqual({ logins: 2, refusals: 4 });
});
