/** Gateways that share the store, and what they may do so often at once; a permit lapses with its time. */
export const NODES = `
  CREATE TABLE nodes (
    name TEXT PRIMARY KEY, version TEXT NOT NULL, roles TEXT NOT NULL, address TEXT, started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE permits (
    resource TEXT NOT NULL, holder TEXT NOT NULL, node TEXT NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (resource, holder)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX permits_of_node ON permits (node);`;

/** Whose disk a study lies on. Nothing is held by anybody where the store is one node's own. */
export const HELD_JOBS = `
  ALTER TABLE study_jobs ADD COLUMN held_by TEXT;
  ALTER TABLE intake_studies ADD COLUMN node TEXT;
  CREATE INDEX study_jobs_held ON study_jobs (held_by, priority DESC, project, job_no)
    WHERE state = 'queued' AND held_by IS NOT NULL;`;

/** Nodes that an operator gave up, by the homes they had (empty: not known), and whether none has come under the name since. */
export const FORGOTTEN_NODES = `
  CREATE TABLE forgotten_nodes (
    name TEXT NOT NULL, home TEXT NOT NULL, gone INTEGER NOT NULL, forgotten_at INTEGER NOT NULL, PRIMARY KEY (name, home)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX withdrawn_places_given_up ON withdrawn_places (node, withdrawal_no) WHERE state = 'given-up';`;
