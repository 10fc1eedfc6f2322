import { type SyntheticStudy, syntheticStudy } from "./synthetic-studies.ts";

/** What the practice archive holds: several modalities, several studies of one accession number, and what must be refused. */
export function practiceStudies(): readonly SyntheticStudy[] {
  const shared = { patientId: "00471100", accessionNumber: "0000815001" };
  return [
    syntheticStudy({ seed: 101, modality: "CT", series: 3, instancesPerSeries: 12, rows: 128, columns: 128 }),
    syntheticStudy({ seed: 102, modality: "MR", series: 2, instancesPerSeries: 10, rows: 96, columns: 96 }),
    syntheticStudy({ seed: 103, modality: "PT", series: 1, instancesPerSeries: 16 }),
    syntheticStudy({ seed: 104, modality: "DX", series: 1, instancesPerSeries: 2, rows: 256, columns: 256 }),
    syntheticStudy({ seed: 105, modality: "CT", series: 2, instancesPerSeries: 8, ...shared }),
    syntheticStudy({ seed: 106, modality: "MR", series: 1, instancesPerSeries: 6, ...shared }),
    syntheticStudy({ seed: INCOMPLETE_SEED, modality: "CT", series: 2, instancesPerSeries: 10 }),
    syntheticStudy({ seed: 108, modality: "US", series: 1, instancesPerSeries: 3 }),
  ];
}

/** The study that the practice archive serves incompletely when it is first asked for. */
export const INCOMPLETE_SEED = 107;
