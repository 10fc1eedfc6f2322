import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { isFieldUid } from "../../dicom/uid.ts";
import { dataSetOf, itemsOf, numberOf, sequenceElement, textElement, uidOf } from "../../dicom/values.ts";
import { decodeIdentifier, encodeIdentifier } from "./identifier.ts";
import type { CommitmentResult, SopReference } from "./service-types.ts";

/** Action and event types of the Storage Commitment Push Model. PS3.4 tables J.3-1, J.3-2. */
export const REQUEST_STORAGE_COMMITMENT = 1;
export const COMMITMENT_EVENTS = { successful: 1, failuresExist: 2 } as const;

/** Action Information of a request. PS3.4 table J.3-1. */
export function encodeCommitmentRequest(
  { transactionUid, instances }: { readonly transactionUid: string; readonly instances: readonly SopReference[] },
  transferSyntaxUid: string,
): Uint8Array {
  const items = instances.map(({ sopClassUid, sopInstanceUid }) =>
    dataSetOf([
      textElement(tags.ReferencedSOPClassUID, sopClassUid, "UI"),
      textElement(tags.ReferencedSOPInstanceUID, sopInstanceUid, "UI"),
    ]),
  );
  return encodeIdentifier(
    dataSetOf([
      textElement(tags.TransactionUID, transactionUid, "UI"),
      sequenceElement(tags.ReferencedSOPSequence, items),
    ]),
    transferSyntaxUid,
  );
}

/**
 * Event Information of a result; undefined when it names no transaction. References without UIDs are passed over. PS3.4 table J.3-2.
 * @throws GatewayError as the reader does
 */
export function decodeCommitmentResult(bytes: Uint8Array, transferSyntaxUid: string): CommitmentResult | undefined {
  const information = decodeIdentifier(bytes, transferSyntaxUid);
  const transactionUid = uidOf(information, tags.TransactionUID);
  if (transactionUid === undefined) return undefined;
  const referencesOf = (sequence: DataSet[]) =>
    sequence.flatMap((item) => {
      const reference = referenceOf(item);
      return reference === undefined ? [] : [{ ...reference, failureReason: numberOf(item, tags.FailureReason) }];
    });
  const itemsIn = (tag: (typeof tags)["FailedSOPSequence"]) => itemsOf(information, tag).map(({ dataSet }) => dataSet);
  return {
    transactionUid,
    committed: itemsIn(tags.ReferencedSOPSequence).flatMap((item) => referenceOf(item) ?? []),
    failed: referencesOf(itemsIn(tags.FailedSOPSequence)),
  };
}

function referenceOf(item: DataSet): SopReference | undefined {
  const sopClassUid = uidOf(item, tags.ReferencedSOPClassUID) ?? "";
  const sopInstanceUid = uidOf(item, tags.ReferencedSOPInstanceUID) ?? "";
  return isFieldUid(sopInstanceUid) ? { sopClassUid, sopInstanceUid } : undefined;
}
