import type { ByteSource } from "./data-set.ts";

/**
 * A position in a source, with a window of its bytes in memory. What is skipped is never read.
 * Parsing code asks `has(n)` and stops when the answer is no; the driver then calls `fill(n)`.
 */
export interface Cursor {
  /** Absolute offset in the source. */
  position: number;
  readonly sizeBytes: number;
  view: DataView;
  bytes: Uint8Array;
  /** Absolute offset of the window's first byte. */
  windowStart: number;
  /** Bytes of all windows that were read: values are views of them, so they stay in memory as long as the values. */
  heldBytes: number;
}

/** Read at once: most headers fit, and what is read is kept as long as the values are. */
export const WINDOW_BYTES = 16 * 1024;
/** A header that does not fit is a long one: what follows is read in windows so many times as large. */
const GROWTH = 4;
/** Behind something skipped little follows: a part of a window is enough. */
const PART_AFTER_SKIP = 4;

const EMPTY = new Uint8Array(0);

/** A cursor without a window, or with the one given, which begins at `windowStart`. */
export function createCursor(sizeBytes: number, position = 0, bytes: Uint8Array = EMPTY, windowStart = 0): Cursor {
  const cursor = { position, sizeBytes, bytes: EMPTY, view: new DataView(EMPTY.buffer), windowStart, heldBytes: 0 };
  setWindow(cursor, bytes, windowStart);
  return cursor;
}

/** A cursor over bytes that are all there. */
export function cursorOver(bytes: Uint8Array): Cursor {
  return createCursor(bytes.length, 0, bytes);
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
export async function fill(
  cursor: Cursor,
  source: ByteSource,
  count: number,
  windowBytes: number = WINDOW_BYTES,
): Promise<void> {
  const skipped = at(cursor) > cursor.bytes.length;
  const wanted = Math.max(count, Math.ceil(skipped ? windowBytes / PART_AFTER_SKIP : windowBytes * GROWTH));
  const length = Math.min(wanted, cursor.sizeBytes - cursor.position);
  const bytes = length > 0 ? await source.read(cursor.position, length) : EMPTY;
  setWindow(cursor, bytes, cursor.position);
  cursor.heldBytes += bytes.length;
}

/** The next `count` bytes, as a view of the window; the position moves behind them. Only after `has(count)`. */
export function take(cursor: Cursor, count: number): Uint8Array {
  const start = cursor.bytes.byteOffset + at(cursor);
  cursor.position += count;
  return count === 0 ? EMPTY : new Uint8Array(cursor.bytes.buffer, start, count);
}
