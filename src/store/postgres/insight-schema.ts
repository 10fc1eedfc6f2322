/**
 * Jobs that have a code, counted by it, kept by triggers as `job_counts` is; and how they are listed. Rows without a code, which are most, are
 * in none of the indexes.
 */
const FAILURES = `
  CREATE TABLE job_code_counts (
    project TEXT NOT NULL, code TEXT NOT NULL, state TEXT NOT NULL, slot BIGINT NOT NULL DEFAULT 0, jobs BIGINT NOT NULL,
    PRIMARY KEY (project, code, state, slot)
  ) WITH (fillfactor = 50);
  CREATE INDEX study_jobs_by_code ON study_jobs (code, job_no) WHERE code IS NOT NULL;
  CREATE INDEX study_jobs_by_code_and_state ON study_jobs (code, state, job_no) WHERE code IS NOT NULL;
  CREATE INDEX study_jobs_by_project_and_code ON study_jobs (project, code, job_no) WHERE code IS NOT NULL;
  CREATE INDEX study_jobs_by_project_code_and_state ON study_jobs (project, code, state, job_no) WHERE code IS NOT NULL;`;

const THROUGHPUT = `
  CREATE TABLE throughput (
    span TEXT NOT NULL, started_at BIGINT NOT NULL, project TEXT NOT NULL, studies BIGINT NOT NULL,
    instances BIGINT NOT NULL, bytes BIGINT NOT NULL,
    PRIMARY KEY (span, started_at, project)
  );`;

const THUMBNAILS = `
  CREATE TABLE thumbnails (
    thumbnail_no BIGSERIAL PRIMARY KEY, job_no BIGINT NOT NULL UNIQUE REFERENCES study_jobs, png BYTEA NOT NULL
  );`;

export const INSIGHT = `${FAILURES}${THROUGHPUT}${THUMBNAILS}`;
