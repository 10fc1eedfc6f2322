/**
 * Jobs that have a code, counted by it, kept by triggers as `job_counts` is; and how they are listed. Rows without a code, which are most, are
 * in none of the indexes.
 */
const FAILURES = `
  CREATE TABLE job_code_counts (
    project TEXT NOT NULL, code TEXT NOT NULL, state TEXT NOT NULL, jobs INTEGER NOT NULL,
    PRIMARY KEY (project, code, state)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO job_code_counts SELECT project, code, state, count(*) FROM study_jobs WHERE code IS NOT NULL
    GROUP BY project, code, state;
  CREATE TRIGGER study_job_code_changed AFTER UPDATE OF code, state ON study_jobs
  WHEN (old.code IS NOT NULL OR new.code IS NOT NULL) AND (old.code IS NOT new.code OR old.state <> new.state) BEGIN
    UPDATE job_code_counts SET jobs = jobs - 1 WHERE project = old.project AND code = old.code AND state = old.state;
    INSERT INTO job_code_counts SELECT new.project, new.code, new.state, 1 WHERE new.code IS NOT NULL
      ON CONFLICT DO UPDATE SET jobs = jobs + 1;
  END;
  CREATE TRIGGER study_job_code_removed AFTER DELETE ON study_jobs WHEN old.code IS NOT NULL BEGIN
    UPDATE job_code_counts SET jobs = jobs - 1 WHERE project = old.project AND code = old.code AND state = old.state;
  END;
  CREATE INDEX study_jobs_by_code ON study_jobs (code, job_no) WHERE code IS NOT NULL;
  CREATE INDEX study_jobs_by_code_and_state ON study_jobs (code, state, job_no) WHERE code IS NOT NULL;
  CREATE INDEX study_jobs_by_project_and_code ON study_jobs (project, code, job_no) WHERE code IS NOT NULL;
  CREATE INDEX study_jobs_by_project_code_and_state ON study_jobs (project, code, state, job_no) WHERE code IS NOT NULL;`;

const THROUGHPUT = `
  CREATE TABLE throughput (
    span TEXT NOT NULL, started_at INTEGER NOT NULL, project TEXT NOT NULL, studies INTEGER NOT NULL,
    instances INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (span, started_at, project)
  ) STRICT, WITHOUT ROWID;`;

const THUMBNAILS = `
  CREATE TABLE thumbnails (
    thumbnail_no INTEGER PRIMARY KEY AUTOINCREMENT, job_no INTEGER NOT NULL UNIQUE REFERENCES study_jobs, png BLOB NOT NULL
  ) STRICT;`;

export const INSIGHT = `${FAILURES}${THROUGHPUT}${THUMBNAILS}`;
