import type { ProposedContext } from "../../network/dimse/service-types.ts";
import { storageContextsForGet } from "../../network/dimse/storage-contexts.ts";

/** SOP classes of the study root model. PS3.4 C.6.2.3; verification: PS3.4 A.4. */
const VERIFICATION = "1.2.840.10008.1.1";
const STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1";
const STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2";
const STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3";

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2";
const transferSyntaxUids = [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN] as const;

export function verificationContexts(): readonly ProposedContext[] {
  return [{ abstractSyntaxUid: VERIFICATION, transferSyntaxUids }];
}

export function findContexts(): readonly ProposedContext[] {
  return [{ abstractSyntaxUid: STUDY_ROOT_FIND, transferSyntaxUids }];
}

export function moveContexts(): readonly ProposedContext[] {
  return [{ abstractSyntaxUid: STUDY_ROOT_MOVE, transferSyntaxUids }];
}

/** The storage classes come along in the SCP role: instances return over the same association. PS3.4 C.4.3. */
export function getContexts(): readonly ProposedContext[] {
  return [{ abstractSyntaxUid: STUDY_ROOT_GET, transferSyntaxUids }, ...storageContextsForGet()];
}
