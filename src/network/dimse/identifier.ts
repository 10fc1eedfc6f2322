import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { trimUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement, textsOf } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";

/** Identifiers are held whole, long values included: their limit is that of the message. */
export function decodeIdentifier(bytes: Uint8Array, transferSyntaxUid: string): DataSet {
  return parseDataSet(bytes, transferSyntaxUid, { bulkThresholdBytes: Number.POSITIVE_INFINITY });
}

export function encodeIdentifier(identifier: DataSet, transferSyntaxUid: string): Uint8Array {
  return encodeDataSet(identifier, transferSyntaxUid);
}

/** Failed SOP Instance UID List of a final C-MOVE or C-GET answer. PS3.4 C.4.2.1.4.2. */
export function failedInstancesOf(bytes: Uint8Array, transferSyntaxUid: string): readonly string[] {
  const identifier = decodeIdentifier(bytes, transferSyntaxUid);
  return textsOf(identifier, tags.FailedSOPInstanceUIDList).map(trimUid);
}

export function encodeFailedInstances(sopInstanceUids: readonly string[], transferSyntaxUid: string): Uint8Array {
  const list = textElement(tags.FailedSOPInstanceUIDList, sopInstanceUids.join("\\"), "UI");
  return encodeIdentifier(dataSetOf([list]), transferSyntaxUid);
}
