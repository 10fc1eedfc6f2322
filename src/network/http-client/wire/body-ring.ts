import type { PieceIterator, Pieces } from "../body-queue.ts";

const BLOCK_BYTES = 1024 * 1024;
/** One that is read into, one that is looked at, and one between them. */
const BLOCKS = 3;
/** Where less than this is left, the next block is read into: small reads cost as much as large ones. */
const LEAST_ROOM_BYTES = 256 * 1024;

interface Flow {
  pause(): void;
  resume(): void;
}

interface Block {
  readonly memory: Buffer;
  filledBytes: number;
  takenBytes: number;
}

/** Where the socket reads to next. */
export interface Room {
  readonly memory: Buffer;
  readonly from: number;
}

/**
 * Memory of one connection that is read into again and again: allocating it anew for each read, and having it collected, costs more than
 * everything else. The reader borrows what has come, and is behind when no block is free: then the socket is held back.
 */
export interface BodyRing {
  room(): Room;
  /** So many bytes of a body lie in the room now. */
  fill(bodyBytes: number): void;
  /** No more comes: the answer is whole, or this is why not. */
  end(failure?: Error): void;
  /** The body that comes now. @param onLeave called when its reader has read to the end, which `isRead` tells, or wants no more */
  begin(onLeave: (isRead: boolean) => void): Pieces;
  /** The reader gets no more. Whether there was no more, and nothing is borrowed. */
  leave(): boolean;
}

/** One answer's use of the ring: who holds it when it is over gets nothing of the next. */
interface Reading {
  readonly onLeave: (isRead: boolean) => void;
  ending: { readonly failure: Error | undefined } | undefined;
  wake: (() => void) | undefined;
}

export function createBodyRing(flow: Flow): BodyRing {
  return new Ring(flow);
}

class Ring implements BodyRing {
  readonly #flow: Flow;
  #current: Block = createBlock();
  /** No longer read into, in their order, and not all taken. */
  readonly #full: Block[] = [];
  readonly #free: Block[] = [];
  #blocks = 1;
  #lent: Block | undefined;
  #isPaused = false;
  #reading: Reading | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  room(): Room {
    return { memory: this.#current.memory, from: this.#current.filledBytes };
  }

  fill(bodyBytes: number): void {
    if (bodyBytes === 0) return;
    const block = this.#current;
    block.filledBytes += bodyBytes;
    if (BLOCK_BYTES - block.filledBytes < LEAST_ROOM_BYTES) this.#retire(block);
    this.#rouse();
  }

  end(failure?: Error): void {
    if (this.#reading === undefined) return;
    this.#reading.ending ??= { failure };
    this.#rouse();
  }

  begin(onLeave: (isRead: boolean) => void): Pieces {
    const reading: Reading = { onLeave, ending: undefined, wake: undefined };
    this.#reading = reading;
    const borrowed: PieceIterator = {
      takeNow: () => this.#take(reading),
      next: () => this.#next(reading),
      return: () => {
        this.#leave(reading, false);
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const own: PieceIterator = {
      ...borrowed,
      takeNow: () => copied(this.#take(reading)),
      async next() {
        const step = await borrowed.next();
        return step.done === true ? step : { done: false, value: Uint8Array.from(step.value) };
      },
    };
    return { [Symbol.asyncIterator]: () => own, borrow: () => borrowed };
  }

  leave(): boolean {
    if (this.#reading !== undefined) this.#reading.ending ??= { failure: undefined };
    this.#rouse();
    this.#reading = undefined;
    const { takenBytes, filledBytes } = this.#current;
    return this.#lent === undefined && this.#full.length === 0 && takenBytes === filledBytes;
  }

  /** What has come and was not taken, as far as it lies together. */
  #take(reading: Reading): Uint8Array | undefined {
    if (this.#reading !== reading) return undefined;
    this.#takeBack();
    const block = this.#full.shift() ?? this.#current;
    if (block.takenBytes === block.filledBytes) return undefined;
    const bytes = block.memory.subarray(block.takenBytes, block.filledBytes);
    block.takenBytes = block.filledBytes;
    this.#lent = block;
    return bytes;
  }

  async #next(reading: Reading): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const value = this.#take(reading);
      if (value !== undefined) return { done: false, value };
      const { ending } = reading;
      if (ending !== undefined) {
        this.#leave(reading, ending.failure === undefined);
        if (ending.failure !== undefined) throw ending.failure;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        reading.wake = resolve;
      });
    }
  }

  #leave(reading: Reading, isRead: boolean): void {
    if (this.#reading !== reading) return;
    this.leave();
    reading.onLeave(isRead);
  }

  #takeBack(): void {
    const block = this.#lent;
    this.#lent = undefined;
    if (block === undefined || block === this.#current || block.takenBytes < block.filledBytes) return;
    this.#release(block);
  }

  /** Another block is read into from now on; the socket stops when it is the last. TLS brings a little more all the same. */
  #retire(block: Block): void {
    if (block.takenBytes < block.filledBytes) this.#full.push(block);
    else if (block !== this.#lent) this.#free.push(emptied(block));
    this.#current = this.#free.pop() ?? this.#allocate();
    if (this.#isPaused || this.#free.length > 0 || this.#blocks < BLOCKS) return;
    this.#isPaused = true;
    this.#flow.pause();
  }

  #allocate(): Block {
    this.#blocks += 1;
    return createBlock();
  }

  #release(block: Block): void {
    if (this.#blocks > BLOCKS) this.#blocks -= 1;
    else this.#free.push(emptied(block));
    if (!this.#isPaused || this.#free.length === 0) return;
    this.#isPaused = false;
    this.#flow.resume();
  }

  #rouse(): void {
    this.#reading?.wake?.();
  }
}

function emptied(block: Block): Block {
  block.filledBytes = 0;
  block.takenBytes = 0;
  return block;
}

function createBlock(): Block {
  return { memory: Buffer.allocUnsafeSlow(BLOCK_BYTES), filledBytes: 0, takenBytes: 0 };
}

function copied(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : Uint8Array.from(bytes);
}
