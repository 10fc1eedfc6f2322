import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource } from "./data-set.ts";
import { lengthOf, type Segment } from "./encode-segments.ts";

/** Few large writes instead of many small ones. */
const CHUNK_BYTES = 1024 * 1024;
/** Shorter ranges lie close together, between the edits of a header: they are read through a window of this size. */
const WINDOW_BYTES = 64 * 1024;

export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
  /** Memory for the next chunk, asked for when the one before is used up. @default new memory each time */
  readonly memory?: (sizeBytes: number) => Uint8Array;
}

/**
 * The bytes of the segments in chunks of up to a mebibyte. Ranges are read from the source as they are, in few reads.
 * @throws GatewayError DICOM_TRUNCATED when the source has become shorter
 */
export async function* gathered(
  segments: readonly Segment[],
  source: ByteSource,
  { signal, memory = Buffer.allocUnsafeSlow }: GatherOptions = {},
): AsyncGenerator<Uint8Array> {
  const readRange = createRangeReader(source);
  signal?.throwIfAborted();
  let rest = lengthOf(segments);
  let chunk = memory(Math.min(CHUNK_BYTES, rest));
  let used = 0;
  for (const segment of segments) {
    const length = segment.kind === "bytes" ? segment.bytes.length : segment.range.length;
    for (let done = 0; done < length; ) {
      if (used === chunk.length) {
        yield chunk;
        signal?.throwIfAborted();
        rest -= used;
        chunk = memory(Math.min(CHUNK_BYTES, rest));
        used = 0;
      }
      const count = Math.min(length - done, chunk.length - used);
      const target = chunk.subarray(used, used + count);
      if (segment.kind === "bytes") target.set(segment.bytes.subarray(done, done + count));
      else await readRange(target, segment.range.offset + done);
      used += count;
      done += count;
    }
  }
  if (used > 0) yield chunk;
}

/** Fills a target from an offset: a long one from the source itself, a short one from a window that serves its neighbours too. */
function createRangeReader(source: ByteSource): (target: Uint8Array, offset: number) => Promise<void> {
  let window: Uint8Array = new Uint8Array();
  let windowStart = 0;
  return async (target, offset) => {
    const { length } = target;
    if (length >= WINDOW_BYTES && source.readInto !== undefined) {
      if ((await source.readInto(target, offset)) < length) throw shortened(offset);
      return;
    }
    if (offset < windowStart || offset + length > windowStart + window.length) {
      window = await source.read(offset, Math.min(Math.max(WINDOW_BYTES, length), source.sizeBytes - offset));
      windowStart = offset;
    }
    if (offset + length > windowStart + window.length) throw shortened(offset);
    target.set(window.subarray(offset - windowStart, offset - windowStart + length));
  };
}

function shortened(offset: number): GatewayError {
  return new GatewayError("DICOM_TRUNCATED", { offset, what: "source that has become shorter" });
}
