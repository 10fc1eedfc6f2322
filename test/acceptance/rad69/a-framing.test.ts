import { once } from "node:events";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { openHttpClient } from "../../../src/network/http-client/http-client.ts";
import { quoted } from "../../../src/network/http-client/media-type.ts";
import { createRad69Client } from "../../../src/network/ihe/client.ts";
import type { AnswerPlan } from "../../../src/network/ihe/responder/plan.ts";
import { retrieveInstances } from "../../../src/network/ihe/retrieve.ts";
import { bytesPart } from "../../../src/network/ihe/testing/faults.ts";
import { someInstances, sourceInstanceOf } from "../../../src/network/ihe/testing/instances.ts";
import {
  planFor,
  readWritten,
  type WrittenAnswer,
  writtenAnswer,
} from "../../../src/network/ihe/testing/read-answer.ts";
import { rehearse } from "../../../src/network/ihe/testing/rehearsal.ts";
import { memoryStore } from "../../../src/network/instance-files/incoming.ts";
import { seededRandom } from "../../../src/units/random.ts";
import { freePort } from "../../peers/free-port.ts";

const held = someInstances(3);
let plan: AnswerPlan;
let written: WrittenAnswer;

beforeAll(async () => {
  plan = await planFor(held);
  written = await writtenAnswer(plan);
});

/** Every instance came, with the source's bytes. */
async function expectAll(answer: WrittenAnswer, sizes?: readonly number[]): Promise<void> {
  const { files, error } = await readWritten(answer, held, sizes);
  expect(error).toBeUndefined();
  expect([...files.keys()].sort()).toEqual(held.map(({ sopInstanceUid }) => sopInstanceUid).sort());
  for (const { sopInstanceUid, file } of held) expect(files.get(sopInstanceUid)?.equals(file)).toBe(true);
}

function withBody(alter: (body: Buffer) => Buffer): WrittenAnswer {
  return { ...written, body: alter(written.body) };
}

function replaced(from: string, to: string): WrittenAnswer {
  return withBody((body) => Buffer.from(body.toString("latin1").replaceAll(from, to), "latin1"));
}

describe("A1 every split point", () => {
  it("in two pieces", async () => {
    const two = held.slice(0, 2);
    const answer = await writtenAnswer(await planFor(two));
    for (let cut = 1; cut < answer.body.length; cut += 1) {
      const { files } = await readWritten(answer, two, [cut, answer.body.length]);
      expect(two.filter(({ sopInstanceUid, file }) => files.get(sopInstanceUid)?.equals(file)).length).toBe(2);
    }
  });

  it("in pieces of 1 to 70 bytes, and of random sizes", async () => {
    for (let size = 1; size <= 70; size += 1) await expectAll(written, [size]);
    const random = seededRandom(7);
    for (let run = 0; run < 30; run += 1) {
      await expectAll(
        written,
        Array.from({ length: 200 }, () => 1 + Math.floor(random.next() * 300)),
      );
    }
  });
});

describe("A2 around the parts", () => {
  it.each([
    ["a leading CRLF", (body: Buffer) => Buffer.concat([Buffer.from("\r\n"), body])],
    ["a preamble", (body: Buffer) => Buffer.concat([Buffer.from("This is\r\na preamble\r\n"), body])],
    ["an epilogue", (body: Buffer) => Buffer.concat([body, Buffer.from("after\r\n--all\r\n")])],
    ["no CRLF behind the end", (body: Buffer) => body.subarray(0, -2)],
  ])("%s", async (_, alter) => {
    await expectAll(withBody(alter));
    await expectAll(withBody(alter), [1]);
  });

  it("blanks behind delimiters", () => expectAll(replaced(`--${plan.boundary}\r\n`, `--${plan.boundary} \t \r\n`)));

  it("bare line feeds are a typed error", async () => {
    const { error, files } = await readWritten(replaced("\r\n", "\n"), held);
    expect(error).toMatchObject({ code: "MULTIPART_MALFORMED" });
    expect(files.size).toBe(0);
  });
});

