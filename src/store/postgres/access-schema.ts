/** Who may ask by HTTP, by the digests of their secrets; and what they asked that must happen once. */
export const ACCESS = `
  CREATE TABLE api_tokens (
    token_no BIGSERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    projects TEXT, hash TEXT NOT NULL UNIQUE, parent TEXT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
    revoked_at BIGINT
  );
  CREATE INDEX api_tokens_by_name ON api_tokens (kind, name);
  CREATE INDEX api_tokens_of_parent ON api_tokens (parent) WHERE parent IS NOT NULL;
  CREATE INDEX api_tokens_ending ON api_tokens (kind, expires_at);
  CREATE TABLE api_requests (
    request_no BIGSERIAL PRIMARY KEY, asker TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
    status BIGINT, body TEXT, begun_at BIGINT NOT NULL, UNIQUE (asker, key)
  );
  CREATE INDEX api_requests_by_age ON api_requests (begun_at);`;

/**
 * Counters of all jobs, and the last change of each, kept by triggers (counter-triggers.ts): what people look at must not walk over a million
 * jobs. Each connection counts in rows of its own, its slot: what is shown is their sum, and no two transactions wait for one row.
 */
export const OVERVIEW = `
  CREATE TABLE job_counts (
    project TEXT NOT NULL, stage TEXT NOT NULL, state TEXT NOT NULL, slot BIGINT NOT NULL DEFAULT 0, jobs BIGINT NOT NULL,
    PRIMARY KEY (project, stage, state, slot)
  ) WITH (fillfactor = 50);
  CREATE SEQUENCE job_change_numbers;
  CREATE TABLE job_changes (change_no BIGINT PRIMARY KEY, job_no BIGINT NOT NULL UNIQUE);
  CREATE INDEX deliveries_by_state ON deliveries (state, job_no, destination);`;
