import { HttpError } from "../http-error.ts";
import { type Framing, fieldsOf, parseResponseHead, type ResponseHead, violation } from "./response-head.ts";

export interface ResponseReader {
  /**
   * Takes what was read, which lies in `memory` from `from` to `to`, and moves the body's bytes of it together, to begin at `from`; how many
   * these are. A fault is told by `fault`, behind the bytes that came before it.
   */
  take(memory: Buffer, from: number, to: number): number;
  /** The connection has ended: an answer that had not is a fault. */
  end(): void;
  /** All of the answer is there. */
  readonly isOver: boolean;
  /** More came than the answer. */
  readonly hasSurplus: boolean;
  readonly fault: HttpError | undefined;
}

export const MAXIMUM_HEADER_BYTES = 64 * 1024;
/** Of a line that tells the size of a chunk, extensions and all. RFC 9112 7.1.1. */
const MAXIMUM_CHUNK_LINE_BYTES = 4 * 1024;
const MAXIMUM_INTERIM_ANSWERS = 16;
const SWITCHING_PROTOCOLS = 101;
const LF = 0x0a;
const HEADER_END = Buffer.from("\r\n\r\n");
const BEGINNING = Buffer.from("HTTP/1.");
/** Up to 2^52: the sum of what is left stays a number. */
const CHUNK_LINE = /^([0-9A-Fa-f]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/;

/** In the head; in a body that has a length, or ends with the connection; at a chunk's size, in it, behind it; behind the last; over. */
type Place = "head" | "body" | "until-close" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "over";

const PLACES: Readonly<Record<Framing["kind"], Place>> = {
  none: "over",
  length: "body",
  chunked: "chunk-size",
  "until-close": "until-close",
};

/** Reads one answer, in whatever pieces it comes, in place. RFC 9112. @param onHead called before its body is taken */
export function createResponseReader(method: string, onHead: (head: ResponseHead) => void): ResponseReader {
  return new Reader(method, onHead);
}

class Reader implements ResponseReader {
  readonly #method: string;
  readonly #onHead: (head: ResponseHead) => void;
  #place: Place = "head";
  #head: Buffer = Buffer.alloc(0);
  #headBytes = 0;
  #interim = 0;
  /** Of the body, or of the chunk. */
  #left = 0;
  /** What has come of a line. */
  #line = "";
  #trailers: string[] = [];
  #trailerBytes = 0;
  /** What is looked at, and from where. */
  #memory: Buffer = this.#head;
  #at = 0;
  #to = 0;
  hasSurplus = false;
  fault: HttpError | undefined;

  constructor(method: string, onHead: (head: ResponseHead) => void) {
    this.#method = method;
    this.#onHead = onHead;
  }

  get isOver(): boolean {
    return this.#place === "over";
  }

  take(memory: Buffer, from: number, to: number): number {
    this.#memory = memory;
    this.#at = from;
    this.#to = to;
    let filled = from;
    try {
      while (this.fault === undefined && this.#at < this.#to) {
        if (this.isOver) {
          this.hasSurplus = true;
          break;
        }
        const bodyBytes = this.#bodyBytes();
        if (bodyBytes === 0) this.#step();
        else {
          if (filled !== this.#at) memory.copyWithin(filled, this.#at, this.#at + bodyBytes);
          filled += bodyBytes;
          this.#pass(bodyBytes);
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof HttpError)) throw thrown;
      this.fault = thrown;
    }
    return filled - from;
  }

  end(): void {
    if (this.#place === "until-close") this.#place = "over";
    if (!this.isOver) this.fault ??= new HttpError("HTTP_CONNECTION_LOST", { what: "cut short" });
  }

  /** How many of the bytes that are there now belong to the body. */
  #bodyBytes(): number {
    if (this.#place === "until-close") return this.#to - this.#at;
    return this.#place === "body" || this.#place === "chunk" ? Math.min(this.#left, this.#to - this.#at) : 0;
  }

  #pass(bodyBytes: number): void {
    this.#at += bodyBytes;
    this.#left -= bodyBytes;
    if (this.#place === "until-close" || this.#left > 0) return;
    this.#place = this.#place === "chunk" ? "chunk-end" : "over";
  }

  #step(): void {
    if (this.#place === "head") this.#readHead();
    else this.#readFraming();
  }

  #readFraming(): void {
    const limitBytes = this.#place === "trailers" ? MAXIMUM_HEADER_BYTES : MAXIMUM_CHUNK_LINE_BYTES;
    const line = this.#readLine(limitBytes);
    if (line === undefined) return;
    if (this.#place === "chunk-size") this.#beginChunk(line);
    else if (this.#place === "trailers") this.#endTrailer(line);
    else if (line !== "\r\n") throw violation("chunk end");
    else this.#place = "chunk-size";
  }

  #readHead(): void {
    const [before, coming] = [this.#headBytes, this.#memory.subarray(this.#at, this.#to)];
    this.#keepHead(coming);
    const head = this.#head.subarray(0, this.#headBytes);
    const known = Math.min(head.length, BEGINNING.length);
    if (head.compare(BEGINNING, 0, known, 0, known) !== 0) throw violation("no HTTP");
    const found = head.indexOf(HEADER_END, Math.max(0, before - HEADER_END.length + 1));
    if ((found === -1 ? head.length : found) > MAXIMUM_HEADER_BYTES) throw new HttpError("HTTP_HEADERS_TOO_LARGE");
    if (found === -1) {
      this.#at = this.#to;
      return;
    }
    this.#at += found + HEADER_END.length - before;
    this.#headBytes = 0;
    this.#begin(parseResponseHead(head.subarray(0, found), this.#method));
  }

  /** No more than the limit and what came with its last byte. */
  #keepHead(coming: Buffer): void {
    const needed = this.#headBytes + Math.min(coming.length, MAXIMUM_HEADER_BYTES + HEADER_END.length);
    if (needed > this.#head.length) {
      const larger = Buffer.alloc(Math.max(needed, this.#head.length * 2));
      this.#head.copy(larger, 0, 0, this.#headBytes);
      this.#head = larger;
    }
    this.#headBytes += coming.copy(this.#head, this.#headBytes, 0, needed - this.#headBytes);
  }

  #begin(head: ResponseHead): void {
    if (head.status === SWITCHING_PROTOCOLS) throw violation("protocol");
    if (head.status < 200) {
      this.#interim += 1;
      if (this.#interim > MAXIMUM_INTERIM_ANSWERS) throw violation("interim answers");
      return;
    }
    this.#head = Buffer.alloc(0);
    this.#place = PLACES[head.framing.kind];
    if (head.framing.kind === "length") {
      this.#left = head.framing.bytes;
      if (this.#left === 0) this.#place = "over";
    }
    this.#onHead(head);
  }

  #beginChunk(line: string): void {
    const [, size] = CHUNK_LINE.exec(line) ?? [];
    if (size === undefined) throw violation("chunk size");
    this.#left = Number.parseInt(size, 16);
    this.#place = this.#left === 0 ? "trailers" : "chunk";
  }

  /** Trailers say nothing that we ask for. */
  #endTrailer(line: string): void {
    if (!line.endsWith("\r\n")) throw violation("trailer");
    if (line !== "\r\n") {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MAXIMUM_HEADER_BYTES) throw new HttpError("HTTP_HEADERS_TOO_LARGE");
      this.#trailers.push(line.slice(0, -2));
      return;
    }
    fieldsOf(this.#trailers);
    this.#place = "over";
  }

  /** With its line end; undefined when more must come. */
  #readLine(limitBytes: number): string | undefined {
    const from = this.#at;
    const most = Math.min(this.#to, from + limitBytes + 1 - this.#line.length);
    let end = from;
    while (end < most && this.#memory[end] !== LF) end += 1;
    const isWhole = end < most;
    this.#at = isWhole ? end + 1 : end;
    this.#line += this.#memory.toString("latin1", from, this.#at);
    if (this.#line.length > limitBytes) throw violation("line length");
    if (!isWhole) return undefined;
    const line = this.#line;
    this.#line = "";
    return line;
  }
}
