/** Searches by a timetable. What is found again is compared with what the archive said of the study when a run last looked. */
export const STANDING_COHORTS = `
  CREATE TABLE standing_cohorts (
    standing_no INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, project TEXT NOT NULL, archive TEXT NOT NULL,
    wish TEXT NOT NULL, timetable TEXT NOT NULL, paused INTEGER NOT NULL, created_at INTEGER NOT NULL, next_run_at INTEGER
  ) STRICT;
  CREATE INDEX standing_cohorts_due ON standing_cohorts (next_run_at) WHERE paused = 0;
  CREATE TABLE standing_runs (
    run_no INTEGER PRIMARY KEY AUTOINCREMENT, standing_no INTEGER NOT NULL REFERENCES standing_cohorts, number INTEGER NOT NULL,
    state TEXT NOT NULL, code TEXT, reason TEXT NOT NULL, due_at INTEGER NOT NULL, missed INTEGER NOT NULL,
    started_at INTEGER NOT NULL, ended_at INTEGER, cohort TEXT, found INTEGER NOT NULL DEFAULT 0, fresh INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0, known INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0, trouble INTEGER,
    UNIQUE (standing_no, number)
  ) STRICT;
  CREATE UNIQUE INDEX standing_runs_running ON standing_runs (standing_no) WHERE state = 'running';
  CREATE UNIQUE INDEX standing_runs_in_trouble ON standing_runs (trouble) WHERE trouble IS NOT NULL;
  CREATE TABLE standing_studies (
    standing_no INTEGER NOT NULL REFERENCES standing_cohorts, study_instance_uid TEXT NOT NULL, instances INTEGER NOT NULL,
    PRIMARY KEY (standing_no, study_instance_uid)
  ) STRICT, WITHOUT ROWID;`;
