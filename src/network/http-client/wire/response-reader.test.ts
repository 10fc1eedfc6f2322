import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpError } from "../http-error.ts";
import type { ResponseHead } from "./response-head.ts";
import { createResponseReader } from "./response-reader.ts";

/** The answer in these bytes, which come in pieces of these sizes, the last size again and again; each is read in place, as from a socket. */
function read(stream: string | Buffer, sizes: readonly number[] = [100_000], method = "GET") {
  const bytes = Buffer.from(stream);
  const heads: ResponseHead[] = [];
  const reader = createResponseReader(method, (head) => heads.push(head));
  const memory = Buffer.alloc(100 + Math.max(...sizes, 0), "?");
  const body: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length && !reader.isOver; index += 1) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? 1;
    const from = index % 50;
    const length = bytes.copy(memory, from, at, at + size);
    body.push(Buffer.from(memory.subarray(from, from + reader.take(memory, from, from + length))));
    expect(memory.subarray(0, from).every((byte) => byte === 0x3f)).toBe(true);
    memory.fill("?");
    at += length;
    if (at < bytes.length && reader.isOver)
      return { head: heads[0], heads, body: text(body), reader, rest: bytes.length - at };
  }
  return { head: heads[0], heads, body: text(body), reader, rest: 0 };
}

const text = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString("latin1");
const lines = (...of: readonly string[]): string => of.map((line) => `${line}\r\n`).join("");
const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const ANSWERS = [
  ["with a length", `${OK}Content-Length: 11\r\n\r\nhello\r\n\r\n<>`, "hello\r\n\r\n<>"],
  ["in chunks", `${CHUNKED}5\r\nhello\r\n00B;x="y"\r\n\r\n0\r\n\r\n6789\r\n0\r\n\r\n`, "hello\r\n0\r\n\r\n6789"],
  ["in chunks, with trailers", `${CHUNKED}1\r\n!\r\n0\r\nDigest: a\r\nMore: b\r\n\r\n`, "!"],
  [
    "behind others",
    `HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 1\r\n\r\n!`,
    "!",
  ],
  ["without anything", `${OK}Content-Length: 0\r\n\r\n`, ""],
] as const;

describe.each(ANSWERS)("an answer %s", (_, stream, body) => {
  it("is the same in two pieces, wherever it is cut", () => {
    for (let cut = 1; cut < stream.length; cut += 1) {
      const { head, body: came, reader } = read(stream, [cut, 100_000]);
      expect({ status: head?.status, came, isOver: reader.isOver, fault: reader.fault }).toEqual({
        ...{ status: 200, came: body, isOver: true, fault: undefined },
      });
    }
  });

  it("is the same in pieces of any size, and lost when it is cut short", () => {
    for (let size = 1; size < stream.length; size += 1) {
      expect(read(stream, [size]).body).toBe(body);
      const { reader } = read(stream.slice(0, size));
      reader.end();
      expect(reader.fault).toMatchObject({ code: "HTTP_CONNECTION_LOST" });
    }
  });
});

it("a body without a length ends with its connection, and one that cannot be has none", () => {
  const { body, reader, head } = read(`${OK}\r\nall of it`);
  expect({ body, isOver: reader.isOver, isKept: head?.isKept }).toEqual({
    body: "all of it",
    isOver: false,
    isKept: false,
  });
  reader.end();
  expect({ isOver: reader.isOver, fault: reader.fault }).toEqual({ isOver: true, fault: undefined });
  expect(read(`${OK}Content-Length: 9\r\n\r\n`, [7], "HEAD").reader.isOver).toBe(true);
  for (const status of [204, 304]) expect(read(`HTTP/1.1 ${status} None\r\n\r\n`).reader.isOver).toBe(true);
});

it.each([
  ["HTTP/1.1 kept", `${OK}Content-Length: 0\r\n\r\n`, true],
  ["HTTP/1.1 closing", `${OK}Connection: Keep-Alive, Close\r\nContent-Length: 0\r\n\r\n`, false],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false],
])("whether a connection may be used again is told by its answer: %s", (_, stream, isKept) => {
  expect(read(stream).head?.isKept).toBe(isKept);
});

it("headers are found by their names in lower case, several of one name joined, blanks around values taken off", () => {
  const stream = `${OK}Content-Length:0\r\nX-A: \t one \t\r\nX-a:\r\nSet-Cookie: ü=1\r\n\r\n`;
  expect([...(read(stream).head?.headers ?? [])]).toEqual([
    ["content-length", "0"],
    ["x-a", "one, "],
    ["set-cookie", "ü=1"],
  ]);
});

it("more than the answer is noticed, and is none of it", () => {
  const { body, reader } = read(`${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`);
  expect({ body, hasSurplus: reader.hasSurplus, fault: reader.fault }).toEqual({
    body: "ok",
    hasSurplus: true,
    fault: undefined,
  });
});