describe("A3 boundaries", () => {
  it.each([
    "uuid:0d45a1b2-1",
    "----=_Part_1_1788103738.1647962762356",
    "with a blank; and a semicolon",
    "MIMEBoundaryurn_uuid_0A1B",
    "'()+_,-./:=?",
    "x".repeat(71),
  ])("%s", async (boundary) => {
    const answer = await writtenAnswer({ ...plan, boundary });
    await expectAll(answer);
    await expectAll(answer, [3]);
  });

  it.each([
    ["unquoted, last", (boundary: string) => `multipart/related; type="application/xop+xml"; boundary=${boundary}`],
    [
      "in upper case",
      (boundary: string) => `MULTIPART/RELATED; BOUNDARY=${quoted(boundary)}; TYPE="application/xop+xml"`,
    ],
    [
      "behind escaped quotes",
      (boundary: string) =>
        `multipart/related; start-info="application/soap+xml; action=\\"urn:x\\"; boundary=no"; boundary=${quoted(boundary)}`,
    ],
  ])("%s", async (_, contentType) => {
    const boundary = "uuid:0d45=1";
    await expectAll(await writtenAnswer({ ...plan, boundary, contentType: contentType(boundary) }));
  });

  it.each([
    ["missing", "multipart/related; type=x", "MULTIPART_MALFORMED"],
    ["far too long", `multipart/related; boundary=${"x".repeat(300)}`, "MULTIPART_LIMIT_EXCEEDED"],
    ["another one", "multipart/related; boundary=other", "MULTIPART_MALFORMED"],
  ])("%s is a typed error", async (_, contentType, code) => {
    expect((await readWritten({ ...written, contentType }, held)).error).toMatchObject({ code });
  });
});

it("A4 delimiters within pixel data are data unless they stand on a line of their own", async () => {
  const [first] = held;
  if (first === undefined) throw new Error("no instance");
  const { boundary } = plan;
  const lures = [
    `--${boundary}`,
    `x--${boundary}--\r\n`,
    `\r\n--${boundary.slice(0, -1)}\r\n`,
    "\r\r\n--\r\n\r\n--",
    "\r\n-",
  ];
  for (const lure of lures) {
    const file = Buffer.from(first.file);
    // Over the pixels, which come last.
    file.write(lure, file.length - 128, "latin1");
    const { open } = sourceInstanceOf(first, file);
    const answer = await writtenAnswer({
      ...plan,
      parts: plan.parts.map((part, at) => (at === 0 ? { ...part, open } : part)),
    });
    for (const size of [1, 7, 64, 100_000]) {
      const { files } = await readWritten(answer, held, [size]);
      expect(files.get(first.sopInstanceUid)?.equals(file)).toBe(true);
      expect(files.size).toBe(held.length);
    }
  }
});

/** The root part moved behind the others. */
function rootLast({ body, contentType }: WrittenAnswer): WrittenAnswer {
  const delimiter = `--${plan.boundary}`;
  const [, root = "", ...others] = body.toString("latin1").split(`${delimiter}\r\n`);
  const last = others.at(-1)?.replace(`${delimiter}--\r\n`, "") ?? "";
  const parts = [...others.slice(0, -1), last, root];
  const text = `${parts.map((part) => `${delimiter}\r\n${part}`).join("")}${delimiter}--\r\n`;
  return { contentType, body: Buffer.from(text, "latin1") };
}

describe("A5 the root part", () => {
  it("may come last when start names it", () => expectAll(rootLast(written)));

  it("is found when start is written without angle brackets, when there is none, and when it names nothing", async () => {
    const bare = plan.rootId.replaceAll(/[<>]/g, "");
    for (const start of [`; start="${bare}"`, "", '; start="<nothing@here>"']) {
      await expectAll({ ...written, contentType: `multipart/related; boundary=${plan.boundary}${start}` });
    }
  });

  it("missing is a typed error, and nothing is kept", async () => {
    const contentType = `multipart/related; boundary=${plan.boundary}; start="<nothing@here>"`;
    const delimiter = `--${plan.boundary}\r\n`;
    const second = written.body.indexOf(delimiter, delimiter.length);
    const { error, files } = await readWritten({ contentType, body: written.body.subarray(second) }, held);
    expect(error).toMatchObject({ code: "RAD69_ANSWER_INVALID" });
    expect(files.size).toBe(0);
  });
});

describe("A6 content ids", () => {
  it.each(["ihe", "cxf", "vitrea", "axis2"] as const)("as %s writes them", async (profile) => {
    const answer = await writtenAnswer(await planFor(held, profile));
    await expectAll(answer);
    await expectAll(answer, [5]);
  });

  it("in headers of any letter case", () => expectAll(replaced("Content-ID:", "content-Id :")));
});

describe("A7 documents", () => {
  const inline = (which: readonly number[]) => ({
    ...plan,
    documents: plan.documents.map((one, at) =>
      which.includes(at) ? { ...one, href: undefined, inline: held[at]?.file.toString("base64") } : one,
    ),
    parts: plan.parts.filter((_, at) => !which.includes(at)),
  });

  it("within the envelope, all or some", async () => {
    await expectAll(await writtenAnswer(inline([0, 1, 2])));
    await expectAll(await writtenAnswer(inline([1])), [11]);
    await expectAll(await writtenAnswer({ ...inline([0, 1, 2]), framing: "plain" }));
  });

  it("in parts that are written as base64, in lines or not", async () => {
    const parts = plan.parts.map((part, at) => {
      const text = held[at]?.file.toString("base64").replaceAll(/(.{76})/g, "$1\r\n") ?? "";
      return bytesPart(part, Buffer.from(text), [["Content-Transfer-Encoding", "base64"]]);
    });
    const answer = await writtenAnswer({ ...plan, parts });
    await expectAll(answer);
    await expectAll(answer, [7]);
  });
});

