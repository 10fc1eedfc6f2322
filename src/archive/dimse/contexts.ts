import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxes,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "../../network/dimse/service-classes.ts";
import type { ProposedContext } from "../../network/dimse/service-types.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES, storageContextsForGet } from "../../network/dimse/storage-contexts.ts";

const { find, move, get } = QUERY_RETRIEVE_SOP_CLASSES["study-root"];

/** Contexts of one association. PS3.8 9.3.2.2: odd numbers from 1 to 255. */
const MAXIMUM_CONTEXTS = 128;

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

/** The storage classes come along in the SCP role: instances return over the same association. PS3.4 C.4.3. */
export function getContexts(sopClassUids: readonly string[] = []): readonly ProposedContext[] {
  const storage = sopClassUids.length === 0 ? storageContextsForGet() : contextsForClasses(sopClassUids);
  return [contextFor(get), ...storage];
}

const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
const OTHERS = [...transferSyntaxes.keys()].filter((uid) => !UNCOMPRESSED.includes(uid));

/**
 * For few classes, a context for each syntax they may be held in: an acceptor picks one syntax for each context, and can then send every
 * object as it is, compressed or not. The rarer syntaxes of a study with very many classes do not fit.
 */
function contextsForClasses(sopClassUids: readonly string[]): readonly ProposedContext[] {
  const role = "scp";
  const classes = [...new Set(sopClassUids)].slice(0, MAXIMUM_CONTEXTS - 1);
  const plain = classes.map(
    (abstractSyntaxUid) => ({ abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED, role }) as const,
  );
  const others = OTHERS.flatMap((uid) =>
    classes.map((abstractSyntaxUid) => ({ abstractSyntaxUid, transferSyntaxUids: [uid], role }) as const),
  );
  return [...plain, ...others].slice(0, MAXIMUM_CONTEXTS - 1);
}
