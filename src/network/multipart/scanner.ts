import { GatewayError } from "../../errors/gateway-error.ts";
import { type PartHeaders, parsePartHeaders } from "./part-headers.ts";

export interface MultipartLimits {
  /** Of one part, the empty line not counted. */
  readonly partHeaderBytes: number;
  readonly parts: number;
  readonly preambleBytes: number;
}

export const USUAL_MULTIPART_LIMITS: MultipartLimits = {
  partHeaderBytes: 16 * 1024,
  parts: 1_000_000,
  preambleBytes: 64 * 1024,
};

/** What a stream consists of, in order: `part`, any number of `data`, `end`; again. */
export type MultipartToken =
  | { readonly kind: "part"; readonly headers: PartHeaders }
  /** A view of the piece it came in. */
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

export interface MultipartScanner {
  /** What is found before a fault is handed over first: the next call throws. @throws GatewayError MULTIPART_MALFORMED, MULTIPART_LIMIT_EXCEEDED */
  push(piece: Uint8Array): readonly MultipartToken[];
  /** No more comes. @throws GatewayError MULTIPART_TRUNCATED when the closing delimiter did not */
  end(): void;
  readonly isClosed: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09]);
const EMPTY = Buffer.alloc(0);
const HEADER_END = Buffer.from("\r\n\r\n");
/** RFC 2046 5.1.1 allows 70; senders do go beyond. */
const MAXIMUM_BOUNDARY_LENGTH = 256;
/** Blanks that a gateway may have put behind a delimiter. RFC 2046 5.1.1. */
const MAXIMUM_PADDING = 1_024;

/** Where the scanner is: before the first delimiter, in a part's headers, at its first byte, in it, behind the closing delimiter. */
type Place = "preamble" | "headers" | "start" | "body" | "epilogue";

/** What stands at a place where a delimiter may: a line that begins the next part, the closing one, neither, or more bytes will tell. */
type Line = { readonly kind: "delimiter"; readonly end: number } | { readonly kind: "close" | "data" | "open" };

/**
 * Cuts a multipart stream into its parts, whatever pieces it comes in: RFC 2046 5.1.1. A delimiter counts at the beginning of a line only
 * and when nothing but blanks follow it; the line end before it belongs to it. Nothing is copied but what lies across two pieces: each may be lent until the next is pushed.
 * @throws GatewayError MULTIPART_MALFORMED when there is no boundary to look for
 */
export function createMultipartScanner(
  boundary: string | undefined,
  limits: MultipartLimits = USUAL_MULTIPART_LIMITS,
): MultipartScanner {
  if (boundary === undefined || boundary === "") throw malformed("no boundary");
  if (boundary.length > MAXIMUM_BOUNDARY_LENGTH) throw exceeded("boundary", MAXIMUM_BOUNDARY_LENGTH);
  return new Scanner(boundary, limits);
}

class Scanner implements MultipartScanner {
  readonly #delimiter: Buffer;
  readonly #dashed: Buffer;
  readonly #limits: MultipartLimits;
  #place: Place = "preamble";
  /** Whether all that came may still be the beginning of a delimiter. */
  #isFirst = true;
  #kept: Buffer = EMPTY;
  #parts = 0;
  #preambleBytes = 0;
  /** What is looked at now, from where, and what was found in it. */
  #bytes: Buffer = EMPTY;
  #at = 0;
  #tokens: MultipartToken[] = [];
  /** Behind a fault nothing is understood any more. */
  #fault: unknown;

