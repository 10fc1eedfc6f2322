/**
 * What lists of a cohort or a project go by. The state and code of a job stand beside its cohorts too, kept by a trigger, and its project
 * beside its deliveries: a few studies of a large cohort, or of a small project, are found without walking over all the others.
 */
export const LISTINGS = `
  ALTER TABLE cohort_jobs ADD COLUMN state TEXT;
  ALTER TABLE cohort_jobs ADD COLUMN code TEXT;
  UPDATE cohort_jobs SET (state, code) = (SELECT state, code FROM study_jobs WHERE study_jobs.job_no = cohort_jobs.job_no);
  CREATE INDEX cohort_jobs_by_state ON cohort_jobs (cohort_no, state, job_no);
  CREATE INDEX cohort_jobs_by_code ON cohort_jobs (cohort_no, code, state, job_no) WHERE code IS NOT NULL;
  CREATE TRIGGER study_job_followed AFTER UPDATE OF state, code ON study_jobs
  WHEN old.state <> new.state OR old.code IS NOT new.code BEGIN
    UPDATE cohort_jobs SET state = new.state, code = new.code WHERE job_no = new.job_no;
  END;
  CREATE INDEX cohorts_by_project ON cohorts (project, cohort_no);
  ALTER TABLE deliveries ADD COLUMN project TEXT;
  UPDATE deliveries SET project = (SELECT project FROM study_jobs WHERE study_jobs.job_no = deliveries.job_no);
  CREATE INDEX deliveries_by_project ON deliveries (project, job_no, destination);
  CREATE INDEX deliveries_by_project_and_state ON deliveries (project, state, job_no, destination);`;
