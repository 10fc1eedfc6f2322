/** Gateways that share the store, and what they may do so often at once; a permit lapses with its time. */
export const NODES = `
  CREATE TABLE nodes (
    name TEXT PRIMARY KEY, version TEXT NOT NULL, roles TEXT NOT NULL, address TEXT, started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
  );
  CREATE TABLE permits (
    resource TEXT NOT NULL, holder TEXT NOT NULL, node TEXT NOT NULL, until BIGINT NOT NULL,
    PRIMARY KEY (resource, holder)
  );
  CREATE INDEX permits_of_node ON permits (node);`;

/** Whose disk a study lies on: a claim walks over what nobody holds, and over what is its own node's. */
export const HELD_JOBS = `
  ALTER TABLE study_jobs ADD COLUMN held_by TEXT;
  ALTER TABLE intake_studies ADD COLUMN node TEXT;
  DROP INDEX study_jobs_due;
  CREATE INDEX study_jobs_due ON study_jobs (priority DESC, project, job_no) WHERE state = 'queued' AND held_by IS NULL;
  CREATE INDEX study_jobs_held ON study_jobs (held_by, priority DESC, project, job_no)
    WHERE state = 'queued' AND held_by IS NOT NULL;`;

/** Nodes that an operator gave up, by the homes they had (empty: not known), and whether none has come under the name since. */
export const FORGOTTEN_NODES = `
  CREATE TABLE forgotten_nodes (
    name TEXT NOT NULL, home TEXT NOT NULL, gone BIGINT NOT NULL, forgotten_at BIGINT NOT NULL, PRIMARY KEY (name, home)
  );
  CREATE INDEX withdrawn_places_given_up ON withdrawn_places (node, withdrawal_no) WHERE state = 'given-up';`;
