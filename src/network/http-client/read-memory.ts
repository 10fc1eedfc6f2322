import { isMarkedAsUntransferable } from "node:worker_threads";

/** Memory that pieces of answers were read into. Nothing but what came over the same connection lies in it. */
const readInto = new WeakSet<ArrayBufferLike>();

/** Notes that the piece lies in memory that it was read into. */
export function noteRead({ buffer }: Uint8Array): void {
  readInto.add(buffer);
}

/**
 * Gives such memory back at once, where the engine would long after: all views of it are empty from then on. Memory of another kind is left
 * as it is.
 */
export function freeRead(buffer: ArrayBufferLike): void {
  if (!(buffer instanceof ArrayBuffer) || !readInto.delete(buffer) || isMarkedAsUntransferable(buffer)) return;
  buffer.transfer(0);
}
