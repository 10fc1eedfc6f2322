import type { DataElement, SequenceItem } from "../../dicom/data-set.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { elementOf, groupOf, isPrivate } from "../../dicom/tag.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { standardVr } from "./standard-vr.ts";

const ITEM_TAG = [0xfe, 0xff, 0x00, 0xe0];
/** (FFFE,E0DD), length 0. PS3.5 7.5.1. */
const SEQUENCE_END = Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);
const UNDEFINED_LENGTH = 0xffffffff;

/**
 * Items of a sequence, also of one that was written as UN: it holds implicit VR little endian. PS3.5 6.2.2. A private one is known by the
 * item it begins with. Undefined: no sequence.
 */
export function sequenceItems(element: DataElement): readonly SequenceItem[] | undefined {
  const { value, tag, vr } = element;
  if (value.kind === "sequence") return value.items;
  if (value.kind !== "bytes" || vr !== "UN") return undefined;
  const beginsWithItem = ITEM_TAG.every((byte, index) => value.bytes[index] === byte);
  if (standardVr(tag) !== "SQ" && !(isPrivate(tag) && beginsWithItem)) return undefined;
  const header = Buffer.alloc(8);
  header.writeUInt16LE(groupOf(tag), 0);
  header.writeUInt16LE(elementOf(tag), 2);
  header.writeUInt32LE(UNDEFINED_LENGTH, 4);
  try {
    const parsed = parseDataSet(Buffer.concat([header, value.bytes, SEQUENCE_END]), IMPLICIT_VR_LITTLE_ENDIAN).get(tag);
    return parsed?.value.kind === "sequence" ? parsed.value.items : undefined;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}
