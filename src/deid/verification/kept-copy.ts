import { type DeidentifiedFile, declareDeidentified, type Pseudonym } from "../../staging/deidentified-file.ts";
import { sha256OfFile } from "../../staging/file-sum.ts";
import { readStagedInstance } from "../../staging/read-staged-instance.ts";

/** What the account tells of a copy that was verified here or by another gateway on the same store. */
export interface VerifiedCopy {
  readonly pseudonym: Pseudonym;
  /** The new one. */
  readonly sopInstanceUid: string;
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * A copy that was kept elsewhere meanwhile: the very bytes that were verified, or nothing. All that is told of it is read from those bytes.
 * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_MISMATCH; the signal's reason
 */
export async function recogniseCopy(
  path: string,
  verified: VerifiedCopy,
  signal: AbortSignal,
): Promise<DeidentifiedFile | undefined> {
  if ((await sha256OfFile(path, signal)) !== verified.sha256) return undefined;
  const { modality: _, ...facts } = await readStagedInstance(path);
  if (facts.sopInstanceUid !== verified.sopInstanceUid) return undefined;
  return declareDeidentified({ ...facts, pseudonym: verified.pseudonym, sha256: verified.sha256 });
}
