/** Who changes or deletes a record has to take the triggers away first; the chain tells of it. */
export const AUDIT = `
  CREATE TABLE audit_events (
    number BIGINT PRIMARY KEY, record TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL
  );
  CREATE TABLE audit_head (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1), count BIGINT NOT NULL, hash TEXT NOT NULL
  );
  CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
  CREATE TRIGGER audit_event_changed BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
  CREATE TRIGGER audit_events_removed BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();`;

export const RELEASES = `
  CREATE TABLE releases (
    release_no BIGSERIAL PRIMARY KEY, job_no BIGINT NOT NULL REFERENCES study_jobs, at BIGINT NOT NULL,
    actor TEXT NOT NULL, reason TEXT NOT NULL, leave_out TEXT NOT NULL, allow_tags TEXT NOT NULL
  );
  CREATE INDEX releases_of_job ON releases (job_no);
  ALTER TABLE study_jobs ADD COLUMN release_no BIGINT;
  ALTER TABLE instances ADD COLUMN reason_detail TEXT;`;

/** A project may change its key; digests under different keys cannot be compared. */
export const PSEUDONYM_LINKS = `
  CREATE TABLE pseudonym_links (
    project TEXT NOT NULL, key_id TEXT NOT NULL, kind TEXT NOT NULL, replacement TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (project, key_id, kind, replacement)
  );`;

/** What is due and what runs are small indexes of their own, as with jobs. */
export const TASKS = `
  CREATE TABLE tasks (
    task_no BIGSERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, code TEXT, progress TEXT, attempts BIGINT NOT NULL, due_at BIGINT, lease_token TEXT,
    lease_until BIGINT, created_at BIGINT NOT NULL, finished_at BIGINT
  );
  CREATE INDEX tasks_waiting ON tasks (kind, due_at) WHERE state = 'waiting';
  CREATE INDEX tasks_running ON tasks (kind, subject) WHERE state = 'running';
  CREATE INDEX tasks_of_subject ON tasks (kind, subject, task_no);`;

export const TASKS_BY_KIND = "CREATE INDEX tasks_of_kind ON tasks (kind, task_no)";

/** What is not done is in small indexes of its own; one by priority, one by when it is due. */
export const INBOX = `
  CREATE TABLE inbox_messages (
    message_no BIGSERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL, digest TEXT NOT NULL, body BYTEA NOT NULL,
    priority BIGINT NOT NULL, state TEXT NOT NULL, code TEXT, progress TEXT, attempts BIGINT NOT NULL, due_at BIGINT,
    lease_token TEXT, lease_until BIGINT, received_at BIGINT NOT NULL, finished_at BIGINT
  );
  CREATE INDEX inbox_messages_waiting ON inbox_messages (queue, priority DESC, message_no) WHERE state = 'waiting';
  CREATE INDEX inbox_messages_due ON inbox_messages (queue, due_at) WHERE state = 'waiting';
  CREATE INDEX inbox_messages_running ON inbox_messages (lease_until) WHERE state = 'running';
  CREATE UNIQUE INDEX inbox_messages_unfinished ON inbox_messages (queue, digest) WHERE state IN ('waiting', 'running');
  CREATE INDEX inbox_messages_by_state ON inbox_messages (queue, state, message_no);`;
