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
  /** @throws GatewayError MULTIPART_MALFORMED, MULTIPART_LIMIT_EXCEEDED */
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
 * and when nothing but blanks follow it; the line end before it belongs to it. Nothing is copied but what lies across two pieces.
 * @throws GatewayError MULTIPART_MALFORMED when there is no boundary to look for
 */
export function createMultipartScanner(
  boundary: string | undefined,
  limits: MultipartLimits = USUAL_MULTIPART_LIMITS,
): MultipartScanner {
  if (boundary === undefined || boundary === "") throw malformed("no boundary");
  if (boundary.length > MAXIMUM_BOUNDARY_LENGTH) throw exceeded("boundary", MAXIMUM_BOUNDARY_LENGTH);
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const dashed = delimiter.subarray(2);
  let place: Place = "preamble";
  let isFirst = true;
  let kept: Buffer = EMPTY;
  let parts = 0;
  let preambleBytes = 0;

  let bytes: Buffer = EMPTY;
  let at = 0;
  let tokens: MultipartToken[] = [];

  const emit = (end: number): void => {
    if (end <= at) return;
    if (place === "preamble") {
      preambleBytes += end - at;
      if (preambleBytes > limits.preambleBytes) throw exceeded("preamble", limits.preambleBytes);
    } else tokens.push({ kind: "data", bytes: bytes.subarray(at, end) });
    at = end;
  };
  const keep = (from: number): false => {
    kept = bytes.subarray(from);
    at = bytes.length;
    return false;
  };
  /** Goes behind a delimiter line. */
  const cross = (line: Line): void => {
    if (place !== "preamble") tokens.push({ kind: "end" });
    if (line.kind !== "delimiter") {
      place = "epilogue";
      return;
    }
    parts += 1;
    if (parts > limits.parts) throw exceeded("parts", limits.parts);
    at = line.end;
    place = "headers";
  };
  /** At the first byte of the stream, or of a part, a delimiter needs no line end of its own before it. */
  const readStart = (): boolean => {
    const length = Math.min(dashed.length, bytes.length - at);
    const isSame = bytes.compare(dashed, 0, length, at, at + length) === 0;
    const line: Line = !isSame
      ? { kind: "data" }
      : length < dashed.length
        ? { kind: "open" }
        : lineAt(bytes, at + length, isFirst);
    if (line.kind === "open") return keep(at);
    isFirst = false;
    if (line.kind !== "data") cross(line);
    else if (place === "start") place = "body";
    return true;
  };
  const readBody = (): boolean => {
    for (let from = at; ; ) {
      const found = bytes.indexOf(delimiter, from);
      if (found === -1) {
        const end = bytes.length - prefixAtEnd(bytes, delimiter, from);
        emit(end);
        return keep(end);
      }
      const line = lineAt(bytes, found + delimiter.length, place === "preamble");
      if (line.kind === "data") {
        from = found + 2;
        continue;
      }
      emit(found);
      if (line.kind === "open") return keep(found);
      cross(line);
      return true;
    }
  };
  const readHeaders = (): boolean => {
    const isNone = bytes[at] === CR && bytes[at + 1] === LF;
    const end = isNone ? at : bytes.indexOf(HEADER_END, at);
    const lengthSoFar = (end === -1 ? bytes.length - HEADER_END.length : end) - at;
    if (lengthSoFar > limits.partHeaderBytes) throw exceeded("part headers", limits.partHeaderBytes);
    if (end === -1) return keep(at);
    tokens.push({ kind: "part", headers: parsePartHeaders(bytes.toString("utf8", at, end)) });
    at = end + (isNone ? 2 : HEADER_END.length);
    place = "start";
    return true;
  };
  const step = (): boolean => {
    if (place === "epilogue") return false;
    if (place === "headers") return readHeaders();
    return isFirst || place === "start" ? readStart() : readBody();
  };
  return {
    get isClosed() {
      return place === "epilogue";
    },
    push(piece) {
      const arrived = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      bytes = kept.length === 0 ? arrived : Buffer.concat([kept, arrived]);
      kept = EMPTY;
      at = 0;
      tokens = [];
      while (at < bytes.length && step());
      return tokens;
    },
    end() {
      if (place === "epilogue") return;
      // As long as all that came may be the beginning of a delimiter, it was only cut.
      if (place === "preamble" && !isFirst) throw malformed("no delimiter");
      throw new GatewayError("MULTIPART_TRUNCATED", { place: place === "start" ? "body" : place, parts });
    },
  };
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
