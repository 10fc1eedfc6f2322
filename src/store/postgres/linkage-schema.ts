/** A key without `wrapped` was destroyed, and its links with it. */
export const LINKAGE = `
  CREATE TABLE linkage_keys (
    project TEXT PRIMARY KEY, wrapped BYTEA, created_at BIGINT NOT NULL,
    destroyed_at BIGINT, destroyed_links BIGINT, destroyed_digest TEXT
  );
  CREATE TABLE links (
    link_no BIGSERIAL PRIMARY KEY, project TEXT NOT NULL, job TEXT NOT NULL, pseudonym TEXT NOT NULL,
    pseudo_study TEXT NOT NULL, study_digest TEXT NOT NULL, patient_digest TEXT, sealed BYTEA NOT NULL, at BIGINT NOT NULL,
    UNIQUE (project, study_digest, pseudo_study, pseudonym)
  );
  CREATE INDEX links_of_project ON links (project, link_no);
  CREATE INDEX links_of_pseudonym ON links (project, pseudonym, link_no);
  CREATE INDEX links_of_patient ON links (project, patient_digest, link_no);`;
