/** Files byte by byte, as a sender may have written them. Explicit VR little endian unless it says otherwise. PS3.5 7.1. */
import { isLongForm, type Vr } from "../../../../src/dicom/vr.ts";

const UNDEFINED_LENGTH = 0xffffffff;

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function longWord(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Group, element. */
function tagBytes(tag: number): Buffer {
  return Buffer.concat([word(tag >>> 16), word(tag & 0xffff)]);
}

/** Tag, VR, length, value as it is given: an odd one stays odd. */
export function explicit(tag: number, vr: Vr, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  const length = isLongForm(vr) ? [word(0), longWord(bytes.length)] : [word(bytes.length)];
  return Buffer.concat([tagBytes(tag), Buffer.from(vr), ...length, bytes]);
}

/** Tag, VR, reserved, FFFFFFFFH, items, sequence delimitation item. PS3.5 7.5.1, A.4. */
export function explicitOfUndefinedLength(
  tag: number,
  vr: "SQ" | "UN" | "OB",
  ...items: readonly Uint8Array[]
): Buffer {
  const head = [tagBytes(tag), Buffer.from(vr), word(0), longWord(UNDEFINED_LENGTH)];
  return Buffer.concat([...head, ...items, tagBytes(0xfffee0dd), longWord(0)]);
}

/** Tag, length, value. Implicit VR little endian. PS3.5 7.1.3. */
export function implicit(tag: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([tagBytes(tag), longWord(bytes.length), bytes]);
}

/** An item with its length. PS3.5 7.5. */
export function item(...elements: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(elements);
  return Buffer.concat([tagBytes(0xfffee000), longWord(bytes.length), bytes]);
}
