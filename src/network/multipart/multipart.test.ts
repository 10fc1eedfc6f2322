import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../units/random.ts";
import { readMultipart } from "./reader.ts";
import { createMultipartScanner, type MultipartLimits, USUAL_MULTIPART_LIMITS } from "./scanner.ts";
import { multipartBytes, newBoundary, writeMultipart } from "./writer.ts";

interface ReadPart {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The parts of a stream that comes in pieces of these sizes, the last size again and again; each lent, in the memory of the one before. */
function scan(stream: Buffer, boundary: string, sizes: readonly number[], limits?: MultipartLimits): ReadPart[] {
  const scanner = createMultipartScanner(boundary, limits);
  const parts: { headers: Record<string, string>; body: Buffer[] }[] = [];
  const lent = Buffer.alloc(stream.length);
  let ends = 0;
  for (let at = 0, index = 0; at < stream.length; index += 1) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? 1;
    const sizeBytes = stream.copy(lent, 0, at, at + size);
    for (const token of scanner.push(lent.subarray(0, sizeBytes))) {
      if (token.kind === "part") parts.push({ headers: Object.fromEntries(token.headers), body: [] });
      else if (token.kind === "data") parts.at(-1)?.body.push(Buffer.from(token.bytes));
      else ends += 1;
    }
    at += size;
  }
  scanner.end();
  expect(ends).toBe(parts.length);
  return parts.map(({ headers, body }) => ({ headers, body: Buffer.concat(body).toString("latin1") }));
}

function lines(...texts: readonly string[]): Buffer {
  return Buffer.from(texts.join("\r\n"), "latin1");
}

const TWO_PARTS = lines(
  "--B",
  "Content-Type: a/b",
  "Content-ID: <1>",
  "",
  "one\r\n\r\ntwo",
  "--B",
  "",
  "\r\n--",
  "--B--",
  "",
);
const READ: readonly ReadPart[] = [
  { headers: { "content-type": "a/b", "content-id": "<1>" }, body: "one\r\n\r\ntwo" },
  { headers: {}, body: "\r\n--" },
];

