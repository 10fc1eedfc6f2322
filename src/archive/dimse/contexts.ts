import { storageContextGroups } from "../../network/dimse/get-contexts.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "../../network/dimse/service-classes.ts";
import type { InformationModel, ProposedContext } from "../../network/dimse/service-types.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES } from "../../network/dimse/storage-contexts.ts";

function contextFor(abstractSyntaxUid: string): ProposedContext {
  return { abstractSyntaxUid, transferSyntaxUids: IDENTIFIER_TRANSFER_SYNTAXES };
}

export function verificationContexts(): readonly ProposedContext[] {
  return [contextFor(VERIFICATION_SOP_CLASS)];
}

export function findContexts(model: InformationModel = "study-root"): readonly ProposedContext[] {
  return [contextFor(QUERY_RETRIEVE_SOP_CLASSES[model].find)];
}

export function moveContexts(model: InformationModel = "study-root"): readonly ProposedContext[] {
  return [contextFor(QUERY_RETRIEVE_SOP_CLASSES[model].move)];
}

/**
 * The storage classes come along in the SCP role: instances return over the same association. PS3.4 C.4.3.
 * @param storage those likeliest to be needed, when absent
 */
export function getContexts(
  storage: readonly ProposedContext[] = storageContextGroups([])[0] ?? [],
  model: InformationModel = "study-root",
): readonly ProposedContext[] {
  return [contextFor(QUERY_RETRIEVE_SOP_CLASSES[model].get), ...storage];
}
