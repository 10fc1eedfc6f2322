/**
 * The counters of jobs with one statement for what a job leaves and what it comes to; both are kept by triggers on every change of a state, and
 * claims and settlements are little else. Numbers of changes go up by the last row, which is therefore never deleted: rows of jobs that
 * are gone stay until they are old.
 */
export const LEAN_COUNTERS = `
  DROP TRIGGER study_job_state_changed;
  CREATE TRIGGER study_job_state_changed AFTER UPDATE OF state ON study_jobs WHEN old.state <> new.state BEGIN
    UPDATE cohort_state_counts SET jobs = jobs + CASE state WHEN new.state THEN 1 ELSE -1 END
     WHERE cohort_no IN (SELECT cohort_no FROM cohort_jobs WHERE job_no = new.job_no) AND state IN (old.state, new.state);
  END;

  DROP TRIGGER study_job_counted;
  DROP TRIGGER study_job_moved;
  DROP TRIGGER study_job_uncounted;
  CREATE TABLE numbered_changes (change_no INTEGER PRIMARY KEY, job_no INTEGER NOT NULL UNIQUE) STRICT;
  INSERT INTO numbered_changes SELECT change_no, job_no FROM job_changes;
  DROP TABLE job_changes;
  ALTER TABLE numbered_changes RENAME TO job_changes;
  CREATE TRIGGER study_job_counted AFTER INSERT ON study_jobs BEGIN
    INSERT INTO job_counts VALUES (new.project, new.stage, new.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    INSERT INTO job_changes VALUES ((SELECT coalesce(max(change_no), 0) + 1 FROM job_changes), new.job_no);
    DELETE FROM job_changes WHERE change_no <= (SELECT max(change_no) FROM job_changes) - 100000;
  END;
  CREATE TRIGGER study_job_moved AFTER UPDATE OF state, stage ON study_jobs
  WHEN old.state <> new.state OR old.stage <> new.stage BEGIN
    INSERT INTO job_counts VALUES (old.project, old.stage, old.state, -1), (new.project, new.stage, new.state, 1)
      ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs;
    INSERT INTO job_changes VALUES ((SELECT coalesce(max(change_no), 0) + 1 FROM job_changes), new.job_no)
      ON CONFLICT (job_no) DO UPDATE SET change_no = excluded.change_no;
    DELETE FROM job_changes WHERE change_no <= (SELECT max(change_no) FROM job_changes) - 100000;
  END;
  CREATE TRIGGER study_job_uncounted AFTER DELETE ON study_jobs BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE project = old.project AND stage = old.stage AND state = old.state;
  END;`;

function resting(state: string): string {
  return `(CASE ${state} WHEN 'running' THEN 'queued' ELSE ${state} END)`;
}

/**
 * What runs is counted as queued, and stands so beside its cohorts: it is few, so that who asks counts it, and a claim writes no counter.
 * A cohort's counters follow the states that stand beside it. Old numbers of changes are forgotten a thousand at a time.
 */
