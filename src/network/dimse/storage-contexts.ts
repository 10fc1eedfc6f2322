import { isStorageSopClass, storageSopClasses } from "../../dicom/dictionary/sop-classes.ts";
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxes,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { MAXIMUM_CONTEXTS } from "../upper-layer/pdu-decoder.ts";
import { queryRetrieveClass, VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import type { OutgoingInstance, ProposedContext } from "./service-types.ts";

/** For identifiers and verification. */
export const IDENTIFIER_TRANSFER_SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN] as const;

/** Uncompressed first: an archive that keeps to our order can then send whatever it holds, converted if it must. */
export const RETRIEVED_TRANSFER_SYNTAXES = [
  ...new Set([...IDENTIFIER_TRANSFER_SYNTAXES, ...transferSyntaxes.keys()]),
] as const;

/**
 * Storage contexts in the SCP role, for C-GET: one for each SOP class, as many as an association holds beside
 * the contexts of the query (`reserved`). PS3.4 C.4.3, PS3.8 9.3.2.2.
 */
export function storageContextsForGet(
  sopClassUids: readonly string[] = Object.values(storageSopClasses),
  reserved = 2,
): readonly ProposedContext[] {
  return [...new Set(sopClassUids)].slice(0, MAXIMUM_CONTEXTS - reserved).map((abstractSyntaxUid) => ({
    abstractSyntaxUid,
    transferSyntaxUids: RETRIEVED_TRANSFER_SYNTAXES,
    role: "scp",
  }));
}

/**
 * Contexts that carry these instances as they are: one for each SOP class and transfer syntax, as an acceptor picks
 * one syntax for each context. In groups of at most 128: each needs an association of its own.
 */
export function storageContextsFor(
  instances: Iterable<Pick<OutgoingInstance, "sopClassUid" | "transferSyntaxUid">>,
): readonly (readonly ProposedContext[])[] {
  const pairs = new Map<string, ProposedContext>();
  for (const { sopClassUid, transferSyntaxUid } of instances) {
    pairs.set(`${sopClassUid} ${transferSyntaxUid}`, {
      abstractSyntaxUid: sopClassUid,
      transferSyntaxUids: [transferSyntaxUid],
    });
  }
  const contexts = [...pairs.values()];
  const groups: ProposedContext[][] = [];
  for (let start = 0; start < contexts.length; start += MAXIMUM_CONTEXTS) {
    groups.push(contexts.slice(start, start + MAXIMUM_CONTEXTS));
  }
  return groups;
}

/** UIDs of the standard's own: below this, what is not storage is another service. */
const DICOM_ROOT = "1.2.840.10008.";

/** Storage by name, or by root, or, where allowed, a private class. */
export function isAcceptableStorageClass(sopClassUid: string, acceptUnknown: boolean): boolean {
  if (queryRetrieveClass(sopClassUid) !== undefined || sopClassUid === VERIFICATION_SOP_CLASS) return false;
  return isStorageSopClass(sopClassUid) || (acceptUnknown && !sopClassUid.startsWith(DICOM_ROOT));
}
