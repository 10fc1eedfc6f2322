import type { Pieces } from "../http-client/body-queue.ts";
import type { PartHeaders } from "./part-headers.ts";
import { createMultipartScanner, type MultipartLimits, type MultipartToken } from "./scanner.ts";

/** Small pieces are gathered to this size before they are handed on together. */
const GATHER_BYTES = 1024 * 1024;
/** As many views are kept at most: `writev` takes no more at once. */
const GATHER_PIECES = 1_000;

/** Takes pieces of a part together, as they lie; they are its own until it returns, or its promise is kept. */
export type PieceSink = (pieces: readonly Uint8Array[]) => void | Promise<void>;

/** One part; its body is read once, before the next part is asked for. What is not read is passed over. */
export interface MultipartPart {
  readonly headers: PartHeaders;
  /** Pieces as they came, each its reader's own. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The body without copying, as it lies or in lots of about a megabyte; the number of its bytes. */
  pipe(sink: PieceSink): Promise<number>;
}

export interface MultipartOptions {
  /** The parameter of the content type. */
  readonly boundary: string | undefined;
  readonly limits?: MultipartLimits | undefined;
}

/** A promise only where something is waited for. */
type NextToken = () => MultipartToken | undefined | Promise<MultipartToken | undefined>;

/**
 * The parts of a multipart body, as they come. Ends after the closing delimiter; what follows it is read to the end and dropped, so that a
 * connection can be used again.
 * @throws GatewayError MULTIPART_MALFORMED, MULTIPART_LIMIT_EXCEEDED, MULTIPART_TRUNCATED; what reading the body throws
 */
export async function* readMultipart(
  body: Pieces,
  { boundary, limits }: MultipartOptions,
): AsyncGenerator<MultipartPart, undefined> {
  const scanner = createMultipartScanner(boundary, limits);
  const borrowed = body.borrow?.();
  const pieces = borrowed ?? body[Symbol.asyncIterator]();
  const pipe = borrowed === undefined ? pipeGathered : pipeLent;
  let tokens: readonly MultipartToken[] = [];
  let index = 0;

  /** The next token; undefined at the end of the stream. */
  const next: NextToken = () => {
    for (;;) {
      const token = tokens[index];
      if (token !== undefined) {
        index += 1;
        return token;
      }
      const piece = pieces.takeNow?.();
      if (piece === undefined) return fill();
      tokens = scanner.push(piece);
      index = 0;
    }
  };
  const fill = async (): Promise<MultipartToken | undefined> => {
    for (;;) {
      const { done, value } = await pieces.next();
      if (done === true) {
        scanner.end();
        return undefined;
      }
      tokens = scanner.push(value);
      index = 1;
      if (tokens[0] !== undefined) return tokens[0];
    }
  };
  try {
    for (let token = await next(); token !== undefined; token = await next()) {
      if (token.kind !== "part") continue;
      const part = createPart(token.headers, next, pipe);
      yield part.part;
      await part.rest();
    }
  } finally {
    await pieces.return?.();
  }
}

function createPart(headers: PartHeaders, next: NextToken, pipe: typeof pipeGathered) {
  let isOver = false;
  /** The next piece of this part; undefined at its end. */
  const piece = (): Uint8Array | undefined | Promise<Uint8Array | undefined> => {
    if (isOver) return undefined;
    const token = next();
    return token instanceof Promise ? token.then(dataOf) : dataOf(token);
  };
  const dataOf = (token: MultipartToken | undefined): Uint8Array | undefined => {
    if (token?.kind === "data") return token.bytes;
    isOver = true;
    return undefined;
  };
  const part: MultipartPart = {
    headers,
    body: {
      async *[Symbol.asyncIterator]() {
        for (let bytes = await piece(); bytes !== undefined; bytes = await piece()) {
          yield pipe === pipeLent ? Uint8Array.from(bytes) : bytes;
        }
      },
    },
    pipe: (sink) => pipe(piece, sink),
  };
  return {
    part,
    async rest() {
      while ((await piece()) !== undefined);
    },
  };
}

/** A promise only where something is waited for. */
type NextPiece = () => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** Hands each piece on as it lies, before the next is asked for. */
export async function pipeLent(next: NextPiece, sink: PieceSink): Promise<number> {
  let totalBytes = 0;
  for (;;) {
    const coming = next();
    const bytes = coming instanceof Promise ? await coming : coming;
    if (bytes === undefined) return totalBytes;
    totalBytes += bytes.length;
    const taking = sink([bytes]);
    if (taking instanceof Promise) await taking;
  }
}

/** Hands pieces on in lots, until there are no more; while one is taken the next is gathered. */
export async function pipeGathered(next: NextPiece, sink: PieceSink): Promise<number> {
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let totalBytes = 0;
  let taking = Promise.resolve();
  const hand = async (): Promise<void> => {
    await taking;
    if (gathered.length === 0) return;
    taking = Promise.resolve(sink(gathered));
    // Who hands on the next, or the last, hears of it.
    taking.catch(() => undefined);
    gathered = [];
    gatheredBytes = 0;
  };
  try {
    for (;;) {
      const coming = next();
      const bytes = coming instanceof Promise ? await coming : coming;
      if (bytes === undefined) break;
      gathered.push(bytes);
      gatheredBytes += bytes.length;
      totalBytes += bytes.length;
      if (gatheredBytes >= GATHER_BYTES || gathered.length >= GATHER_PIECES) await hand();
    }
    await hand();
    await taking;
  } finally {
    // Nothing of a part is written any more when it is over, however it ends.
    await taking.catch(() => undefined);
  }
  return totalBytes;
}
