/**
 * The three partial indexes keep work that is due, that waits and that runs apart: a claim costs the same beside a million finished jobs.
 * Job numbers are never used twice, and a dissolved job keeps its own (`dissolved_no`) beside that of the job which took its place: a
 * listing can go on after it.
 */
export const JOBS = `
  CREATE TABLE study_jobs (
    job_no BIGSERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL,
    study_instance_uid TEXT, patient_id TEXT, accession_number TEXT, series_instance_uids TEXT, participant_id TEXT,
    priority BIGINT NOT NULL, stage TEXT NOT NULL, state TEXT NOT NULL, code TEXT, verdict TEXT, archive TEXT,
    expected BIGINT, received BIGINT NOT NULL DEFAULT 0, excluded BIGINT NOT NULL DEFAULT 0,
    delivered BIGINT NOT NULL DEFAULT 0, attempts BIGINT NOT NULL DEFAULT 0, widened BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT, lease_token TEXT, lease_until BIGINT, pseudonym TEXT, pseudo_study_instance_uid TEXT,
    created_at BIGINT NOT NULL, finished_at BIGINT
  ) WITH (fillfactor = 70);
  CREATE INDEX study_jobs_due ON study_jobs (priority DESC, job_no) WHERE state = 'queued';
  CREATE INDEX study_jobs_waiting ON study_jobs (due_at) WHERE state = 'waiting';
  CREATE INDEX study_jobs_leased ON study_jobs (lease_until) WHERE state = 'running';
  CREATE UNIQUE INDEX study_jobs_of_study ON study_jobs (study_instance_uid, project) WHERE study_instance_uid IS NOT NULL;
  CREATE INDEX study_jobs_by_state ON study_jobs (state, job_no);
  CREATE INDEX study_jobs_by_project ON study_jobs (project, job_no);
  CREATE INDEX study_jobs_by_project_and_state ON study_jobs (project, state, job_no);
  CREATE TABLE dissolved_jobs (
    id TEXT PRIMARY KEY, dissolved_no BIGINT NOT NULL, job_no BIGINT NOT NULL REFERENCES study_jobs
  );
  CREATE INDEX dissolved_jobs_of_job ON dissolved_jobs (job_no);

  CREATE TABLE study_keys (
    project TEXT NOT NULL, key TEXT NOT NULL, job_no BIGINT NOT NULL REFERENCES study_jobs,
    PRIMARY KEY (project, key, job_no)
  );
  CREATE INDEX study_keys_of_job ON study_keys (job_no, key);

  CREATE TABLE job_attempts (
    job_no BIGINT NOT NULL REFERENCES study_jobs, lease_token TEXT NOT NULL, worker TEXT NOT NULL,
    started_at BIGINT NOT NULL, ended_at BIGINT, outcome TEXT, code TEXT,
    PRIMARY KEY (job_no, lease_token)
  );
  CREATE TABLE workers (
    name TEXT PRIMARY KEY, claims BIGINT NOT NULL, last_claim_at BIGINT NOT NULL
  );
  CREATE TABLE job_events (
    event_no BIGSERIAL PRIMARY KEY, job_no BIGINT NOT NULL REFERENCES study_jobs,
    at BIGINT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL
  );
  CREATE INDEX job_events_of_job ON job_events (job_no, event_no);
  CREATE TABLE instances (
    job_no BIGINT NOT NULL REFERENCES study_jobs, sop_instance_uid TEXT NOT NULL, series_instance_uid TEXT NOT NULL,
    expected_at BIGINT, received_at BIGINT, excluded_at BIGINT, reason TEXT, deidentified_at BIGINT,
    pseudo_sop_instance_uid TEXT, sha256 TEXT, delivered_at BIGINT,
    PRIMARY KEY (job_no, sop_instance_uid)
  );
  CREATE TABLE deliveries (
    job_no BIGINT NOT NULL REFERENCES study_jobs, destination TEXT NOT NULL, state TEXT NOT NULL,
    instances BIGINT NOT NULL, code TEXT, changed_at BIGINT NOT NULL,
    PRIMARY KEY (job_no, destination)
  );`;

/** Cohorts as they were submitted, and what each row led to. `cohort_jobs` says once what `request_jobs` may say by many rows. */
export const COHORTS = `
  CREATE TABLE cohorts (
    cohort_no BIGSERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, columns TEXT NOT NULL,
    row_count BIGINT NOT NULL, accepted BIGINT NOT NULL, joined BIGINT NOT NULL,
    submitted_at BIGINT NOT NULL, cancelled_at BIGINT
  );
  CREATE TABLE requests (
    request_no BIGSERIAL PRIMARY KEY, cohort_no BIGINT NOT NULL REFERENCES cohorts, row_number BIGINT NOT NULL,
    study_instance_uid TEXT, patient_id TEXT, accession_number TEXT, series_instance_uids TEXT, participant_id TEXT,
    priority BIGINT, cells TEXT NOT NULL, refused_code TEXT,
    UNIQUE (cohort_no, row_number)
  );
  CREATE TABLE request_jobs (
    request_no BIGINT NOT NULL REFERENCES requests, job_no BIGINT NOT NULL REFERENCES study_jobs,
    PRIMARY KEY (request_no, job_no)
  );
  CREATE INDEX request_jobs_of_job ON request_jobs (job_no);
  CREATE TABLE cohort_jobs (
    cohort_no BIGINT NOT NULL REFERENCES cohorts, job_no BIGINT NOT NULL REFERENCES study_jobs,
    PRIMARY KEY (cohort_no, job_no)
  );
  CREATE INDEX cohort_jobs_of_job ON cohort_jobs (job_no, cohort_no);`;

/** Each connection counts in rows of its own: see OVERVIEW. */
export const COUNTERS = `
  CREATE TABLE cohort_state_counts (
    cohort_no BIGINT NOT NULL REFERENCES cohorts, state TEXT NOT NULL, slot BIGINT NOT NULL DEFAULT 0,
    jobs BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (cohort_no, state, slot)
  ) WITH (fillfactor = 50);`;

/** The keys that projects' pseudonyms were made with, by their ids: rows are added, never changed. */
export const PROJECT_KEYS = `
  CREATE TABLE project_keys (
    key_no BIGSERIAL PRIMARY KEY, project TEXT NOT NULL, key_id TEXT NOT NULL, since BIGINT NOT NULL, forced BIGINT NOT NULL
  );
  CREATE INDEX project_keys_of_project ON project_keys (project, key_no);`;

/** What operators set for archives, and how these fare; shared by all that use the store. */
export const ARCHIVES = `
  CREATE TABLE archives (
    name TEXT PRIMARY KEY, paused BIGINT NOT NULL, overrides TEXT NOT NULL, breaker TEXT NOT NULL,
    next_study_at DOUBLE PRECISION NOT NULL
  );`;

/** Until then they asked to be left alone. */
export const SPARED_ARCHIVES = "ALTER TABLE archives ADD COLUMN spared_until BIGINT NOT NULL DEFAULT 0;";

/** What is due, by project within a priority; and which project had the last turn at each, so that the next one has the next. */
export const FAIR_SHARES = `
  DROP INDEX study_jobs_due;
  CREATE INDEX study_jobs_due ON study_jobs (priority DESC, project, job_no) WHERE state = 'queued';
  CREATE TABLE claim_turns (priority BIGINT PRIMARY KEY, project TEXT NOT NULL);`;
