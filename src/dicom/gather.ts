import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource } from "./data-set.ts";
import type { Segment } from "./encode-segments.ts";

/** Read at once: a source is copied in few large reads. */
export const COPY_WINDOW_BYTES = 1024 * 1024;

export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
  /** Memory for the next read, asked for when the batch before is used up. @default new memory each time */
  readonly memory?: (sizeBytes: number) => Uint8Array;
}

/**
 * The bytes of the segments, in batches: what one read of the source serves, with the encoded bytes between. Nothing is copied in memory,
 * and ranges are taken as they are. Short ranges lie close together, between the edits of a header, and share a read.
 * @throws GatewayError DICOM_TRUNCATED when the source has become shorter
 */
export async function* gathered(
  segments: readonly Segment[],
  source: ByteSource,
  { signal, memory = Buffer.allocUnsafeSlow }: GatherOptions = {},
): AsyncGenerator<readonly Uint8Array[]> {
  const lastOffset = segments.reduce((last, one) => Math.max(last, endOf(one)), 0);
  let batch: Uint8Array[] = [];
  let window: Uint8Array = new Uint8Array();
  let windowStart = 0;
  for (const segment of segments) {
    if (segment.kind === "bytes") {
      batch.push(segment.bytes);
      continue;
    }
    const end = endOf(segment);
    for (let offset = segment.range.offset; offset < end; ) {
      const start = offset - windowStart;
      if (start >= 0 && start < window.length) {
        const slice = window.subarray(start, start + end - offset);
        batch.push(slice);
        offset += slice.length;
        continue;
      }
      if (batch.length > 0) yield batch;
      batch = [];
      signal?.throwIfAborted();
      window = await readWindow(source, offset, Math.min(COPY_WINDOW_BYTES, lastOffset - offset), memory);
      windowStart = offset;
    }
  }
  if (batch.length > 0) yield batch;
}

function endOf(segment: Segment): number {
  return segment.kind === "range" ? segment.range.offset + segment.range.length : 0;
}

async function readWindow(
  source: ByteSource,
  offset: number,
  length: number,
  memory: (sizeBytes: number) => Uint8Array,
): Promise<Uint8Array> {
  if (source.readInto === undefined) return whole(await source.read(offset, length), offset, length);
  const target = memory(length).subarray(0, length);
  return whole(target.subarray(0, await source.readInto(target, offset)), offset, length);
}

function whole(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (bytes.length < length) throw new GatewayError("DICOM_TRUNCATED", { offset, what: "source that became shorter" });
  return bytes;
}
