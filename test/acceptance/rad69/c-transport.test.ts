import { once } from "node:events";
import { readdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { openHttpClient } from "../../../src/network/http-client/http-client.ts";
import { createRad69Client } from "../../../src/network/ihe/client.ts";
import type { SoughtDocument } from "../../../src/network/ihe/responder/plan.ts";
import { startRad69Responder } from "../../../src/network/ihe/responder/responder.ts";
import { retrieveInstances } from "../../../src/network/ihe/retrieve.ts";
import { content, type Fault } from "../../../src/network/ihe/testing/faults.ts";
import { someInstances, sourceOf } from "../../../src/network/ihe/testing/instances.ts";
import { rehearse } from "../../../src/network/ihe/testing/rehearsal.ts";
import { openInstanceFolder } from "../../../src/network/instance-files/instance-folder.ts";
import { systemClock } from "../../../src/units/clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const held = someInstances(3);
const [first, second] = held;
if (first === undefined || second === undefined) throw new Error("no instances");

type Write = (response: ServerResponse, body: AsyncIterable<Uint8Array>) => Promise<void>;

/** Where an answer is left, after so many of its parts, and how much of the next piece is sent: root is part 0. */
const PLACES = {
  "in the first delimiter": { afterParts: 0, more: 5 },
  "in the root part": { afterParts: 0, more: 400 },
  "in a part's headers": { afterParts: 1, more: 60 },
  "in a part": { afterParts: 1, more: 700 },
  "before the end": { afterParts: 4, more: 4 },
} as const;

/** Sends up to a place, then does this. */
function upTo(boundaryOf: () => string, place: keyof typeof PLACES, then: (response: ServerResponse) => void): Write {
  return async (response, body) => {
    const { afterParts, more } = PLACES[place];
    const bytes = Buffer.concat(await Array.fromAsync(body));
    const delimiter = `--${boundaryOf()}`;
    let at = 0;
    for (let parts = 0; parts < afterParts; parts += 1) at = bytes.indexOf(delimiter, at + delimiter.length);
    response.write(bytes.subarray(0, at + more), () => then(response));
  };
}

function watchedBoundary() {
  let boundary = "";
  const alter: Fault = (plan) => {
    boundary = plan.boundary;
    return plan;
  };
  return { alter, boundaryOf: () => boundary };
}

describe("C1 an answer that is cut", () => {
  it.each([
    ["in the first delimiter", 0],
    ["in the root part", 0],
    ["in a part's headers", 0],
    ["in a part", 0],
    ["before the end", 2],
  ] as const)("%s: what came whole is kept", async (place, count) => {
    for (const [how, then] of [
      ["cut", (response: ServerResponse) => response.destroy()],
      ["ended", (response: ServerResponse) => response.end()],
    ] as const) {
      const { alter, boundaryOf } = watchedBoundary();
      const result = await rehearse({ held, responder: { alter, write: upTo(boundaryOf, place, then) } });
      expect(result.wrong).toEqual([]);
      expect(result.files.length).toBe(count);
      const codes = how === "cut" ? ["HTTP_CONNECTION_LOST"] : ["MULTIPART_TRUNCATED"];
      expect([...new Set(result.codes)]).toEqual(codes);
    }
  });
});

describe("C2 an answer that stalls", () => {
  const timeouts = { headersMs: 60_000, idleMs: 60_000 };

  it("before its headers", async () => {
    const alter = () => new Promise<never>(() => {});
    const result = await rehearse({ held, responder: { alter }, http: { timeouts: { ...timeouts, headersMs: 50 } } });
    expect(new Set(result.codes)).toEqual(new Set(["HTTP_HEADERS_TIMED_OUT"]));
  });

  it.each(["in the root part", "in a part"] as const)("%s", async (place) => {
    const { alter, boundaryOf } = watchedBoundary();
    const write = upTo(boundaryOf, place, () => {});
    const result = await rehearse({
      held,
      responder: { alter, write },
      http: { timeouts: { ...timeouts, idleMs: 50 } },
    });
    expect(new Set(result.codes)).toEqual(new Set(["HTTP_IDLE_TIMED_OUT"]));
    expect(result.files).toEqual([]);
  });
});

describe("C3 after a failure", () => {
  /** Cuts the first answer before its last part is whole. */
  const cutOnce = () => {
    let answers = 0;
    const write: Write = async (response, body) => {
      answers += 1;
      const bytes = Buffer.concat(await Array.fromAsync(body));
      if (answers > 1) return void response.end(bytes);
      response.write(bytes.subarray(0, bytes.length - 500), () => response.destroy());
    };
    return write;
  };

  it("only what is missing is asked for again", async () => {
    const result = await rehearse({ held, responder: { write: cutOnce() }, retrieve: { attempts: 3 } });
    expect(result).toMatchObject({ codes: [], wrong: [], requests: 2 });
    expect(result.asked).toEqual([held.map(({ sopInstanceUid }) => sopInstanceUid), [held[2]?.sopInstanceUid]]);
  });

  it("nothing is asked for again when one try is all there is", async () => {
    const result = await rehearse({ held, responder: { write: cutOnce() }, retrieve: { attempts: 1 } });
    expect(result).toMatchObject({ codes: ["HTTP_CONNECTION_LOST"], wrong: [], requests: 1 });
    expect(result.delivered.length).toBe(2);
  });

  it("a request that fails as a whole is halved until the one instance is found", async () => {
    const many = someInstances(8);
    const poison = many[5]?.sopInstanceUid;
    const alter: Fault = (plan) =>
      plan.documents.some(({ documentUniqueId }) => documentUniqueId === poison)
        ? { ...plan, httpStatus: 500, contentType: "text/html", framing: "plain" }
        : plan;
    const result = await rehearse({ held: many, responder: { alter }, retrieve: { attempts: 5 } });
    expect(result.delivered.length).toBe(7);
    expect(result.codes).toEqual(["HTTP_SERVER_FAILED"]);
    expect(result.requests).toBeLessThan(16 + 4 * 4);
  });

  it("one that Vitrea fails as a whole names what it misses: the others are asked for without it", async () => {
    const asked = [...held, { ...first, sopInstanceUid: "1.2.3.4" }];
    const result = await rehearse({ held, asked, responder: { profile: "vitrea" }, retrieve: { attempts: 3 } });
    expect(result.delivered.length).toBe(3);
    expect(result).toMatchObject({ codes: ["RAD69_DOCUMENT_MISSING"], requests: 2 });
  });

  it("what every request would meet is met once", async () => {
    const many = someInstances(1, 4);
    const alter: Fault = (plan) => ({ ...plan, httpStatus: 403, contentType: "text/html", framing: "plain" });
    const result = await rehearse({ held: many, responder: { alter }, retrieve: { attempts: 5 } });
    expect(result).toMatchObject({ requests: 1, codes: Array.from({ length: 4 }, () => "HTTP_FORBIDDEN") });
  });
});

/** A retrieval that is cancelled when the responder has come to a place. */
it("C4 cancelled in the middle: the socket is closed, temporary files are gone, whole ones stay", async () => {
  await using folder = await temporaryFolder();
  const abort = new AbortController();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { alter, boundaryOf } = watchedBoundary();
  const write: Write = async (response, body) => {
    response.once("close", resolve);
    const bytes = Buffer.concat(await Array.fromAsync(body));
    const last = bytes.lastIndexOf(`--${boundaryOf()}\r\n`);
    response.write(bytes.subarray(0, last + 400));
  };
  await using responder = await startRad69Responder({ source: sourceOf(held), alter, write });
  await using http = openHttpClient({ baseUrl: responder.url });
  const client = createRad69Client({ http, url: responder.url });
  const store = await openInstanceFolder(folder.path, systemClock);
  let arrived = 0;
  const onInstance = (): void => {
    arrived += 1;
    if (arrived === 2) abort.abort(new Error("enough"));
  };
  const retrieving = retrieveInstances(client, held, store, { signal: abort.signal, onInstance });
  await expect(retrieving).rejects.toThrow("enough");
  await closed;
  expect(await readdir(folder.path)).toEqual([`${first.sopInstanceUid}.dcm`, `${second.sopInstanceUid}.dcm`]);
});

it("C5 a store that is behind holds the source back", async () => {
  const pieceBytes = 1024 * 1024;
  const pieces = 64;
  let sent = 0;
  const { promise: paused, resolve } = Promise.withResolvers<void>();
  const write: Write = async (response, body) => {
    for await (const bytes of body) response.write(bytes);
    // Behind the closing delimiter anything may follow.
    for (; sent < pieces; sent += 1) {
      if (response.write(Buffer.alloc(pieceBytes))) continue;
      resolve();
      await once(response, "drain");
    }
    response.end();
  };
  await using responder = await startRad69Responder({ source: sourceOf(held), write });
  await using http = openHttpClient({ baseUrl: responder.url });
  const client = createRad69Client({ http, url: responder.url });
  let sentMeanwhile = 0;
  const begin = async () => {
    await paused;
    sentMeanwhile = Math.max(sentMeanwhile, sent);
    return {
      write: () => {},
      source: () => ({ sizeBytes: 0, read: async () => new Uint8Array(0) }),
      keep: async () => "",
      discard: async () => {},
    };
  };
  await retrieveInstances(client, held, { begin }, { attempts: 1 });
  expect(sentMeanwhile).toBeLessThan(pieces);
  expect(sent).toBe(pieces);
});

describe("C6 instances that are none", () => {
  it.each([
    ["cut in its pixel data", first.file.subarray(0, first.file.length - 2), "INSTANCE_INCOMPLETE"],
    ["cut in its header", first.file.subarray(0, 600), "INSTANCE_INCOMPLETE"],
    ["no DICOM", Buffer.alloc(1_234), "INSTANCE_UNREADABLE"],
    ["a data set without Part 10 header", first.bytes, "INSTANCE_UNREADABLE"],
    ["a web page", Buffer.from("<html>log in</html>"), "INSTANCE_UNREADABLE"],
  ])("%s: not kept, and the others are", async (_, bytes, code) => {
    const result = await rehearse({ held, responder: { alter: content(bytes) } });
    expect(result).toMatchObject({ codes: [code], wrong: [] });
    expect(result.delivered.length).toBe(2);
  });

  it("in a transfer syntax that was not asked for", async () => {
    const transferSyntaxUids = ["1.2.840.10008.1.2.4.70"];
    const source = { find: async ({ documentUniqueId }: SoughtDocument) => lying.get(documentUniqueId) };
    const result = await rehearse({ held, responder: { source }, client: { transferSyntaxUids } });
    expect(new Set(result.codes)).toEqual(new Set(["INSTANCE_TRANSFER_SYNTAX_UNEXPECTED"]));
  });
});

/** They say that they are stored in the syntax that is asked for. */
const lying = new Map(
  held.map((one) => [
    one.sopInstanceUid,
    {
      ...one,
      transferSyntaxUid: "1.2.840.10008.1.2.4.70",
      sizeBytes: one.file.length,
      async *open() {
        yield one.file;
      },
    },
  ]),
);
