import { type FileSource, type FileSourceOptions, fileSource } from "../../dicom/sources.ts";
import { TokenError } from "./tokenizer.ts";

/** Bytes of a file by offset, a window of it at a time. */
export interface FileWindow extends AsyncDisposable {
  readonly sizeBytes: number;
  /** What it holds, until the next load. */
  readonly bytes: Buffer;
  /** Where in `bytes` those of the file from `offset` begin; -1: they must be loaded first. */
  indexOf(offset: number, length: number): number;
  /** Bytes of the window; undefined: they must be loaded first. Valid until the next load. */
  held(offset: number, length: number): Buffer | undefined;
  /** Moves the window there. @throws TokenError `truncated` */
  load(offset: number, length: number): Promise<Buffer>;
}

/** Holds the header of nearly every image. Where a read does not block, as much is read as there is memory for: it takes a way there and back. */
const WINDOW_BYTES = 2 ** 15;

export interface WindowOptions extends FileSourceOptions {
  /** What the window lies in, as long as it is open; longer values get their own. @default new memory for every load */
  readonly memory?: Buffer | undefined;
}

/** @throws NodeJS.ErrnoException as `open` */
export async function openWindow(path: string, options: WindowOptions = {}): Promise<FileWindow> {
  const { memory, blocking = false } = options;
  const windowBytes = blocking ? WINDOW_BYTES : Math.max(WINDOW_BYTES, memory?.length ?? 0);
  return windowOf(await fileSource(path, options), memory, windowBytes);
}

function windowOf(file: FileSource, memory: Buffer | undefined, windowBytes: number): FileWindow {
  const { sizeBytes } = file;
  let start = 0;
  let window: Buffer = Buffer.alloc(0);
  const indexOf = (offset: number, length: number): number =>
    offset >= start && offset + length <= start + window.length ? offset - start : -1;
  const held = (offset: number, length: number): Buffer | undefined => {
    const index = indexOf(offset, length);
    return index < 0 ? undefined : window.subarray(index, index + length);
  };
  return {
    sizeBytes,
    get bytes() {
      return window;
    },
    indexOf,
    held,
    async load(offset, length) {
      if (offset + length > sizeBytes) throw new TokenError("truncated");
      const known = held(offset, length);
      if (known !== undefined) return known;
      const wanted = Math.min(sizeBytes - offset, Math.max(length, windowBytes));
      const bytes =
        memory !== undefined && wanted <= memory.length ? memory.subarray(0, wanted) : Buffer.allocUnsafe(wanted);
      window = bytes.subarray(0, 0);
      const count = await file.readInto(bytes, offset);
      if (count < length) throw new TokenError("truncated");
      start = offset;
      window = bytes.subarray(0, count);
      return window.subarray(0, length);
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
