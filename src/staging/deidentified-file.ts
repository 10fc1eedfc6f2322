import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";

declare const pseudonymBrand: unique symbol;
declare const deidentifiedBrand: unique symbol;

/** What stands for a patient in one project: becomes Patient ID, Patient's Name and a folder name. */
export type Pseudonym = string & { readonly [pseudonymBrand]: true };

const PSEUDONYM = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** @throws RangeError when the text could not be a folder name and a Patient ID; its message does not repeat the text. */
export function parsePseudonym(text: string): Pseudonym {
  if (!PSEUDONYM.test(text))
    throw new RangeError("not a pseudonym of 1 to 64 letters, digits, hyphens and underscores");
  return text as Pseudonym;
}

/** The facts of a de-identified instance on local disk, awaiting delivery. Every UID here is the new one. */
export interface DeidentifiedFacts {
  readonly pseudonym: Pseudonym;
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string;
}

/** Only `deid/` makes one, after verification: delivery accepts nothing else. */
export type DeidentifiedFile = DeidentifiedFacts & { readonly [deidentifiedBrand]: true };

/** For `deid/` alone (held by test/tidy): states that the file was written by the engine and verified. */
export function declareDeidentified(facts: DeidentifiedFacts): DeidentifiedFile {
  return facts as DeidentifiedFile;
}
