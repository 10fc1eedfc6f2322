/** Who may ask by HTTP, by the digests of their secrets; and what they asked that must happen once. */
export const ACCESS = `
  CREATE TABLE api_tokens (
    token_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    projects TEXT, hash TEXT NOT NULL UNIQUE, parent TEXT, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT;
  CREATE INDEX api_tokens_by_name ON api_tokens (kind, name);
  CREATE INDEX api_tokens_of_parent ON api_tokens (parent) WHERE parent IS NOT NULL;
  CREATE INDEX api_tokens_ending ON api_tokens (kind, expires_at);
  CREATE TABLE api_requests (
    request_no INTEGER PRIMARY KEY AUTOINCREMENT, asker TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
    status INTEGER, body TEXT, begun_at INTEGER NOT NULL, UNIQUE (asker, key)
  ) STRICT;
  CREATE INDEX api_requests_by_age ON api_requests (begun_at);`;

/**
 * Counters of all jobs, and the last change of each, kept by triggers: what people look at must not walk over a million jobs. Of the changes the
 * newest are kept; who was away longer looks at everything anew. No statement that writes jobs has a conflict clause, which would be in
 * force in here.
 */
export const OVERVIEW = `
  CREATE TABLE job_counts (
    project TEXT NOT NULL, stage TEXT NOT NULL, state TEXT NOT NULL, jobs INTEGER NOT NULL,
    PRIMARY KEY (project, stage, state)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO job_counts SELECT project, stage, state, count(*) FROM study_jobs GROUP BY project, stage, state;
  CREATE TABLE job_changes (
    change_no INTEGER PRIMARY KEY AUTOINCREMENT, job_no INTEGER NOT NULL UNIQUE
  ) STRICT;
  CREATE TRIGGER study_job_counted AFTER INSERT ON study_jobs BEGIN
    INSERT INTO job_counts VALUES (new.project, new.stage, new.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    INSERT INTO job_changes (job_no) VALUES (new.job_no);
    DELETE FROM job_changes WHERE change_no <= last_insert_rowid() - 100000;
  END;
  CREATE TRIGGER study_job_moved AFTER UPDATE OF state, stage ON study_jobs
  WHEN old.state <> new.state OR old.stage <> new.stage BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE project = old.project AND stage = old.stage AND state = old.state;
    INSERT INTO job_counts VALUES (new.project, new.stage, new.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    DELETE FROM job_changes WHERE job_no = new.job_no;
    INSERT INTO job_changes (job_no) VALUES (new.job_no);
    DELETE FROM job_changes WHERE change_no <= last_insert_rowid() - 100000;
  END;
  CREATE TRIGGER study_job_uncounted AFTER DELETE ON study_jobs BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE project = old.project AND stage = old.stage AND state = old.state;
    DELETE FROM job_changes WHERE job_no = old.job_no;
  END;
  CREATE INDEX deliveries_by_state ON deliveries (state, job_no, destination);`;
