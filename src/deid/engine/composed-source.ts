import type { ByteRange, ByteSource } from "../../dicom/data-set.ts";

interface Segment {
  readonly start: number;
  readonly length: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source with more bytes behind its end: made in memory, or the source's own in another byte order. */
export interface ComposedSource extends ByteSource {
  readInto(target: Uint8Array, offset: number): Promise<number>;
  append(bytes: Uint8Array): ByteRange;
  /** `length` bytes made when they are read; `read` answers exactly as many as it is asked for within them. */
  appendComputed(length: number, read: (offset: number, length: number) => Promise<Uint8Array>): ByteRange;
  /** The range with a zero byte behind it. */
  appendPadded(range: ByteRange): ByteRange;
  /** The range with the bytes of every word of `widthBytes` turned round. */
  appendSwapped(range: ByteRange, widthBytes: number): ByteRange;
}

export function composeSource(base: ByteSource): ComposedSource {
  const segments: Segment[] = [];
  let end = base.sizeBytes;

  const add = (length: number, read: Segment["read"]): ByteRange => {
    segments.push({ start: end, length, read });
    end += length;
    return { offset: end - length, length };
  };

  const readAt = (offset: number, length: number): Promise<Uint8Array> => {
    if (offset < base.sizeBytes) return base.read(offset, length);
    const segment = segmentAt(segments, offset);
    return segment === undefined ? Promise.resolve(new Uint8Array()) : segment.read(offset - segment.start, length);
  };

  const copyAt = async (target: Uint8Array, offset: number): Promise<number> => {
    const bytes = await readAt(offset, target.length);
    target.set(bytes);
    return bytes.length;
  };

  return {
    get sizeBytes() {
      return end;
    },
    append: (bytes) =>
      add(bytes.length, (offset, length) =>
        Promise.resolve(bytes.subarray(offset, Math.min(bytes.length, offset + length))),
      ),
    appendComputed: (size, read) =>
      add(size, (offset, length) => read(offset, Math.max(0, Math.min(length, size - offset)))),
    appendPadded: (range) =>
      add(range.length + 1, async (offset, length) => {
        const bytes = new Uint8Array(Math.min(length, range.length + 1 - offset));
        bytes.set(await readAt(range.offset + offset, Math.min(bytes.length, range.length - offset)));
        return bytes;
      }),
    appendSwapped: (range, widthBytes) =>
      add(range.length, async (offset, length) => {
        const first = offset - (offset % widthBytes);
        const last = Math.min(range.length, Math.ceil((offset + length) / widthBytes) * widthBytes);
        const words = swapWords(await base.read(range.offset + first, last - first), widthBytes);
        return words.subarray(offset - first, Math.min(offset + length, range.length) - first);
      }),
    read: readAt,
    async readInto(target, offset) {
      let done = 0;
      while (done < target.length) {
        const at = offset + done;
        const isOfBase = at < base.sizeBytes;
        const rest = target.subarray(done, isOfBase ? done + base.sizeBytes - at : target.length);
        const count = isOfBase && base.readInto !== undefined ? await base.readInto(rest, at) : await copyAt(rest, at);
        if (count === 0) break;
        done += count;
      }
      return done;
    },
  };
}

/** They are in order, one behind the other: there may be as many as an object has frames. */
function segmentAt(segments: readonly Segment[], offset: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const segment = segments[middle];
    if (segment !== undefined && segment.start + segment.length <= offset) low = middle + 1;
    else high = middle;
  }
  return segments[low];
}

/** A copy with the bytes of every whole word of `widthBytes` turned round. */
export function swapWords(bytes: Uint8Array, widthBytes: number): Uint8Array {
  const swapped = Uint8Array.from(bytes);
  for (let start = 0; start + widthBytes <= swapped.length; start += widthBytes) {
    swapped.subarray(start, start + widthBytes).reverse();
  }
  return swapped;
}
