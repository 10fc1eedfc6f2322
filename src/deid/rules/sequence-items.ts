import type { DataElement, SequenceItem } from "../../dicom/data-set.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { elementOf, groupOf } from "../../dicom/tag.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { standardVr } from "./standard-vr.ts";

/** Items of a sequence, also of a standard one that was written as UN: it holds implicit VR little endian. PS3.5 6.2.2. Undefined: no sequence. */
export function sequenceItems(element: DataElement): readonly SequenceItem[] | undefined {
  const { value, tag, vr } = element;
  if (value.kind === "sequence") return value.items;
  if (value.kind !== "bytes" || vr !== "UN" || standardVr(tag) !== "SQ") return undefined;
  const header = Buffer.alloc(8);
  header.writeUInt16LE(groupOf(tag), 0);
  header.writeUInt16LE(elementOf(tag), 2);
  header.writeUInt32LE(value.bytes.length, 4);
  try {
    const parsed = parseDataSet(Buffer.concat([header, value.bytes]), IMPLICIT_VR_LITTLE_ENDIAN).get(tag);
    return parsed?.value.kind === "sequence" ? parsed.value.items : undefined;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}
