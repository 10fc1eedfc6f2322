/** What is told of a study's de-identification, packed; the store does not look into it. */
export interface KeptStudyReport {
  readonly atMs: number;
  readonly packed: Uint8Array;
}

/** How much instances of one modality weighed that one archive gave, summed over studies. */
export interface ArchiveVolume {
  readonly archive: string;
  readonly modality: string;
  readonly instances: number;
  readonly sizeBytes: number;
}

/** The part of the store that keeps what was done to studies. `JobChange` writes it. */
export interface StudyReportStore {
  /**
   * `last`: of the last time the study was de-identified, whatever came of it. `delivered`: of what its destinations have confirmed.
   * Undefined: there was none.
   */
  studyReport(job: string, which: "last" | "delivered"): Promise<KeptStudyReport | undefined>;
  archiveVolumes(): Promise<readonly ArchiveVolume[]>;
}
