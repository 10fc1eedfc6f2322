import { COUNTER_TRIGGERS } from "./counter-triggers.ts";

/**
 * What lists of a cohort or a project go by. The state and code of a job stand beside its cohorts too, kept by the triggers, and its project
 * beside its deliveries: a few studies of a large cohort, or of a small project, are found without walking over all the others.
 */
export const LISTINGS = `
  ALTER TABLE cohort_jobs ADD COLUMN state TEXT;
  ALTER TABLE cohort_jobs ADD COLUMN code TEXT;
  CREATE INDEX cohort_jobs_by_state ON cohort_jobs (cohort_no, state, job_no);
  CREATE INDEX cohort_jobs_by_code ON cohort_jobs (cohort_no, code, state, job_no) WHERE code IS NOT NULL;
  CREATE INDEX cohorts_by_project ON cohorts (project, cohort_no);
  ALTER TABLE deliveries ADD COLUMN project TEXT;
  CREATE INDEX deliveries_by_project ON deliveries (project, job_no, destination);
  CREATE INDEX deliveries_by_project_and_state ON deliveries (project, state, job_no, destination);
  ${COUNTER_TRIGGERS}`;
