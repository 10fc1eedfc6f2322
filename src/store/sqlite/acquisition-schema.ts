/** Scanners: what an exam manager keeps, devices and tokens. */
const EXAMS = `
  CREATE TABLE scan_tasks (
    task_no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, workflow_id TEXT, device_id TEXT,
    is_template INTEGER NOT NULL, status TEXT NOT NULL, progress INTEGER NOT NULL, fields TEXT NOT NULL,
    creator TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER, wanted_at INTEGER
  ) STRICT;
  CREATE INDEX scan_tasks_of_workflow ON scan_tasks (workflow_id, task_no);
  CREATE INDEX scan_tasks_wanted ON scan_tasks (wanted_at) WHERE wanted_at IS NOT NULL;
  CREATE TABLE scan_results (
    result_no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, task_id TEXT NOT NULL, transfer_id TEXT UNIQUE,
    type TEXT NOT NULL, directory TEXT NOT NULL, files TEXT NOT NULL, meta TEXT, created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX scan_results_of_task ON scan_results (task_id, result_no);
  CREATE TABLE scan_sequences (
    sequence_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL,
    sequence_type TEXT NOT NULL, tags TEXT NOT NULL, file BLOB NOT NULL, file_extension TEXT, sha256 TEXT NOT NULL,
    header BLOB, header_extension TEXT, created_at INTEGER NOT NULL, updated_at INTEGER
  ) STRICT;
  CREATE TABLE scan_devices (
    device_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL,
    details TEXT NOT NULL, parameter TEXT, status TEXT NOT NULL, token_hash TEXT NOT NULL, is_deaf INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER, revoked_at INTEGER
  ) STRICT;
  CREATE TABLE scan_tokens (
    token_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL, role TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, revoked_at INTEGER
  ) STRICT;`;

/** Of several claims of a task at once, the unique index lets one through. */
const LEDGER = `
  CREATE TABLE acquisitions (
    acquisition_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, origin TEXT NOT NULL, task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL, ups_uid TEXT NOT NULL, transaction_uid TEXT NOT NULL, device_id TEXT NOT NULL,
    state TEXT NOT NULL, progress INTEGER NOT NULL, is_device_done INTEGER NOT NULL, previous_status TEXT NOT NULL,
    workflow_id TEXT, token_hash TEXT, parameter TEXT, code TEXT, reason TEXT, lease_until INTEGER NOT NULL,
    cancel_asked_at INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    UNIQUE (origin, task_id, attempt)
  ) STRICT;
  CREATE UNIQUE INDEX acquisitions_open ON acquisitions (origin, task_id) WHERE state NOT IN ('completed', 'canceled');
  CREATE INDEX acquisitions_of_device ON acquisitions (device_id) WHERE state NOT IN ('completed', 'canceled');
  CREATE INDEX acquisitions_of_task ON acquisitions (task_id, acquisition_no);
  CREATE TABLE acquisition_events (
    event_no INTEGER PRIMARY KEY, acquisition_id TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX acquisition_events_of ON acquisition_events (acquisition_id, event_no);
  CREATE TABLE transfers (
    transfer_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, acquisition_id TEXT NOT NULL, file_name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, declared_sha256 TEXT, sha256 TEXT, signature TEXT, parameter TEXT, state TEXT NOT NULL,
    result_id TEXT, directory TEXT, code TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX transfers_of_acquisition ON transfers (acquisition_id, transfer_no);
  CREATE INDEX transfers_open ON transfers (transfer_no) WHERE state NOT IN ('published', 'aborted', 'stuck');`;

/** Files may be taken out of the lake again; a device may have so many bytes there. */
export const SCAN_RETENTION = `
  DROP INDEX transfers_open;
  CREATE INDEX transfers_open ON transfers (transfer_no) WHERE state NOT IN ('published', 'aborted', 'stuck', 'removed');
  CREATE INDEX transfers_published ON transfers (updated_at) WHERE state = 'published';
  CREATE INDEX acquisitions_by_device ON acquisitions (device_id, id);`;

export const SCAN_CONTENT_TYPES = "ALTER TABLE transfers ADD COLUMN content_type TEXT;";

export const ACQUISITIONS = `${EXAMS}${LEDGER}`;
