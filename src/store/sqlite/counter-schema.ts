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
