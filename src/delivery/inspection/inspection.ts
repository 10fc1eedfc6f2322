import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import type { Pseudonym } from "../../staging/deidentified-file.ts";

/** A file that a destination confirmed once. */
export interface DeliveredFile {
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A study as it was delivered; our copies of its files are long gone. */
export interface DeliveredStudy {
  readonly project: string;
  readonly pseudonym: Pseudonym;
  readonly studyInstanceUid: StudyInstanceUid;
  readonly files: readonly DeliveredFile[];
}

/** `same`: read back and compared; `listed`: the destination names it, and nothing is known of its content. */
export type Standing = "same" | "listed" | "differs" | "absent";

export interface Inspection {
  /** How surely files are known. */
  readonly proof: "sha256" | "uids";
  standing(file: DeliveredFile): Standing;
}

/** Looks, and changes nothing; it may be done beside a running service. @throws GatewayError of the destination */
export type Inspect = (study: DeliveredStudy, signal: AbortSignal) => Promise<Inspection>;

/** Where names are all that is told. */
export function inspectionByUids(listed: ReadonlySet<string>): Inspection {
  return { proof: "uids", standing: ({ sopInstanceUid }) => (listed.has(sopInstanceUid) ? "listed" : "absent") };
}
