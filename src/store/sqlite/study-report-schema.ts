/**
 * A report is `made` by de-identification and takes the place of the `delivered` one once every destination has confirmed. Volumes are kept as
 * sums, so that what a study will weigh is known without a walk over the ledger.
 */
export const STUDY_REPORTS = `
  CREATE TABLE study_reports (
    job_no INTEGER NOT NULL REFERENCES study_jobs, state TEXT NOT NULL, at INTEGER NOT NULL, packed BLOB NOT NULL,
    PRIMARY KEY (job_no, state)
  ) STRICT;
  CREATE TABLE archive_volumes (
    archive TEXT NOT NULL, modality TEXT NOT NULL, instances INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (archive, modality)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE deliveries ADD COLUMN proof TEXT;`;
