import type { ByteSource } from "./data-set.ts";

/**
 * A position in a source, with a window of its bytes in memory. What is skipped is never read.
 * Parsing code asks `has(n)` and yields when the answer is no; the driver then calls `fill(n)`.
 */
export interface Cursor {
  /** Absolute offset in the source. */
  position: number;
  readonly sizeBytes: number;
  view: DataView;
  bytes: Uint8Array;
  /** Absolute offset of the window's first byte. */
  windowStart: number;
}

/** Read at once: headers of most objects fit. */
const WINDOW_BYTES = 64 * 1024;

const EMPTY = new Uint8Array(0);

export function createCursor(sizeBytes: number, position = 0): Cursor {
  return { position, sizeBytes, bytes: EMPTY, view: new DataView(EMPTY.buffer), windowStart: position };
}

/** A cursor over bytes that are all there. */
export function cursorOver(bytes: Uint8Array): Cursor {
  const cursor = createCursor(bytes.length);
  setWindow(cursor, bytes, 0);
  return cursor;
}

function setWindow(cursor: Cursor, bytes: Uint8Array, start: number): void {
  cursor.bytes = bytes;
  cursor.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  cursor.windowStart = start;
}

/** Whether `count` bytes from the position are in the window. */
export function has(cursor: Cursor, count: number): boolean {
  const start = cursor.position - cursor.windowStart;
  return start >= 0 && start + count <= cursor.bytes.length;
}

/** Index of the position in the window. */
export function at(cursor: Cursor): number {
  return cursor.position - cursor.windowStart;
}

/** Reads a window that begins at the position and holds `count` bytes, or as many as there are. */
export async function fill(cursor: Cursor, source: ByteSource, count: number): Promise<void> {
  const length = Math.min(Math.max(count, WINDOW_BYTES), cursor.sizeBytes - cursor.position);
  const bytes = length > 0 ? await source.read(cursor.position, length) : EMPTY;
  setWindow(cursor, bytes, cursor.position);
}

/** A copy of the next `count` bytes; the position moves behind them. Only after `has(count)`. */
export function take(cursor: Cursor, count: number): Uint8Array {
  const start = at(cursor);
  cursor.position += count;
  return cursor.bytes.slice(start, start + count);
}
