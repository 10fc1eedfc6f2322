import type { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../errors/gateway-error.ts";
import { statements } from "../sql/statements.ts";
import { ACCESS, OVERVIEW } from "./access-schema.ts";
import { ACQUISITIONS, SCAN_CONTENT_TYPES, SCAN_RETENTION } from "./acquisition-schema.ts";
import { COMMITMENTS } from "./commitment-schema.ts";
import { ADDED_CHANGES, LEAN_COUNTERS, RESTING_COUNTERS } from "./counter-schema.ts";
import { INSIGHT } from "./insight-schema.ts";
import { INTAKE, INTAKE_EXPECTED } from "./intake-schema.ts";
import { LINKAGE } from "./linkage-schema.ts";
import { LISTINGS } from "./listing-schema.ts";
import { FORGOTTEN_NODES, HELD_JOBS, NODES } from "./node-schema.ts";
import { NOTICES } from "./notice-schema.ts";
import { STANDING_COHORTS } from "./standing-schema.ts";
import { STUDY_REPORTS } from "./study-report-schema.ts";
import { WITHDRAWALS, WITHDRAWN_PLACES } from "./withdrawal-schema.ts";

/** Marks the file as ours: "RADF" in PRAGMA application_id. */
export const APPLICATION_ID = 0x52414446;

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * Rows of counters exist from the start, so that a trigger only ever updates: an `OR IGNORE` of the statement that fires a trigger would
 * be in force inside it.
 */
const COUNTERS = `
  CREATE TABLE cohort_state_counts (
    cohort_no INTEGER NOT NULL REFERENCES cohorts, state TEXT NOT NULL, jobs INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cohort_no, state)
  ) STRICT, WITHOUT ROWID;

  CREATE TRIGGER study_job_state_changed AFTER UPDATE OF state ON study_jobs WHEN old.state <> new.state BEGIN
    UPDATE cohort_state_counts SET jobs = jobs - 1
     WHERE state = old.state AND cohort_no IN (SELECT cohort_no FROM cohort_jobs WHERE job_no = new.job_no);
    UPDATE cohort_state_counts SET jobs = jobs + 1
     WHERE state = new.state AND cohort_no IN (SELECT cohort_no FROM cohort_jobs WHERE job_no = new.job_no);
  END;
  CREATE TRIGGER cohort_job_added AFTER INSERT ON cohort_jobs BEGIN
    UPDATE cohort_state_counts SET jobs = jobs + 1
     WHERE cohort_no = new.cohort_no AND state = (SELECT state FROM study_jobs WHERE job_no = new.job_no);
  END;
  CREATE TRIGGER cohort_job_removed AFTER DELETE ON cohort_jobs BEGIN
    UPDATE cohort_state_counts SET jobs = jobs - 1
     WHERE cohort_no = old.cohort_no AND state = (SELECT state FROM study_jobs WHERE job_no = old.job_no);
  END;

  CREATE TRIGGER instance_added AFTER INSERT ON instances WHEN new.received_at IS NOT NULL BEGIN
    UPDATE study_jobs SET received = received + 1 WHERE job_no = new.job_no;
  END;
  CREATE TRIGGER instance_changed AFTER UPDATE OF received_at, excluded_at, delivered_at ON instances
  WHEN (old.received_at IS NULL) <> (new.received_at IS NULL)
    OR (old.excluded_at IS NULL) <> (new.excluded_at IS NULL)
    OR (old.delivered_at IS NULL) <> (new.delivered_at IS NULL) BEGIN
    UPDATE study_jobs
       SET received = received + (new.received_at IS NOT NULL) - (old.received_at IS NOT NULL),
           excluded = excluded + (new.excluded_at IS NOT NULL) - (old.excluded_at IS NOT NULL),
           delivered = delivered + (new.delivered_at IS NOT NULL) - (old.delivered_at IS NOT NULL)
     WHERE job_no = new.job_no;
  END;`;

/** Cohorts as they were submitted, and what each row led to. `cohort_jobs` says once what `request_jobs` may say by many rows. */
const COHORTS = `
  CREATE TABLE cohorts (
    cohort_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, columns TEXT NOT NULL,
    row_count INTEGER NOT NULL, accepted INTEGER NOT NULL, joined INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL, cancelled_at INTEGER
  ) STRICT;
  CREATE TABLE requests (
    request_no INTEGER PRIMARY KEY, cohort_no INTEGER NOT NULL REFERENCES cohorts, row_number INTEGER NOT NULL,
    study_instance_uid TEXT, patient_id TEXT, accession_number TEXT, series_instance_uids TEXT, participant_id TEXT,
    priority INTEGER, cells TEXT NOT NULL, refused_code TEXT,
    UNIQUE (cohort_no, row_number)
  ) STRICT;
  CREATE TABLE request_jobs (
    request_no INTEGER NOT NULL REFERENCES requests, job_no INTEGER NOT NULL REFERENCES study_jobs,
    PRIMARY KEY (request_no, job_no)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX request_jobs_of_job ON request_jobs (job_no);
  CREATE TABLE cohort_jobs (
    cohort_no INTEGER NOT NULL REFERENCES cohorts, job_no INTEGER NOT NULL REFERENCES study_jobs,
    PRIMARY KEY (cohort_no, job_no)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cohort_jobs_of_job ON cohort_jobs (job_no, cohort_no);`;

/**
 * The three partial indexes keep work that is due, that waits and that runs apart: a claim costs the same beside a million finished jobs.
 * Job numbers are never used twice, and a dissolved job keeps its own (`dissolved_no`) beside that of the job which took its place: a
 * listing can go on after it.
 */
const JOBS = `
  CREATE TABLE study_jobs (
    job_no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL,
    study_instance_uid TEXT, patient_id TEXT, accession_number TEXT, series_instance_uids TEXT, participant_id TEXT,
    priority INTEGER NOT NULL, stage TEXT NOT NULL, state TEXT NOT NULL, code TEXT, verdict TEXT, archive TEXT,
    expected INTEGER, received INTEGER NOT NULL DEFAULT 0, excluded INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, widened INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER, lease_token TEXT, lease_until INTEGER, pseudonym TEXT, pseudo_study_instance_uid TEXT,
    created_at INTEGER NOT NULL, finished_at INTEGER
  ) STRICT;
  CREATE INDEX study_jobs_due ON study_jobs (priority DESC, job_no) WHERE state = 'queued';
  CREATE INDEX study_jobs_waiting ON study_jobs (due_at) WHERE state = 'waiting';
  CREATE INDEX study_jobs_leased ON study_jobs (lease_until) WHERE state = 'running';
  CREATE UNIQUE INDEX study_jobs_of_study ON study_jobs (study_instance_uid, project) WHERE study_instance_uid IS NOT NULL;
  CREATE INDEX study_jobs_by_state ON study_jobs (state, job_no);
  CREATE INDEX study_jobs_by_project ON study_jobs (project, job_no);
  CREATE INDEX study_jobs_by_project_and_state ON study_jobs (project, state, job_no);
  CREATE TABLE dissolved_jobs (
    id TEXT PRIMARY KEY, dissolved_no INTEGER NOT NULL, job_no INTEGER NOT NULL REFERENCES study_jobs
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dissolved_jobs_of_job ON dissolved_jobs (job_no);

  CREATE TABLE study_keys (
    project TEXT NOT NULL, key TEXT NOT NULL, job_no INTEGER NOT NULL REFERENCES study_jobs,
    PRIMARY KEY (project, key, job_no)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX study_keys_of_job ON study_keys (job_no, key);

  CREATE TABLE job_attempts (
    job_no INTEGER NOT NULL REFERENCES study_jobs, lease_token TEXT NOT NULL, worker TEXT NOT NULL,
    started_at INTEGER NOT NULL, ended_at INTEGER, outcome TEXT, code TEXT,
    PRIMARY KEY (job_no, lease_token)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE workers (
    name TEXT PRIMARY KEY, claims INTEGER NOT NULL, last_claim_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE job_events (
    event_no INTEGER PRIMARY KEY, job_no INTEGER NOT NULL REFERENCES study_jobs,
    at INTEGER NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX job_events_of_job ON job_events (job_no, event_no);
  CREATE TABLE instances (
    job_no INTEGER NOT NULL REFERENCES study_jobs, sop_instance_uid TEXT NOT NULL, series_instance_uid TEXT NOT NULL,
    expected_at INTEGER, received_at INTEGER, excluded_at INTEGER, reason TEXT, deidentified_at INTEGER,
    pseudo_sop_instance_uid TEXT, sha256 TEXT, delivered_at INTEGER,
    PRIMARY KEY (job_no, sop_instance_uid)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE deliveries (
    job_no INTEGER NOT NULL REFERENCES study_jobs, destination TEXT NOT NULL, state TEXT NOT NULL,
    instances INTEGER NOT NULL, code TEXT, changed_at INTEGER NOT NULL,
    PRIMARY KEY (job_no, destination)
  ) STRICT, WITHOUT ROWID;`;

/** The keys that projects' pseudonyms were made with, by their ids: rows are added, never changed. */
const PROJECT_KEYS = `
  CREATE TABLE project_keys (
    key_no INTEGER PRIMARY KEY, project TEXT NOT NULL, key_id TEXT NOT NULL, since INTEGER NOT NULL, forced INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX project_keys_of_project ON project_keys (project, key_no);`;

/** What operators set for archives, and how these fare; shared by all that use the store. */
const ARCHIVES = `
  CREATE TABLE archives (
    name TEXT PRIMARY KEY, paused INTEGER NOT NULL, overrides TEXT NOT NULL, breaker TEXT NOT NULL,
    next_study_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/** Until then they asked to be left alone. */
const SPARED_ARCHIVES = "ALTER TABLE archives ADD COLUMN spared_until INTEGER NOT NULL DEFAULT 0;";

/** Who changes or deletes a record has to take the triggers away first; the chain tells of it. */
const AUDIT = `
  CREATE TABLE audit_events (
    number INTEGER PRIMARY KEY, record TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE audit_head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), count INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_event_changed BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'append only'); END;
  CREATE TRIGGER audit_event_removed BEFORE DELETE ON audit_events BEGIN SELECT RAISE(ABORT, 'append only'); END;`;

const RELEASES = `
  CREATE TABLE releases (
    release_no INTEGER PRIMARY KEY, job_no INTEGER NOT NULL REFERENCES study_jobs, at INTEGER NOT NULL,
    actor TEXT NOT NULL, reason TEXT NOT NULL, leave_out TEXT NOT NULL, allow_tags TEXT NOT NULL
  ) STRICT;
  CREATE INDEX releases_of_job ON releases (job_no);
  ALTER TABLE study_jobs ADD COLUMN release_no INTEGER;
  ALTER TABLE instances ADD COLUMN reason_detail TEXT;`;

/** A project may change its key; digests under different keys cannot be compared. */
const PSEUDONYM_LINKS = `
  CREATE TABLE pseudonym_links (
    project TEXT NOT NULL, key_id TEXT NOT NULL, kind TEXT NOT NULL, replacement TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (project, key_id, kind, replacement)
  ) STRICT, WITHOUT ROWID;`;

/** What is due and what runs are small indexes of their own, as with jobs. */
const TASKS = `
  CREATE TABLE tasks (
    task_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, code TEXT, progress TEXT, attempts INTEGER NOT NULL, due_at INTEGER, lease_token TEXT,
    lease_until INTEGER, created_at INTEGER NOT NULL, finished_at INTEGER
  ) STRICT;
  CREATE INDEX tasks_waiting ON tasks (kind, due_at) WHERE state = 'waiting';
  CREATE INDEX tasks_running ON tasks (kind, subject) WHERE state = 'running';
  CREATE INDEX tasks_of_subject ON tasks (kind, subject, task_no);`;

const TASKS_BY_KIND = "CREATE INDEX tasks_of_kind ON tasks (kind, task_no)";

/** What is not done is in small indexes of its own; one by priority, one by when it is due. */
const INBOX = `
  CREATE TABLE inbox_messages (
    message_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL,
    priority INTEGER NOT NULL, state TEXT NOT NULL, code TEXT, progress TEXT, attempts INTEGER NOT NULL, due_at INTEGER,
    lease_token TEXT, lease_until INTEGER, received_at INTEGER NOT NULL, finished_at INTEGER
  ) STRICT;
  CREATE INDEX inbox_messages_waiting ON inbox_messages (queue, priority DESC, message_no) WHERE state = 'waiting';
  CREATE INDEX inbox_messages_due ON inbox_messages (queue, due_at) WHERE state = 'waiting';
  CREATE INDEX inbox_messages_running ON inbox_messages (lease_until) WHERE state = 'running';
  CREATE UNIQUE INDEX inbox_messages_unfinished ON inbox_messages (queue, digest) WHERE state IN ('waiting', 'running');
  CREATE INDEX inbox_messages_by_state ON inbox_messages (queue, state, message_no);`;

/** What is due, by project within a priority; and which project had the last turn at each, so that the next one has the next. */
const FAIR_SHARES = `
  DROP INDEX study_jobs_due;
  CREATE INDEX study_jobs_due ON study_jobs (priority DESC, project, job_no) WHERE state = 'queued';
  CREATE TABLE claim_turns (priority INTEGER PRIMARY KEY, project TEXT NOT NULL) STRICT;`;

/** What runs is in an index of its own already: a claim takes a job out of these, its end puts it in again. */
const RESTING_INDEXES = `
  DROP INDEX study_jobs_by_state;
  DROP INDEX study_jobs_by_project_and_state;
  CREATE INDEX study_jobs_by_state ON study_jobs (state, job_no) WHERE state <> 'running';
  CREATE INDEX study_jobs_by_project_and_state ON study_jobs (project, state, job_no) WHERE state <> 'running';`;

/** Append only: what a site has applied is never edited. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "cohorts, study jobs and their ledger", sql: `${JOBS}${COHORTS}${COUNTERS}` },
  { version: 2, name: "keys of projects", sql: PROJECT_KEYS },
  { version: 3, name: "conditions of archives", sql: ARCHIVES },
  { version: 4, name: "audit trail, releases, links of pseudonyms", sql: `${AUDIT}${RELEASES}${PSEUDONYM_LINKS}` },
  { version: 5, name: "tasks of faces", sql: TASKS },
  { version: 6, name: "inbox of brokers", sql: INBOX },
  { version: 7, name: "scanners: exams, devices, acquisitions", sql: ACQUISITIONS },
  { version: 8, name: "tokens, requests by HTTP, counters of all jobs", sql: `${ACCESS}${OVERVIEW}` },
  { version: 9, name: "tasks by kind", sql: TASKS_BY_KIND },
  { version: 10, name: "reports of studies, volumes of archives", sql: STUDY_REPORTS },
  { version: 11, name: "failures by code, throughput, thumbnails", sql: INSIGHT },
  { version: 12, name: "lists by cohort and project", sql: LISTINGS },
  { version: 13, name: "notifications", sql: NOTICES },
  { version: 14, name: "scanners: retention and quota of the lake", sql: SCAN_RETENTION },
  { version: 15, name: "turns of projects", sql: FAIR_SHARES },
  { version: 16, name: "linkage of projects", sql: LINKAGE },
  { version: 17, name: "studies sent unasked", sql: INTAKE },
  { version: 18, name: "leaner counters", sql: LEAN_COUNTERS },
  { version: 19, name: "withdrawn patients", sql: WITHDRAWALS },
  { version: 20, name: "standing cohorts", sql: STANDING_COHORTS },
  { version: 21, name: "nodes and permits", sql: NODES },
  { version: 22, name: "storage commitment", sql: COMMITMENTS },
  { version: 23, name: "what archives say of studies sent unasked", sql: INTAKE_EXPECTED },
  { version: 24, name: "counters of what rests", sql: RESTING_COUNTERS },
  { version: 25, name: "studies held by nodes", sql: HELD_JOBS },
  { version: 26, name: "archives that asked to be left alone", sql: SPARED_ARCHIVES },
  { version: 27, name: "places of withdrawn patients", sql: WITHDRAWN_PLACES },
  { version: 28, name: "nodes that were given up", sql: FORGOTTEN_NODES },
  { version: 29, name: "indexes of what rests", sql: RESTING_INDEXES },
  { version: 30, name: "scanners: content types of files", sql: SCAN_CONTENT_TYPES },
  { version: 31, name: "changes of jobs as they come", sql: ADDED_CHANGES },
];

/** Of the newest migration here. */
export const KNOWN_VERSION = migrations.at(-1)?.version ?? 0;

/** Brings the database to this version, in one transaction. @throws GatewayError STORE_SCHEMA_NEWER */
export function migrate(database: DatabaseSync, nowMs: number): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    applyMigrations(database, nowMs);
    database.exec("COMMIT");
  } catch (thrown) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw thrown;
  }
}

/** Of what is never committed: a transaction is left open when there was something to bring to this version. @throws GatewayError STORE_SCHEMA_NEWER */
export function rehearseMigration(database: DatabaseSync, nowMs: number): void {
  const isBegun = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'").get() !== undefined;
  if (isBegun && appliedVersion(database) === KNOWN_VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  applyMigrations(database, nowMs);
}

function applyMigrations(database: DatabaseSync, nowMs: number): void {
  database.exec(statements.createSchemaMigrations);
  const applied = appliedVersion(database);
  const record = database.prepare(statements.recordMigration);
  for (const { version, name, sql } of migrations.filter((migration) => migration.version > applied)) {
    database.exec(sql);
    record.run({ version, name, nowMs });
  }
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

function appliedVersion(database: DatabaseSync): number {
  const applied = Number(database.prepare(statements.schemaVersion).get()?.version ?? 0);
  if (applied > KNOWN_VERSION) throw new GatewayError("STORE_SCHEMA_NEWER", { version: applied, known: KNOWN_VERSION });
  return applied;
}