/** What somebody between us and the peer may read in another way, or nobody can read. */
const VIOLATIONS = [
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["another version", "HTTP/2.0 200 OK\r\n\r\n"],
  ["a status that is none", "HTTP/1.1 099 OK\r\n\r\n"],
  ["a status line with a control character", "HTTP/1.1 200 O\0K\r\n\r\n"],
  ["another protocol from here on", "HTTP/1.1 101 Switching\r\n\r\n"],
  ["a folded header", lines("HTTP/1.1 200 OK", "A: b", " c", "")],
  ["a blank before the colon", lines("HTTP/1.1 200 OK", "Content-Length : 5", "")],
  ["a header without a name", lines("HTTP/1.1 200 OK", ": b", "")],
  ["a header without a colon", lines("HTTP/1.1 200 OK", "Content-Length", "")],
  ["a bare line feed", lines("HTTP/1.1 200 OK", "A: b\nContent-Length: 5", "")],
  ["a bare carriage return", lines("HTTP/1.1 200 OK", "A: b\rContent-Length: 5", "")],
  ["two lengths", lines("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5", "")],
  ["a list of lengths", lines("HTTP/1.1 200 OK", "Content-Length: 5, 5", "")],
  ["a length below nothing", lines("HTTP/1.1 200 OK", "Content-Length: -5", "")],
  ["a length in hexadecimal", lines("HTTP/1.1 200 OK", "Content-Length: 0x5", "")],
  ["a length beyond all", lines("HTTP/1.1 200 OK", "Content-Length: 99999999999999999999", "")],
  ["a length and chunks", lines("HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked", "")],
  ["another transfer coding", lines("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", "")],
  ["chunks twice", lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "")],
  ["chunks in HTTP/1.0", lines("HTTP/1.0 200 OK", "Transfer-Encoding: chunked", "")],
  ["no size of a chunk", `${CHUNKED}\r\n`],
  ["a size that is none", `${CHUNKED}0x5\r\nhello`],
  ["a size below nothing", `${CHUNKED}-5\r\nhello`],
  ["a size beyond all", `${CHUNKED}fffffffffffffffff\r\n`],
  ["a size before a bare line feed", `${CHUNKED}5\nhello`],
  ["an extension without an end", `${CHUNKED}5;${"x".repeat(5_000)}`],
  ["a chunk longer than its size", `${CHUNKED}5\r\nhello!\r\n`],
  ["a trailer that is none", `${CHUNKED}0\r\nno trailer\r\n\r\n`],
  ["answers before the answer without an end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(17)],
] as const;

it.each(VIOLATIONS)("%s is refused, wherever it is cut", (_, stream) => {
  for (const sizes of [[100_000], [1], [7], ...Array.from({ length: 60 }, (__, cut) => [cut + 1, 100_000])]) {
    expect(read(stream, sizes).reader.fault).toMatchObject({ code: "HTTP_PROTOCOL_VIOLATION" });
  }
});

it.each([
  ["headers", `${OK}${"A: b\r\n".repeat(20_000)}`],
  ["one header", `${OK}A: ${"b".repeat(70_000)}`],
  ["many headers", `${OK}${"A:\r\n".repeat(2_001)}\r\n`],
  ["trailers", `${CHUNKED}0\r\n${"A: b\r\n".repeat(20_000)}`],
])("%s beyond the limit are refused", (_, stream) => {
  for (const sizes of [[100_000], [1_000], [300_000]]) {
    expect(read(stream, sizes).reader.fault).toMatchObject({ code: "HTTP_HEADERS_TOO_LARGE" });
  }
});

it("what came before a fault counts", () => {
  const { body, reader } = read(`${CHUNKED}5\r\nhello\r\nnone\r\n`);
  expect({ body, code: reader.fault?.code }).toEqual({ body: "hello", code: "HTTP_PROTOCOL_VIOLATION" });
});

it("any chunks in any pieces come to the same body", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const run = fc.record({
    chunks: fc.array(
      bytes.filter(({ length }) => length > 0),
      { maxLength: 6 },
    ),
    sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
  });
  fc.assert(
    fc.property(run, ({ chunks, sizes }) => {
      const framed = chunks.flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, "\r\n"]);
      const stream = Buffer.concat([CHUNKED, ...framed, "0\r\n\r\n"].map((piece) => Buffer.from(piece)));
      const { body, reader } = read(stream, sizes);
      expect(body).toBe(text(chunks.map((chunk) => Buffer.from(chunk))));
      expect(reader.isOver).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it("bytes that were tampered with are read or refused, the same in any pieces", () => {
  const seeds = [...ANSWERS, ...VIOLATIONS].map(([, stream]) => Buffer.from(stream.slice(0, 2_000)));
  const change = fc.record({
    at: fc.nat(2_000),
    byte: fc.constantFrom(0, 9, 10, 13, 32, 0x30, 0x35, 0x3a, 0x3b, 0x66, 0x80, 0xff),
  });
  const run = fc.record({
    seed: fc.constantFrom(...seeds),
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    size: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(run, ({ seed, changes, size }) => {
      const stream = Buffer.from(seed);
      for (const { at, byte } of changes) stream[at % stream.length] = byte;
      const outcome = (sizes: readonly number[]) => {
        const { heads, body, reader } = read(stream, sizes);
        if (reader.fault !== undefined) expect(reader.fault).toBeInstanceOf(HttpError);
        return { heads, body, isOver: reader.isOver, code: reader.fault?.code };
      };
      expect(outcome([size])).toEqual(outcome([100_000]));
    }),
    { numRuns: 1_000 },
  );
});
