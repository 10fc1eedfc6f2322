/**
 * Studies that were sent unasked. A discarded one keeps its row until its files are gone, beside a newer one of the same UID. Open ones are in an
 * index of their own, by when they are due.
 */
export const INTAKE = `
  CREATE TABLE intake_studies (
    study_no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, study_instance_uid TEXT NOT NULL,
    patient_id TEXT NOT NULL, accession_number TEXT NOT NULL, modality TEXT NOT NULL, calling_ae_title TEXT NOT NULL,
    project TEXT, rule TEXT, assigned INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, code TEXT,
    instances INTEGER NOT NULL DEFAULT 0, opened_at INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    due_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX intake_studies_of_uid ON intake_studies (study_instance_uid) WHERE state <> 'discarded';
  CREATE INDEX intake_studies_due ON intake_studies (due_at) WHERE state = 'open';
  CREATE INDEX intake_studies_by_state ON intake_studies (state, study_no);
  CREATE INDEX intake_studies_by_age ON intake_studies (state, last_at);
  CREATE TABLE intake_instances (
    study_no INTEGER NOT NULL REFERENCES intake_studies, sop_instance_uid TEXT NOT NULL, series_instance_uid TEXT NOT NULL,
    sop_class_uid TEXT NOT NULL, file TEXT NOT NULL, received_at INTEGER NOT NULL,
    PRIMARY KEY (study_no, sop_instance_uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX intake_instances_by_file ON intake_instances (file);`;

/** How many instances a study should hold, as an archive said. */
export const INTAKE_EXPECTED = "ALTER TABLE intake_studies ADD COLUMN expected INTEGER";
