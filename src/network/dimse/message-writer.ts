import { PDV_HEADER_BYTES } from "../upper-layer/pdu.ts";
import { encodeDataHeader } from "../upper-layer/pdu-encoder.ts";

/** One write of several PDUs costs less than a write for each. */
const BATCH_BYTES = 1024 * 1024;

/** Below this, putting the pieces of a batch together costs less than writing them as pieces. */
const JOINED_BYTES = 32 * 1024;

/** Peers without a limit get PDUs no larger than this. */
const LARGEST_PDU_LENGTH = 256 * 1024;

/** Takes whole P-DATA-TF PDUs; resolves when the transport has them. */
export type PduSink = (pdus: readonly Uint8Array[]) => Promise<void>;

export type DataSetSource = Uint8Array | AsyncIterable<Uint8Array>;

/** Bytes of data in a fragment for a peer that takes PDUs of this length (0: any). PS3.8 D.1. */
export function fragmentBytesFor(peerMaximumPduLength: number): number {
  const length = peerMaximumPduLength === 0 ? LARGEST_PDU_LENGTH : Math.min(peerMaximumPduLength, LARGEST_PDU_LENGTH);
  // Even, as some peers insist; at least something, whatever the peer said.
  return Math.max(2, (length - PDV_HEADER_BYTES) & ~1);
}

/** Cuts one message into P-DATA-TF PDUs of one fragment each and hands them over in batches, the next being read meanwhile. */
export async function writeMessage(
  contextId: number,
  command: Uint8Array,
  dataSet: DataSetSource | undefined,
  fragmentBytes: number,
  sink: PduSink,
): Promise<void> {
  const batch = new Batch(sink);
  const commandFragments = new Fragments(contextId, true, fragmentBytes, batch);
  commandFragments.add(command);
  commandFragments.end();
  if (dataSet !== undefined) {
    const fragments = new Fragments(contextId, false, fragmentBytes, batch);
    if (dataSet instanceof Uint8Array) fragments.add(dataSet);
    else {
      for await (const chunk of dataSet) {
        fragments.add(chunk);
        if (batch.isFull) await batch.flush();
      }
    }
    fragments.end();
  }
  await batch.flush();
  await batch.settled();
}

class Batch {
  readonly #sink: PduSink;
  #buffers: Uint8Array[] = [];
  #bytes = 0;
  #inFlight: Promise<void> = Promise.resolve();

  constructor(sink: PduSink) {
    this.#sink = sink;
  }

  get isFull(): boolean {
    return this.#bytes >= BATCH_BYTES;
  }

  add(buffer: Uint8Array): void {
    this.#buffers.push(buffer);
    this.#bytes += buffer.length;
  }

  /** Waits for the batch before, not for this one. */
  async flush(): Promise<void> {
    await this.#inFlight;
    if (this.#buffers.length === 0) return;
    const isSmall = this.#bytes <= JOINED_BYTES && this.#buffers.length > 1;
    this.#inFlight = this.#sink(isSmall ? [Buffer.concat(this.#buffers, this.#bytes)] : this.#buffers);
    // Seen by the next await; until then it is not unhandled.
    this.#inFlight.catch(() => {});
    this.#buffers = [];
    this.#bytes = 0;
  }

  settled(): Promise<void> {
    return this.#inFlight;
  }
}

class Fragments {
  readonly #contextId: number;
  readonly #command: boolean;
  readonly #fragmentBytes: number;
  readonly #batch: Batch;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(contextId: number, command: boolean, fragmentBytes: number, batch: Batch) {
    this.#contextId = contextId;
    this.#command = command;
    this.#fragmentBytes = fragmentBytes;
    this.#batch = batch;
  }

  add(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      // A full fragment goes out only when more follows: the last one carries the mark.
      if (this.#partBytes === this.#fragmentBytes) this.#emit(false);
      const taken = Math.min(this.#fragmentBytes - this.#partBytes, chunk.length - offset);
      this.#parts.push(chunk.subarray(offset, offset + taken));
      this.#partBytes += taken;
      offset += taken;
    }
  }

  end(): void {
    this.#emit(true);
  }

  #emit(last: boolean): void {
    this.#batch.add(encodeDataHeader(this.#contextId, this.#partBytes, { command: this.#command, last }));
    for (const part of this.#parts) this.#batch.add(part);
    this.#parts = [];
    this.#partBytes = 0;
  }
}
