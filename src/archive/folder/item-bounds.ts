import { GatewayError } from "../../errors/gateway-error.ts";

/** Tag and length. PS3.5 7.5.1. */
export const ITEM_HEADER_BYTES = 8;
const UNDEFINED_LENGTH = 0xffffffff;
/** (FFFE,E000), (FFFE,E00D), (FFFE,E0DD). PS3.5 7.5. */
const [ITEM, ITEM_END, SEQUENCE_END] = [0xfffee000, 0xfffee00d, 0xfffee0dd];
/** VRs whose length is of 32 bits behind two reserved bytes. PS3.5 table 7.1-1. */
const LONG_VRS: ReadonlySet<string> = new Set("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(" "));
/** Records of a DICOMDIR hold icons and little else. */
const MAXIMUM_DEPTH = 32;

export interface ItemBounds {
  /** Where its elements end. */
  readonly content: number;
  /** Where what follows it begins. */
  readonly next: number;
}

/** Little endian: the group before the element. */
function tagAt(bytes: Buffer, at: number): number {
  return bytes.readUInt16LE(at) * 0x10000 + bytes.readUInt16LE(at + 2);
}

export function itemAt(bytes: Buffer, at: number): boolean {
  return at + ITEM_HEADER_BYTES <= bytes.length && tagAt(bytes, at) === ITEM;
}

/**
 * Where the item that begins at `at` ends, in little endian.
 * @throws GatewayError DICOM_TRUNCATED, DICOM_MALFORMED; RangeError where it ends in a header
 */
export function endOfItem(bytes: Buffer, at: number, isExplicit: boolean, depth = 0): ItemBounds {
  if (depth > MAXIMUM_DEPTH) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "depth" });
  const length = bytes.readUInt32LE(at + 4);
  let position = at + ITEM_HEADER_BYTES;
  if (length !== UNDEFINED_LENGTH) return within(bytes, position + length);
  while (tagAt(bytes, position) !== ITEM_END) position = endOfElement(bytes, position, isExplicit, depth);
  return { content: position, next: position + ITEM_HEADER_BYTES };
}

function within(bytes: Buffer, end: number): ItemBounds {
  if (end > bytes.length) throw new GatewayError("DICOM_TRUNCATED", { what: "item" });
  return { content: end, next: end };
}

function endOfElement(bytes: Buffer, at: number, isExplicit: boolean, depth: number): number {
  const isLong = isExplicit && LONG_VRS.has(bytes.toString("latin1", at + 4, at + 6));
  const length = isLong
    ? bytes.readUInt32LE(at + 8)
    : isExplicit
      ? bytes.readUInt16LE(at + 6)
      : bytes.readUInt32LE(at + 4);
  let position = at + (isLong ? 12 : 8);
  if (length !== UNDEFINED_LENGTH) return within(bytes, position + length).next;
  while (tagAt(bytes, position) !== SEQUENCE_END) {
    if (!itemAt(bytes, position)) throw new GatewayError("DICOM_MALFORMED", { what: "no item" });
    position = endOfItem(bytes, position, isExplicit, depth + 1).next;
  }
  return position + ITEM_HEADER_BYTES;
}
