/** A key without `wrapped` was destroyed, and its links with it. */
export const LINKAGE = `
  CREATE TABLE linkage_keys (
    project TEXT PRIMARY KEY, wrapped BLOB, created_at INTEGER NOT NULL,
    destroyed_at INTEGER, destroyed_links INTEGER, destroyed_digest TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE links (
    link_no INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, job TEXT NOT NULL, pseudonym TEXT NOT NULL,
    pseudo_study TEXT NOT NULL, study_digest TEXT NOT NULL, patient_digest TEXT, sealed BLOB NOT NULL, at INTEGER NOT NULL,
    UNIQUE (project, study_digest, pseudo_study, pseudonym)
  ) STRICT;
  CREATE INDEX links_of_project ON links (project, link_no);
  CREATE INDEX links_of_pseudonym ON links (project, pseudonym, link_no);
  CREATE INDEX links_of_patient ON links (project, patient_digest, link_no);`;
