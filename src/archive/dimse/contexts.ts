import { storageContextGroups } from "../../network/dimse/get-contexts.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "../../network/dimse/service-classes.ts";
import type { ProposedContext } from "../../network/dimse/service-types.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES } from "../../network/dimse/storage-contexts.ts";

const { find, move, get } = QUERY_RETRIEVE_SOP_CLASSES["study-root"];

function contextFor(abstractSyntaxUid: string): ProposedContext {
  return { abstractSyntaxUid, transferSyntaxUids: IDENTIFIER_TRANSFER_SYNTAXES };
}

export function verificationContexts(): readonly ProposedContext[] {
  return [contextFor(VERIFICATION_SOP_CLASS)];
}

export function findContexts(): readonly ProposedContext[] {
  return [contextFor(find)];
}

export function moveContexts(): readonly ProposedContext[] {
  return [contextFor(move)];
}

/**
 * The storage classes come along in the SCP role: instances return over the same association. PS3.4 C.4.3.
 * @param storage those likeliest to be needed, when absent
 */
export function getContexts(
  storage: readonly ProposedContext[] = storageContextGroups([])[0] ?? [],
): readonly ProposedContext[] {
  return [contextFor(get), ...storage];
}
