/** Memory that the instances of one engine take turns in: fresh memory of this size for each would cost more than copying its pixels. */
export interface WorkMemory {
  /** What was written to it before is still there. */
  take(): Buffer;
  /** Whoever gives it back keeps no view of it. */
  give(memory: Buffer): void;
}

/** Copied at a time: it stays in a core's cache between being read, hashed and written. */
const PIECE_BYTES = 512 * 1024;
/** More are given back only when more instances than these were under way at once. */
const KEPT_PIECES = 8;

export function createWorkMemory(): WorkMemory {
  const free: Buffer[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES),
    give(memory) {
      if (free.length < KEPT_PIECES) free.push(memory);
    },
  };
}
