/** The outbox of notifications, and how far their looker has looked: both change in one transaction. */
export const NOTICES = `
  CREATE TABLE notices (
    notice_no BIGSERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, body TEXT NOT NULL,
    due_at BIGINT NOT NULL, lease_until BIGINT, created_at BIGINT NOT NULL
  );
  CREATE INDEX notices_due ON notices (channel, due_at);
  CREATE INDEX notices_leased ON notices (lease_until) WHERE lease_until IS NOT NULL;
  CREATE INDEX notices_by_age ON notices (created_at);
  CREATE TABLE notice_marks (name TEXT PRIMARY KEY, value TEXT NOT NULL);`;
