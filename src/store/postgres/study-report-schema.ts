/**
 * A report is `made` by de-identification and takes the place of the `delivered` one once every destination has confirmed. Volumes are kept as
 * sums, so that what a study will weigh is known without a walk over the ledger.
 */
export const STUDY_REPORTS = `
  CREATE TABLE study_reports (
    job_no BIGINT NOT NULL REFERENCES study_jobs, state TEXT NOT NULL, at BIGINT NOT NULL, packed BYTEA NOT NULL,
    PRIMARY KEY (job_no, state)
  );
  CREATE TABLE archive_volumes (
    archive TEXT NOT NULL, modality TEXT NOT NULL, instances BIGINT NOT NULL, size_bytes BIGINT NOT NULL,
    PRIMARY KEY (archive, modality)
  );
  ALTER TABLE deliveries ADD COLUMN proof TEXT;`;
