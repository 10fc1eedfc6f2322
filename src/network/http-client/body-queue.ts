/**
 * So much may wait for the reader before the socket is held back; as many pieces of it, whatever their size. What waits outlives the young
 * generation of the heap, and is freed late: with two megabytes here, retrieving one long instance took ten times the memory.
 */
const HIGH_WATER_BYTES = 256 * 1024;
const HIGH_WATER_PIECES = 1_024;

interface Socket {
  pause(): void;
  resume(): void;
  /** Nobody reads any more. */
  stop(): void;
}

/** Pieces as they come. What is there already can be taken without a promise, which would cost more than the piece. */
export interface PieceIterator extends AsyncIterator<Uint8Array, unknown, undefined> {
  /** Undefined: nothing is there now; `next` tells what follows. */
  takeNow?(): Uint8Array | undefined;
}

/** Read once. */
export interface Pieces {
  /** Each piece is its reader's own. */
  [Symbol.asyncIterator](): PieceIterator;
  /** Where memory is used again: each piece is lent until the next is asked for, which saves copying it. */
  borrow?(): PieceIterator;
}

/** Pieces of an answer between the socket that brings them and the one reader, who holds the socket back when behind. */
export interface BodyQueue extends Pieces {
  push(piece: Uint8Array): void;
  /** No more comes: the answer is whole, or this is why not. */
  end(failure?: Error): void;
}

export function createBodyQueue(socket: Socket): BodyQueue {
  let pieces: Uint8Array[] = [];
  let next = 0;
  let queuedBytes = 0;
  let isPaused = false;
  let ending: { readonly failure: Error | undefined } | undefined;
  let wake: (() => void) | undefined;

  const take = (): Uint8Array | undefined => {
    const piece = pieces[next];
    if (piece === undefined) return undefined;
    next += 1;
    queuedBytes -= piece.length;
    if (next === pieces.length) {
      pieces = [];
      next = 0;
    }
    if (isPaused && queuedBytes <= HIGH_WATER_BYTES / 2 && pieces.length - next <= HIGH_WATER_PIECES / 2) {
      isPaused = false;
      socket.resume();
    }
    return piece;
  };
  const iterator: PieceIterator = {
    takeNow: take,
    async next() {
      for (;;) {
        const piece = take();
        if (piece !== undefined) return { done: false, value: piece };
        if (ending?.failure !== undefined) throw ending.failure;
        if (ending !== undefined) return { done: true, value: undefined };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    return() {
      pieces = [];
      next = 0;
      if (ending === undefined) socket.stop();
      ending ??= { failure: undefined };
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  const rouse = (): void => {
    wake?.();
    wake = undefined;
  };
  return {
    push(piece) {
      if (ending !== undefined) return;
      pieces.push(piece);
      queuedBytes += piece.length;
      if (!isPaused && (queuedBytes >= HIGH_WATER_BYTES || pieces.length - next >= HIGH_WATER_PIECES)) {
        isPaused = true;
        socket.pause();
      }
      rouse();
    },
    end(failure) {
      ending ??= { failure };
      rouse();
    },
    [Symbol.asyncIterator]: () => iterator,
  };
}