describe("a multipart stream", () => {
  it("is the same in two pieces, wherever it is cut", () => {
    for (let cut = 1; cut < TWO_PARTS.length; cut += 1) expect(scan(TWO_PARTS, "B", [cut, 10_000])).toEqual(READ);
  });

  it("is the same in pieces of any size", () => {
    for (let size = 1; size <= 70; size += 1) expect(scan(TWO_PARTS, "B", [size])).toEqual(READ);
  });

  it.each([
    ["a line end before the first delimiter", lines("", "--B", "", "x", "--B--", "")],
    ["a preamble and an epilogue", lines("for old", "mail --B readers", "--B", "", "x", "--B--", "--B", "", "y")],
    ["no line end behind the closing delimiter", lines("--B", "", "x", "--B--")],
    ["blanks behind delimiters", lines("--B \t", "", "x", "--B--  ")],
  ])("may have %s", (_, stream) => {
    for (let size = 1; size < 40; size += 1) expect(scan(stream, "B", [size])).toEqual([{ headers: {}, body: "x" }]);
  });

  it("has a delimiter at the beginning of a line only, and nothing but blanks behind it", () => {
    const body = "--B--x--B\r\r\n--A\r\n--BB\r\n--B x\r\n--B-x\r\n\r\n-B\n--B\n\r";
    const stream = lines("--B", "", `y${body}`, "--B--");
    for (let size = 1; size < 60; size += 1)
      expect(scan(stream, "B", [size])).toEqual([{ headers: {}, body: `y${body}` }]);
  });

  it("may have parts without a byte, with or without the line end that a body would have", () => {
    const stream = lines("--B", "A: 1", "", "", "--B", "A: 2", "", "--B--");
    for (let size = 1; size < 40; size += 1) {
      expect(scan(stream, "B", [size])).toEqual([
        { headers: { a: "1" }, body: "" },
        { headers: { a: "2" }, body: "" },
      ]);
    }
  });

  it("joins folded headers, and takes the first of several", () => {
    const stream = lines("--B", "Content-Type: a/b;", "\tboundary=c", "A: 1", "a: 2", "no header", "", "x", "--B--");
    expect(scan(stream, "B", [9])[0]?.headers).toEqual({ "content-type": "a/b; boundary=c", a: "1" });
  });

  it.each([
    ["nothing", "", "MULTIPART_TRUNCATED"],
    ["a cut preamble", "some text", "MULTIPART_MALFORMED"],
    ["cut headers", "--B\r\nContent-Ty", "MULTIPART_TRUNCATED"],
    ["a cut body", "--B\r\n\r\nbytes", "MULTIPART_TRUNCATED"],
    ["a cut closing delimiter", "--B\r\n\r\nbytes\r\n--B-", "MULTIPART_TRUNCATED"],
    ["no closing delimiter", "--B\r\n\r\nbytes\r\n--B\r\n", "MULTIPART_TRUNCATED"],
    ["bare line feeds", "--B\nA: 1\n\nbytes\n--B--\n", "MULTIPART_MALFORMED"],
    ["other delimiters", "--C\r\n\r\nbytes\r\n--C--\r\n", "MULTIPART_MALFORMED"],
  ])("with %s is a typed error", (_, text, code) => {
    for (const size of [1, 3, 100]) {
      expect(() => scan(Buffer.from(text), "B", [size])).toThrow(expect.objectContaining({ code }));
    }
  });

  it("has limits", () => {
    const limited = (stream: Buffer, limits: Partial<MultipartLimits>) => () =>
      scan(stream, "B", [7], { ...USUAL_MULTIPART_LIMITS, ...limits });
    const exceeded = expect.objectContaining({ code: "MULTIPART_LIMIT_EXCEEDED" });
    expect(limited(lines("--B", `A: ${"x".repeat(100)}`, "", "x", "--B--"), { partHeaderBytes: 99 })).toThrow(exceeded);
    expect(limited(lines("--B", `A: ${"x".repeat(200_000)}`), {})).toThrow(exceeded);
    expect(limited(TWO_PARTS, { parts: 1 })).toThrow(exceeded);
    expect(limited(Buffer.alloc(100), { preambleBytes: 99 })).toThrow(exceeded);
    expect(() => createMultipartScanner("x".repeat(257))).toThrow(exceeded);
    expect(() => createMultipartScanner(undefined)).toThrow(expect.objectContaining({ code: "MULTIPART_MALFORMED" }));
  });

  it("is read again as it was written, whatever is in it and however it is cut", async () => {
    const part = fc.record({
      type: fc.constantFrom("a/b", "application/dicom"),
      // Bytes that delimiters are made of come often.
      body: fc.array(fc.constantFrom(..."\r\n-Bx"), { maxLength: 80 }).map((characters) => characters.join("")),
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 });
    const written = fc.asyncProperty(
      fc.array(part, { maxLength: 4 }),
      sizes,
      fc.boolean(),
      async (parts, cuts, isCxf) => {
        const boundary = newBoundary(seededRandom(1));
        const outgoing = parts.map(({ type, body }) => ({
          headers: [["Content-Type", type]] as const,
          body: Buffer.from(body),
        }));
        const options = { boundary, leadingLineEnd: isCxf, finalLineEnd: !isCxf };
        const stream = Buffer.concat(await Array.fromAsync(writeMultipart(outgoing, options)));
        const sized = outgoing.map(({ headers, body }) => ({ headers, sizeBytes: body.length }));
        expect(multipartBytes(sized, options)).toBe(stream.length);
        const read = scan(stream, boundary, cuts);
        expect(read).toEqual(parts.map(({ type, body }) => ({ headers: { "content-type": type }, body })));
      },
    );
    await fc.assert(written, { numRuns: 200 });
  });
});

describe("the reader", () => {
  async function* pieces(...texts: readonly string[]) {
    for (const text of texts) yield Buffer.from(text);
  }

  it("gives parts one after the other, and passes over what is not read of one", async () => {
    const read: string[] = [];
    for await (const part of readMultipart(pieces("--B\r\n\r\na", "b", "\r\n--B\r\n\r\nc\r\n--B", "--"), {
      boundary: "B",
    })) {
      for await (const piece of part.body) {
        read.push(piece.toString());
        break;
      }
    }
    expect(read).toEqual([Buffer.from("a").toString(), Buffer.from("c").toString()]);
  });

  it("hands small pieces on together, as the views they are", async () => {
    const lots: number[] = [];
    const piece = Buffer.alloc(300_000);
    async function* body() {
      yield Buffer.from("--B\r\n\r\n");
      for (let count = 0; count < 10; count += 1) yield piece;
      yield Buffer.from("\r\n--B--");
    }
    for await (const part of readMultipart(body(), { boundary: "B" })) {
      const total = await part.pipe((lot) => {
        lots.push(lot.length);
        expect(lot.every(({ buffer }) => buffer === piece.buffer)).toBe(true);
      });
      expect(total).toBe(3_000_000);
    }
    expect(lots).toEqual([4, 4, 2]);
  });

  it("stops the stream when nobody wants more", async () => {
    let isStopped = false;
    async function* body() {
      try {
        yield* pieces("--B\r\n\r\na", "b", "c");
      } finally {
        isStopped = true;
      }
    }
    for await (const _ of readMultipart(body(), { boundary: "B" })) break;
    expect(isStopped).toBe(true);
  });
});