describe("A8 transfer", () => {
  /** The answer, once, as these bytes of HTTP. */
  async function fetchRaw(head: readonly string[], body: Buffer, pieceBytes = 65_536) {
    await using server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => {
        socket.write([...head, "", ""].join("\r\n"));
        for (let at = 0; at < body.length; at += pieceBytes) socket.write(body.subarray(at, at + pieceBytes));
        socket.end();
      });
    });
    const port = await freePort();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${port}`;
    await using http = openHttpClient({ baseUrl: url });
    const client = createRad69Client({ http, url });
    const store = memoryStore(1_000_000, () => new Error("too large"));
    return await retrieveInstances(client, held, store, { attempts: 1 });
  }

  /** Without `RelatesTo`, as it is the answer to whatever is asked. */
  const loose = () => writtenAnswer({ ...plan, relatesTo: undefined });

  it.each([1, 100, 16_384, 1_048_576])("in pieces of %i bytes, with Content-Length", async (pieceBytes) => {
    const { body, contentType } = await loose();
    const head = ["HTTP/1.1 200 OK", `Content-Type: ${contentType}`, `Content-Length: ${body.length}`];
    const { outcomes } = await fetchRaw(head, body, pieceBytes);
    expect([...outcomes.values()].map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"]);
  });

  it("compressed, and up to the end of an HTTP/1.0 connection", async () => {
    const { body, contentType } = await loose();
    for (const [head, bytes] of [
      [["HTTP/1.1 200 OK", "Content-Encoding: gzip"], gzipSync(body)],
      [["HTTP/1.0 200 OK"], body],
    ] as const) {
      const { outcomes } = await fetchRaw([...head, `Content-Type: ${contentType}`], bytes);
      expect([...outcomes.values()].map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"]);
    }
  });

  it("in HTTP chunks of any size", async () => {
    for (const size of [1, 100, 5_000]) {
      const result = await rehearse({
        held: held.slice(0, 1),
        responder: {
          async write(response, body) {
            for await (const piece of body) {
              for (let at = 0; at < piece.length; at += size) response.write(piece.subarray(at, at + size));
            }
            response.end();
          },
        },
      });
      expect(result).toMatchObject({ codes: [], wrong: [] });
    }
  });
});

describe("A9 limits", () => {
  it("an empty part is an unreadable instance, and the others come", async () => {
    const parts = plan.parts.map((part, at) => (at === 0 ? bytesPart(part, new Uint8Array(0)) : part));
    const { received, files } = await readWritten(await writtenAnswer({ ...plan, parts }), held);
    expect(files.size).toBe(2);
    expect(received[0]).toMatchObject({ kind: "refused", error: { code: "INSTANCE_UNREADABLE" } });
  });

  it("part headers, the envelope and the number of parts are limited", async () => {
    const long = plan.parts.map((part) => bytesPart(part, Buffer.from("x"), [["X-Long", "x".repeat(20_000)]]));
    const headers = await readWritten(await writtenAnswer({ ...plan, parts: long }), held);
    expect(headers.error).toMatchObject({ code: "MULTIPART_LIMIT_EXCEEDED" });
    const root = await readWritten(written, held, [100], { rootBytes: 1_000 });
    expect(root.error).toMatchObject({ code: "RAD69_LIMIT_EXCEEDED" });
    const many = { ...plan, parts: Array.from({ length: 80 }, () => plan.parts).flat() };
    expect((await readWritten(await writtenAnswer(many), held)).error).toMatchObject({
      code: "MULTIPART_LIMIT_EXCEEDED",
    });
  });

  it("an envelope of 7000 documents is read", async () => {
    const [document] = plan.documents;
    if (document === undefined) throw new Error("no document");
    const more = Array.from({ length: 7_000 }, (_, at) => ({
      ...document,
      documentUniqueId: `1.2.${at}`,
      href: `cid:${at}`,
    }));
    const { answer } = await readWritten(
      await writtenAnswer({ ...plan, documents: [...plan.documents, ...more] }),
      held,
    );
    expect(answer?.documents.length).toBe(7_003);
  });

  it.each([
    ["an entity bomb", '<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>'],
    ["an entity of its own", "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'>&b;</s:Envelope>"],
    ["no XML", "<s:Envelope"],
    ["another document", "<html/>"],
    ["too deep a document", `<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'>${"<a>".repeat(100)}`],
  ])("%s is a typed error", async (_, xml) => {
    const { error } = await readWritten({ contentType: "application/soap+xml", body: Buffer.from(xml) }, held, [7]);
    expect(error).toMatchObject({ code: "RAD69_ANSWER_INVALID" });
  });
});
