import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { isFieldUid } from "../../dicom/uid.ts";
import { dataSetOf, element, itemsOf, numberOf, sequenceElement, textElement, uidOf } from "../../dicom/values.ts";
import { decodeIdentifier, encodeIdentifier } from "./identifier.ts";
import type { CommitmentRequest, CommitmentResult, SopReference } from "./service-types.ts";

/** Action and event types of the Storage Commitment Push Model. PS3.4 tables J.3-1, J.3-2. */
export const REQUEST_STORAGE_COMMITMENT = 1;
export const COMMITMENT_EVENTS = { successful: 1, failuresExist: 2 } as const;

/** Action Information of a request. PS3.4 table J.3-1. */
export function encodeCommitmentRequest(
  { transactionUid, instances }: { readonly transactionUid: string; readonly instances: readonly SopReference[] },
  transferSyntaxUid: string,
): Uint8Array {
  return encodeIdentifier(
    dataSetOf([
      textElement(tags.TransactionUID, transactionUid, "UI"),
      sequenceElement(
        tags.ReferencedSOPSequence,
        instances.map((one) => dataSetOf(referenceElements(one))),
      ),
    ]),
    transferSyntaxUid,
  );
}

/** Event Information of a result; a sequence without items is left out. PS3.4 table J.3-2. */
export function encodeCommitmentResult(
  { transactionUid, committed, failed }: CommitmentResult,
  transferSyntaxUid: string,
): Uint8Array {
  const kept = committed.map((one) => dataSetOf(referenceElements(one)));
  const others = failed.map(({ failureReason = PROCESSING_FAILURE, ...one }) =>
    dataSetOf([...referenceElements(one), element(tags.FailureReason, "US", unsignedShort(failureReason))]),
  );
  return encodeIdentifier(
    dataSetOf([
      textElement(tags.TransactionUID, transactionUid, "UI"),
      ...(others.length === 0 ? [] : [sequenceElement(tags.FailedSOPSequence, others)]),
      ...(kept.length === 0 ? [] : [sequenceElement(tags.ReferencedSOPSequence, kept)]),
    ]),
    transferSyntaxUid,
  );
}

/** PS3.3 C.14.1.1. */
const PROCESSING_FAILURE = 0x0110;

/** Identifiers are written in little endian. PS3.5 7.3. */
function unsignedShort(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

function referenceElements({ sopClassUid, sopInstanceUid }: SopReference) {
  return [
    textElement(tags.ReferencedSOPClassUID, sopClassUid, "UI"),
    textElement(tags.ReferencedSOPInstanceUID, sopInstanceUid, "UI"),
  ];
}

/**
 * Action Information of a request; undefined when it names no transaction, or one of its references no instance. PS3.4 table J.3-1.
 * @throws GatewayError as the reader does
 */
export function decodeCommitmentRequest(bytes: Uint8Array, transferSyntaxUid: string): CommitmentRequest | undefined {
  const information = decodeIdentifier(bytes, transferSyntaxUid);
  const transactionUid = uidOf(information, tags.TransactionUID) ?? "";
  const items = itemsOf(information, tags.ReferencedSOPSequence);
  const instances = items.flatMap(({ dataSet }) => referenceOf(dataSet) ?? []);
  return isFieldUid(transactionUid) && instances.length > 0 && instances.length === items.length
    ? { transactionUid, instances }
    : undefined;
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