  constructor(boundary: string, limits: MultipartLimits) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
    this.#dashed = this.#delimiter.subarray(2);
    this.#limits = limits;
  }

  get isClosed(): boolean {
    return this.#place === "epilogue";
  }

  push(piece: Uint8Array): readonly MultipartToken[] {
    if (this.#fault !== undefined) throw this.#fault;
    const arrived = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    this.#bytes = this.#kept.length === 0 ? arrived : Buffer.concat([this.#kept, arrived]);
    this.#kept = EMPTY;
    this.#at = 0;
    this.#tokens = [];
    try {
      while (this.#at < this.#bytes.length && this.#step());
    } catch (thrown) {
      this.#fault = thrown;
      if (this.#tokens.length === 0) throw thrown;
    }
    return this.#tokens;
  }

  end(): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.isClosed) return;
    if (this.#place === "preamble" && !this.#isFirst) throw malformed("no delimiter");
    const place = this.#place === "start" ? "body" : this.#place;
    throw new GatewayError("MULTIPART_TRUNCATED", { place, parts: this.#parts });
  }

  /** False when more bytes are needed. */
  #step(): boolean {
    if (this.#place === "epilogue") return false;
    if (this.#place === "headers") return this.#readHeaders();
    return this.#isFirst || this.#place === "start" ? this.#readStart() : this.#readBody();
  }

  /** At the first byte of the stream, or of a part, a delimiter needs no line end of its own before it. */
  #readStart(): boolean {
    const from = this.#at;
    const length = Math.min(this.#dashed.length, this.#bytes.length - from);
    let line: Line = { kind: "data" };
    if (this.#bytes.compare(this.#dashed, 0, length, from, from + length) === 0) {
      line = length < this.#dashed.length ? { kind: "open" } : lineAt(this.#bytes, from + length, this.#isFirst);
    }
    if (line.kind === "open") return this.#keep(from);
    this.#isFirst = false;
    if (line.kind !== "data") this.#cross(line);
    else if (this.#place === "start") this.#place = "body";
    return true;
  }

  #readBody(): boolean {
    for (let from = this.#at; ; ) {
      const found = this.#bytes.indexOf(this.#delimiter, from);
      if (found === -1) {
        const end = this.#bytes.length - prefixAtEnd(this.#bytes, this.#delimiter, from);
        this.#emit(end);
        return this.#keep(end);
      }
      const line = lineAt(this.#bytes, found + this.#delimiter.length, this.#place === "preamble");
      if (line.kind === "data") {
        from = found + 2;
        continue;
      }
      this.#emit(found);
      if (line.kind === "open") return this.#keep(found);
      this.#cross(line);
      return true;
    }
  }

  #readHeaders(): boolean {
    const [bytes, from] = [this.#bytes, this.#at];
    const isNone = bytes[from] === CR && bytes[from + 1] === LF;
    const end = isNone ? from : bytes.indexOf(HEADER_END, from);
    const lengthSoFar = (end === -1 ? bytes.length - HEADER_END.length : end) - from;
    const { partHeaderBytes } = this.#limits;
    if (lengthSoFar > partHeaderBytes) throw exceeded("part headers", partHeaderBytes);
    if (end === -1) return this.#keep(from);
    this.#tokens.push({ kind: "part", headers: parsePartHeaders(bytes.toString("utf8", from, end)) });
    this.#at = end + (isNone ? 2 : HEADER_END.length);
    this.#place = "start";
    return true;
  }

  #emit(end: number): void {
    const from = this.#at;
    if (end <= from) return;
    if (this.#place === "preamble") {
      this.#preambleBytes += end - from;
      if (this.#preambleBytes > this.#limits.preambleBytes) throw exceeded("preamble", this.#limits.preambleBytes);
    } else this.#tokens.push({ kind: "data", bytes: this.#bytes.subarray(from, end) });
    this.#at = end;
  }

  #keep(from: number): false {
    // A copy: pieces may be lent.
    this.#kept = from === this.#bytes.length ? EMPTY : Buffer.from(this.#bytes.subarray(from));
    this.#at = this.#bytes.length;
    return false;
  }

  /** Goes behind a delimiter line. */
  #cross(line: Line): void {
    if (this.#place !== "preamble") this.#tokens.push({ kind: "end" });
    if (line.kind !== "delimiter") {
      this.#place = "epilogue";
      return;
    }
    this.#parts += 1;
    if (this.#parts > this.#limits.parts) throw exceeded("parts", this.#limits.parts);
    this.#at = line.end;
    this.#place = "headers";
  }
}

/** The rest of a line behind what looks like a delimiter. @param isFirst no part has begun: a bare LF says that all line ends are so */
function lineAt(bytes: Buffer, from: number, isFirst: boolean): Line {
  if (bytes[from] === DASH) {
    if (from + 1 >= bytes.length) return { kind: "open" };
    return { kind: bytes[from + 1] === DASH ? "close" : "data" };
  }
  let at = from;
  while (BLANKS.has(bytes[at]) && at - from < MAXIMUM_PADDING) at += 1;
  if (at >= bytes.length) return { kind: "open" };
  if (bytes[at] === LF && isFirst) throw malformed("line ends");
  if (bytes[at] !== CR) return { kind: "data" };
  if (at + 1 >= bytes.length) return { kind: "open" };
  return bytes[at + 1] === LF ? { kind: "delimiter", end: at + 2 } : { kind: "data" };
}

/** How many of the last bytes may be the beginning of a delimiter that goes on in the next piece. */
function prefixAtEnd(bytes: Buffer, delimiter: Buffer, from: number): number {
  const start = Math.max(from, bytes.length - delimiter.length + 1);
  for (let at = bytes.indexOf(CR, start); at !== -1; at = bytes.indexOf(CR, at + 1)) {
    const length = bytes.length - at;
    if (bytes.compare(delimiter, 0, length, at) === 0) return length;
  }
  return 0;
}

function malformed(what: string): GatewayError {
  return new GatewayError("MULTIPART_MALFORMED", { what });
}

function exceeded(what: string, limit: number): GatewayError {
  return new GatewayError("MULTIPART_LIMIT_EXCEEDED", { what, limit });
}
