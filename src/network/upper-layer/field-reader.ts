import { trimUid } from "../../dicom/uid.ts";
import { ABORT_REASON, PduError } from "./pdu.ts";

const MAXIMUM_UID_BYTES = 64;
/** On one level; 128 contexts, 256 transfer syntaxes and a few sub-items for each context stay below this. */
const MAXIMUM_ITEMS = 1024;

/** Reads the fields of a PDU in order; a field that reaches past the end is an invalid parameter. */
export class FieldReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  bytes(count: number): Buffer {
    if (count > this.remaining) {
      throw new PduError(ABORT_REASON.invalidPduParameterValue, `field of ${count} bytes, ${this.remaining} left`);
    }
    this.#offset += count;
    return this.#bytes.subarray(this.#offset - count, this.#offset);
  }

  /** The next bytes as fields of their own. */
  part(count: number): FieldReader {
    return new FieldReader(this.bytes(count));
  }

  skip(count: number): void {
    this.bytes(count);
  }

  uint8(): number {
    return this.bytes(1).readUInt8();
  }

  uint16(): number {
    return this.bytes(2).readUInt16BE();
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  /** Text without the padding peers add: blanks, and NULs after UIDs. */
  text(count: number): string {
    return trimUid(this.bytes(count).toString("latin1"));
  }

  /** A UID; one byte of padding is forgiven. PS3.5 9.1. */
  uid(count: number): string {
    if (count > MAXIMUM_UID_BYTES + 1) {
      throw new PduError(ABORT_REASON.invalidPduParameterValue, `UID of ${count} bytes`);
    }
    return this.text(count);
  }

  /** Items up to the end: type, reserved byte, length, value. PS3.8 9.3.2. */
  *items(): Generator<{ readonly type: number; readonly value: FieldReader }, undefined> {
    for (let count = 1; this.remaining > 0; count += 1) {
      if (count > MAXIMUM_ITEMS) throw new PduError(ABORT_REASON.invalidPduParameterValue, "too many items");
      const type = this.uint8();
      this.skip(1);
      yield { type, value: this.part(this.uint16()) };
    }
  }
}
