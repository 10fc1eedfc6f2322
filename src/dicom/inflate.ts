import { Readable } from "node:stream";
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync, inflateRawSync } from "node:zlib";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource } from "./data-set.ts";
import { piecesSource } from "./pieces-source.ts";

const CHUNK_BYTES = 256 * 1024;
/** Of the inflated form: many small ones would take more than they hold, few large ones would take as much for a short report. */
const PIECE_BYTES = 64 * 1024;
/** So much of the deflated bytes holds most headers; at most some 16 MB come out (RFC 1951: 1032 to 1). */
const BEGINNING_BYTES = 16 * 1024;

export interface InflatedSource {
  readonly body: ByteSource;
  /** Where the deflated bytes end in their source. */
  readonly endOffset: number;
}

/**
 * The inflated form of what follows `offset`, held in memory: a deflated data set has no other random access. PS3.5 A.5.
 * @throws GatewayError DICOM_LIMIT_EXCEEDED when it would grow beyond the limit, DICOM_MALFORMED when it does not inflate
 */
export async function inflateSource(source: ByteSource, offset: number, maximumBytes: number): Promise<InflatedSource> {
  async function* deflated(): AsyncGenerator<Uint8Array> {
    for (let position = offset; position < source.sizeBytes; position += CHUNK_BYTES) {
      yield await source.read(position, Math.min(CHUNK_BYTES, source.sizeBytes - position));
    }
  }
  const pieces: Buffer[] = [];
  let size = 0;
  const inflater = createInflateRaw({ chunkSize: PIECE_BYTES });
  const input = Readable.from(deflated());
  input.on("error", (error) => inflater.destroy(error));
  input.pipe(inflater);
  try {
    for await (const piece of inflater as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size > maximumBytes) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { offset, what: "inflated bytes" });
    }
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    throw deflateError(thrown, offset);
  } finally {
    input.destroy();
  }
  // Read from where they are: joined, they would be in memory twice.
  return { body: copying(piecesSource(pieces)), endOffset: offset + inflater.bytesWritten };
}

/** What is read is a copy, as a header that is kept is not to keep all that it was inflated with. */
function copying({ sizeBytes, read }: ByteSource): ByteSource {
  return { sizeBytes, read: async (offset, length) => Uint8Array.from(await read(offset, length)) };
}

/** What the first bytes behind `offset` inflate to; nothing where they do not. */
export async function inflatedBeginning(source: ByteSource, offset: number): Promise<Uint8Array> {
  const deflated = await source.read(offset, Math.min(BEGINNING_BYTES, source.sizeBytes - offset));
  try {
    // The end of the stream may not be there.
    return inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}

/** zlib says Z_BUF_ERROR where its input ends too early. */
function deflateError(thrown: unknown, offset: number): GatewayError {
  const isCut = thrown instanceof Error && "code" in thrown && thrown.code === "Z_BUF_ERROR";
  return new GatewayError(isCut ? "DICOM_TRUNCATED" : "DICOM_MALFORMED", { offset, what: "deflated data set" }, thrown);
}

/**
 * As `inflateSource`, of bytes in memory.
 * @throws GatewayError DICOM_LIMIT_EXCEEDED, DICOM_MALFORMED
 */
export function inflatedBytes(bytes: Uint8Array, maximumBytes: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: maximumBytes });
  } catch (thrown) {
    if (thrown instanceof RangeError)
      throw new GatewayError("DICOM_LIMIT_EXCEEDED", { offset: 0, what: "inflated bytes" }, thrown);
    throw deflateError(thrown, 0);
  }
}

/** Deflated, and padded to even length with a NUL. PS3.5 A.5. */
export function deflatedBytes(bytes: Uint8Array): Uint8Array {
  const deflated = deflateRawSync(bytes);
  return deflated.length % 2 === 0 ? deflated : Buffer.concat([deflated, Buffer.of(0)]);
}

/** As `deflatedBytes`, chunk by chunk. */
export async function* deflatedChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const deflater = createDeflateRaw();
  const input = Readable.from(chunks);
  input.on("error", (error) => deflater.destroy(error));
  input.pipe(deflater);
  let sizeBytes = 0;
  try {
    for await (const chunk of deflater as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      yield chunk;
    }
  } finally {
    input.destroy();
  }
  if (sizeBytes % 2 === 1) yield Buffer.of(0);
}