export const RESTING_COUNTERS = `
  DROP TRIGGER study_job_state_changed;
  DROP TRIGGER study_job_followed;
  DROP TRIGGER study_job_counted;
  DROP TRIGGER study_job_moved;
  DROP TRIGGER study_job_uncounted;
  DROP TRIGGER cohort_job_added;
  DROP TRIGGER cohort_job_removed;

  UPDATE cohort_jobs SET state = 'queued'
   WHERE state = 'running' AND job_no IN (SELECT job_no FROM study_jobs WHERE state = 'running');
  UPDATE cohort_state_counts
     SET jobs = jobs + coalesce((SELECT jobs FROM cohort_state_counts AS busy
                                  WHERE busy.cohort_no = cohort_state_counts.cohort_no AND busy.state = 'running'), 0)
   WHERE state = 'queued';
  UPDATE cohort_state_counts SET jobs = 0 WHERE state = 'running';
  INSERT INTO job_counts SELECT project, stage, 'queued', jobs FROM job_counts WHERE state = 'running'
    ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs;
  DELETE FROM job_counts WHERE state = 'running';

  CREATE TRIGGER study_job_counted AFTER INSERT ON study_jobs BEGIN
    INSERT INTO job_counts VALUES (new.project, new.stage, ${resting("new.state")}, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    INSERT INTO job_changes (job_no) VALUES (new.job_no);
  END;
  CREATE TRIGGER study_job_changed AFTER UPDATE OF state, stage ON study_jobs
  WHEN old.state <> new.state OR old.stage <> new.stage BEGIN
    INSERT INTO job_changes VALUES ((SELECT coalesce(max(change_no), 0) + 1 FROM job_changes), new.job_no)
      ON CONFLICT (job_no) DO UPDATE SET change_no = excluded.change_no;
  END;
  CREATE TRIGGER study_job_moved AFTER UPDATE OF state, stage ON study_jobs
  WHEN old.stage <> new.stage OR ${resting("old.state")} <> ${resting("new.state")} BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE project = old.project AND stage = old.stage AND state = ${resting("old.state")};
    INSERT INTO job_counts VALUES (new.project, new.stage, ${resting("new.state")}, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
  END;
  CREATE TRIGGER study_job_uncounted AFTER DELETE ON study_jobs BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE project = old.project AND stage = old.stage AND state = ${resting("old.state")};
  END;
  CREATE TRIGGER study_job_followed AFTER UPDATE OF state, code ON study_jobs
  WHEN old.code IS NOT new.code OR ${resting("old.state")} <> ${resting("new.state")} BEGIN
    UPDATE cohort_jobs SET state = ${resting("new.state")}, code = new.code WHERE job_no = new.job_no;
  END;

  CREATE TRIGGER cohort_job_added AFTER INSERT ON cohort_jobs BEGIN
    UPDATE cohort_state_counts SET jobs = jobs + 1 WHERE cohort_no = new.cohort_no AND state = new.state;
  END;
  CREATE TRIGGER cohort_job_moved AFTER UPDATE OF state ON cohort_jobs WHEN old.state <> new.state BEGIN
    UPDATE cohort_state_counts SET jobs = jobs - 1 WHERE cohort_no = old.cohort_no AND state = old.state;
    UPDATE cohort_state_counts SET jobs = jobs + 1 WHERE cohort_no = new.cohort_no AND state = new.state;
  END;
  CREATE TRIGGER cohort_job_removed AFTER DELETE ON cohort_jobs BEGIN
    UPDATE cohort_state_counts SET jobs = jobs - 1 WHERE cohort_no = old.cohort_no AND state = old.state;
  END;
  CREATE TRIGGER changes_forgotten AFTER INSERT ON job_changes WHEN new.change_no % 1000 = 0 BEGIN
    DELETE FROM job_changes WHERE change_no <= new.change_no - 100000;
  END;
  CREATE TRIGGER changes_forgotten_later AFTER UPDATE ON job_changes WHEN new.change_no % 1000 = 0 BEGIN
    DELETE FROM job_changes WHERE change_no <= new.change_no - 100000;
  END;`;

/**
 * Changes of jobs are added behind the others and never moved: half the pages that a claim or an end wrote here. Each says what the job came to, so
 * that those which a later one has overtaken are told apart from the one that stands.
 */
export const ADDED_CHANGES = `
  DROP TRIGGER study_job_counted;
  DROP TRIGGER study_job_changed;
  CREATE TABLE added_changes (
    change_no INTEGER PRIMARY KEY, job_no INTEGER NOT NULL, state TEXT NOT NULL, stage TEXT NOT NULL
  ) STRICT;
  INSERT INTO added_changes
  SELECT change_no, job_no, coalesce(state, ''), coalesce(stage, '') FROM job_changes LEFT JOIN study_jobs USING (job_no);
  DROP TABLE job_changes;
  ALTER TABLE added_changes RENAME TO job_changes;

  CREATE TRIGGER study_job_counted AFTER INSERT ON study_jobs BEGIN
    INSERT INTO job_counts VALUES (new.project, new.stage, ${resting("new.state")}, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    INSERT INTO job_changes (job_no, state, stage) VALUES (new.job_no, new.state, new.stage);
  END;
  CREATE TRIGGER study_job_changed AFTER UPDATE OF state, stage ON study_jobs
  WHEN old.state <> new.state OR old.stage <> new.stage BEGIN
    INSERT INTO job_changes (job_no, state, stage) VALUES (new.job_no, new.state, new.stage);
  END;
  CREATE TRIGGER changes_forgotten AFTER INSERT ON job_changes WHEN new.change_no % 1000 = 0 BEGIN
    DELETE FROM job_changes WHERE change_no <= new.change_no - 100000;
  END;`;
