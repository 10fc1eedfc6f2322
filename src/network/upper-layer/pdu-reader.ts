import {
  ABORT_REASON,
  type ControlPdu,
  PDU_HEADER_BYTES,
  PDU_TYPE,
  PDV_HEADER_BYTES,
  PDV_IS_COMMAND,
  PDV_IS_LAST,
  PduError,
} from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import type { Violation } from "./violations.ts";

/** A piece of a message as it arrived: never larger than one read from the socket, and gone with the next. */
export interface DataFragment {
  readonly contextId: number;
  /** Command set, else data set. PS3.8 E.2. */
  readonly command: boolean;
  /** True for the piece that ends the last fragment of the command or data set. */
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** What the reader tells; a promise holds the rest of the stream back until it settles. */
export interface PduReaderEvents {
  pdu(pdu: ControlPdu): void;
  dataPdu(): void;
  fragment(fragment: DataFragment): void | Promise<void>;
  /** Framing is lost: nothing more is read. */
  invalid(error: PduError): void;
}

/** 128 contexts with tens of transfer syntaxes each stay below this. */
const MAXIMUM_ASSOCIATE_BYTES = 1024 * 1024;

/**
 * By so much a P-DATA-TF may be longer than we announced. The limit is of the variable field (PS3.8 D.1.1), but peers are
 * about that take it for that of the fragments in it, and so overshoot by the header of each: a command and its data set
 * in one PDU have two. It costs nothing, as no PDU is held whole; what is longer still breaks the protocol.
 */
const OVERSHOOT_BYTES = 2 * PDV_HEADER_BYTES;

/** Variable field lengths. PS3.8 9.3.2 to 9.3.8. */
const LENGTH_LIMITS: { readonly [type: number]: readonly [minimum: number, maximum: number] } = {
  [PDU_TYPE["A-ASSOCIATE-RQ"]]: [68, MAXIMUM_ASSOCIATE_BYTES],
  [PDU_TYPE["A-ASSOCIATE-AC"]]: [68, MAXIMUM_ASSOCIATE_BYTES],
  [PDU_TYPE["A-ASSOCIATE-RJ"]]: [4, 4],
  [PDU_TYPE["A-RELEASE-RQ"]]: [4, 4],
  [PDU_TYPE["A-RELEASE-RP"]]: [4, 4],
  [PDU_TYPE["A-ABORT"]]: [4, 4],
};

function invalid(message: string, violation: Violation): PduError {
  return new PduError(ABORT_REASON.invalidPduParameterValue, message, violation);
}

type Mode = "pdu header" | "variable field" | "pdv header" | "fragment" | "broken";

/** Cuts a byte stream into PDUs; fragments of P-DATA-TF are passed on as they arrive, everything else is held whole. */
export class PduReader {
  readonly #events: PduReaderEvents;
  readonly #dataLimits: readonly [minimum: number, maximum: number];
  #mode: Mode = "pdu header";
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;
  /** A field that came in pieces. */
  #partial: Buffer = Buffer.alloc(PDU_HEADER_BYTES);
  #partialBytes = 0;
  #pduType = 0;
  #pduRemaining = 0;
  #fragmentRemaining = 0;
  #contextId = 0;
  #control = 0;

  /** @param maximumPduLength as told to the peer; 0: none. */
  constructor(maximumPduLength: number, events: PduReaderEvents) {
    this.#events = events;
    this.#dataLimits = [
      PDV_HEADER_BYTES,
      maximumPduLength === 0 ? 0xffff_ffff : Math.min(0xffff_ffff, maximumPduLength + OVERSHOOT_BYTES),
    ];
  }

  /** Takes the next bytes; a promise means: give nothing more until it settles. */
  push(chunk: Uint8Array): Promise<void> | undefined {
    this.#chunk = chunk;
    this.#offset = 0;
    return this.#run();
  }

