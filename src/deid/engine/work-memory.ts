import type { FileSourceOptions } from "../../dicom/sources.ts";

/** Memory that the instances of one engine take turns in: fresh memory of this size for each would cost more than copying its pixels. */
export interface WorkMemory {
  /** What was written to it before is still there. */
  take(): WorkPiece;
  /** Whoever gives it back keeps no view of it. */
  give(piece: WorkPiece): void;
}

export interface WorkPiece {
  /** What is composed, piece by piece; most images fit as a whole. */
  readonly composed: Buffer;
  /** What is read of the output, to be judged. */
  readonly read: Buffer;
}

/** Copied at a time: it stays in a core's cache between being read, hashed and written. */
const COMPOSED_BYTES = 640 * 1024;
/** Stays in the fastest cache while it is compared; where each read goes to another thread and back, few reads take less time. */
const READ_BYTES = { blocking: 64 * 1024, notBlocking: COMPOSED_BYTES };
/** More are given back only when more instances than these were under way at once. */
const KEPT_PIECES = 8;

export function createWorkMemory({ blocking = false }: FileSourceOptions): WorkMemory {
  const readBytes = blocking ? READ_BYTES.blocking : READ_BYTES.notBlocking;
  const free: WorkPiece[] = [];
  return {
    take: () =>
      free.pop() ?? {
        composed: Buffer.allocUnsafeSlow(COMPOSED_BYTES),
        read: Buffer.allocUnsafeSlow(readBytes),
      },
    give(piece) {
      if (free.length < KEPT_PIECES) free.push(piece);
    },
  };
}
