/** Searches by a timetable. What is found again is compared with what the archive said of the study when a run last looked. */
export const STANDING_COHORTS = `
  CREATE TABLE standing_cohorts (
    standing_no BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE, project TEXT NOT NULL, archive TEXT NOT NULL,
    wish TEXT NOT NULL, timetable TEXT NOT NULL, paused BIGINT NOT NULL, created_at BIGINT NOT NULL, next_run_at BIGINT
  );
  CREATE INDEX standing_cohorts_due ON standing_cohorts (next_run_at) WHERE paused = 0;
  CREATE TABLE standing_runs (
    run_no BIGSERIAL PRIMARY KEY, standing_no BIGINT NOT NULL REFERENCES standing_cohorts, number BIGINT NOT NULL,
    state TEXT NOT NULL, code TEXT, reason TEXT NOT NULL, due_at BIGINT NOT NULL, missed BIGINT NOT NULL,
    started_at BIGINT NOT NULL, ended_at BIGINT, cohort TEXT, found BIGINT NOT NULL DEFAULT 0, fresh BIGINT NOT NULL DEFAULT 0,
    changed BIGINT NOT NULL DEFAULT 0, known BIGINT NOT NULL DEFAULT 0, refused BIGINT NOT NULL DEFAULT 0, trouble BIGINT,
    UNIQUE (standing_no, number)
  );
  CREATE UNIQUE INDEX standing_runs_running ON standing_runs (standing_no) WHERE state = 'running';
  CREATE UNIQUE INDEX standing_runs_in_trouble ON standing_runs (trouble) WHERE trouble IS NOT NULL;
  CREATE TABLE standing_studies (
    standing_no BIGINT NOT NULL REFERENCES standing_cohorts, study_instance_uid TEXT NOT NULL, instances BIGINT NOT NULL,
    PRIMARY KEY (standing_no, study_instance_uid)
  );`;