  #run(): Promise<void> | undefined {
    while (this.#offset < this.#chunk.length && this.#mode !== "broken") {
      const waiting = this.#step();
      if (waiting !== undefined) return this.#runAfter(waiting);
    }
    return undefined;
  }

  async #runAfter(first: Promise<void>): Promise<void> {
    await first;
    while (this.#offset < this.#chunk.length && this.#mode !== "broken") {
      const waiting = this.#step();
      if (waiting !== undefined) await waiting;
    }
  }

  #step(): Promise<void> | undefined {
    try {
      switch (this.#mode) {
        case "pdu header":
          this.#onPduHeader(this.#field(PDU_HEADER_BYTES));
          return undefined;
        case "variable field":
          this.#onVariableField(this.#field(this.#pduRemaining));
          return undefined;
        case "pdv header":
          return this.#onPdvHeader(this.#field(PDV_HEADER_BYTES));
        case "fragment":
          return this.#onFragment();
        case "broken":
          return undefined;
      }
    } catch (error) {
      if (!(error instanceof PduError)) throw error;
      this.#mode = "broken";
      this.#events.invalid(error);
      return undefined;
    }
  }

  /** `count` bytes as one piece, or undefined until they are all there. */
  #field(count: number): Buffer | undefined {
    const available = this.#chunk.length - this.#offset;
    if (this.#partialBytes === 0 && available >= count) {
      const field = Buffer.from(this.#chunk.buffer, this.#chunk.byteOffset + this.#offset, count);
      this.#offset += count;
      return field;
    }
    const taken = Math.min(available, count - this.#partialBytes);
    this.#reserve(this.#partialBytes + taken, count);
    this.#partial.set(this.#chunk.subarray(this.#offset, this.#offset + taken), this.#partialBytes);
    this.#offset += taken;
    this.#partialBytes += taken;
    if (this.#partialBytes < count) return undefined;
    this.#partialBytes = 0;
    return this.#partial.subarray(0, count);
  }

  /** Grows with what has come, not with what a header promises. */
  #reserve(needed: number, most: number): void {
    if (this.#partial.length >= needed) return;
    const grown = Buffer.alloc(Math.min(most, Math.max(needed, this.#partial.length * 2)));
    grown.set(this.#partial.subarray(0, this.#partialBytes));
    this.#partial = grown;
  }

  #onPduHeader(header: Buffer | undefined): void {
    if (header === undefined) return;
    this.#pduType = header.readUInt8(0);
    this.#pduRemaining = header.readUInt32BE(2);
    const isData = this.#pduType === PDU_TYPE["P-DATA-TF"];
    const limits = isData ? this.#dataLimits : LENGTH_LIMITS[this.#pduType];
    if (limits === undefined) {
      throw new PduError(ABORT_REASON.unrecognizedPdu, `PDU type ${this.#pduType}`, "PDU_TYPE_UNKNOWN");
    }
    if (this.#pduRemaining < limits[0] || this.#pduRemaining > limits[1]) {
      throw invalid(`PDU length ${this.#pduRemaining}`, "PDU_LENGTH_INVALID");
    }
    this.#mode = isData ? "pdv header" : "variable field";
    if (isData) this.#events.dataPdu();
  }

  #onVariableField(field: Buffer | undefined): void {
    if (field === undefined) return;
    this.#mode = "pdu header";
    // What is decoded may be kept; the chunk may not.
    this.#events.pdu(decodePdu(this.#pduType, Buffer.from(field)));
  }

  #onPdvHeader(header: Buffer | undefined): Promise<void> | undefined {
    if (header === undefined) return undefined;
    const length = header.readUInt32BE(0);
    this.#pduRemaining -= PDV_HEADER_BYTES;
    this.#contextId = header.readUInt8(4);
    this.#control = header.readUInt8(5);
    this.#fragmentRemaining = length - 2;
    if (length < 2 || this.#fragmentRemaining > this.#pduRemaining) {
      throw invalid(`PDV length ${length}`, "PDV_MALFORMED");
    }
    const rest = this.#pduRemaining - this.#fragmentRemaining;
    if (rest > 0 && rest < PDV_HEADER_BYTES) throw invalid(`${rest} bytes after the last PDV`, "PDV_MALFORMED");
    this.#mode = "fragment";
    // An empty fragment has no bytes that could be waited for.
    return this.#fragmentRemaining === 0 ? this.#onFragment() : undefined;
  }

  #onFragment(): Promise<void> | undefined {
    const count = Math.min(this.#fragmentRemaining, this.#chunk.length - this.#offset);
    const bytes = this.#chunk.subarray(this.#offset, this.#offset + count);
    this.#offset += count;
    this.#fragmentRemaining -= count;
    this.#pduRemaining -= count;
    const fragmentEnds = this.#fragmentRemaining === 0;
    if (fragmentEnds) this.#mode = this.#pduRemaining === 0 ? "pdu header" : "pdv header";
    const waiting = this.#events.fragment({
      contextId: this.#contextId,
      command: (this.#control & PDV_IS_COMMAND) !== 0,
      last: fragmentEnds && (this.#control & PDV_IS_LAST) !== 0,
      bytes,
    });
    return waiting === undefined ? undefined : waiting;
  }
}
