import { Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource } from "./data-set.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * The inflated form of what follows `offset`, held in memory: a deflated data set has no other random access. PS3.5 A.5.
 * @throws GatewayError DICOM_LIMIT_EXCEEDED when it would grow beyond the limit, DICOM_MALFORMED when it does not inflate
 */
export async function inflateSource(source: ByteSource, offset: number, maximumBytes: number): Promise<ByteSource> {
  async function* deflated(): AsyncGenerator<Uint8Array> {
    for (let position = offset; position < source.sizeBytes; position += CHUNK_BYTES) {
      yield await source.read(position, Math.min(CHUNK_BYTES, source.sizeBytes - position));
    }
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const inflater = createInflateRaw();
  const input = Readable.from(deflated());
  input.on("error", (error) => inflater.destroy(error));
  input.pipe(inflater);
  try {
    for await (const chunk of inflater) {
      size += chunk.length;
      if (size > maximumBytes) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { offset, what: "inflated bytes" });
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    throw new GatewayError("DICOM_MALFORMED", { offset, what: "deflated data set" }, thrown);
  } finally {
    input.destroy();
  }
  const bytes = Buffer.concat(chunks);
  return { sizeBytes: bytes.length, read: (from, length) => Promise.resolve(bytes.subarray(from, from + length)) };
}
