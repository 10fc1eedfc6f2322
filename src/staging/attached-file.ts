/** A file that a processing hook made of a study, on local disk, awaiting delivery beside the study's series. */
export interface AttachedFile {
  /** From the study's folder, with slashes: `processed/<set>/report.json`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}
