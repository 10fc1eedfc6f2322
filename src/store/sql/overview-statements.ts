import { JOB_COLUMNS } from "./job-statements.ts";

const DELIVERY = `
  deliveries.job_no AS jobNo, study_jobs.id AS job, study_jobs.project AS project, destination, deliveries.state AS state, instances, deliveries.code AS code,
  proof, changed_at AS changedAtMs`;

/** Statements that look at all jobs at once, by counters and indexes. */
export const overviewStatements = {
  /** What runs is counted as queued, and is few. */
  jobCounts: `
    WITH at_work AS MATERIALIZED (
      SELECT project, stage, count(*) AS jobs FROM study_jobs INDEXED BY study_jobs_leased WHERE state = 'running' GROUP BY project, stage)
    SELECT project, stage, state, sum(jobs) AS jobs
      FROM (SELECT project, stage, state, jobs FROM job_counts
            UNION ALL SELECT project, stage, 'queued', -jobs FROM at_work
            UNION ALL SELECT project, stage, 'running', jobs FROM at_work) AS counts
     GROUP BY project, stage, state HAVING sum(jobs) > 0`,
  /** Of a state other than running. Numbers are given in the order in which jobs are made. */
  oldestOfState: `
    SELECT created_at AS createdAtMs FROM study_jobs WHERE state = :state AND state <> 'running' ORDER BY job_no LIMIT 1`,
  oldestOfProjectAndState: `
    SELECT created_at AS createdAtMs FROM study_jobs
     WHERE project = :project AND state = :state AND state <> 'running' ORDER BY job_no LIMIT 1`,
  /** Without those that another one has overtaken. */
  jobChanges: `
    SELECT change_no AS changeNo, ${JOB_COLUMNS} FROM job_changes CROSS JOIN study_jobs USING (job_no, state, stage)
     WHERE change_no > :after ORDER BY change_no LIMIT :limit`,
  lastChange: "SELECT max(change_no) AS changeNo FROM job_changes",
  listDeliveries: `
    SELECT ${DELIVERY} FROM deliveries CROSS JOIN study_jobs USING (job_no)
     WHERE (deliveries.job_no, destination) > (:afterJob, :afterDestination)
     ORDER BY deliveries.job_no, destination LIMIT :limit`,
  listDeliveriesByState: `
    SELECT ${DELIVERY} FROM deliveries CROSS JOIN study_jobs USING (job_no)
     WHERE deliveries.state = :state AND (deliveries.job_no, destination) > (:afterJob, :afterDestination)
     ORDER BY deliveries.job_no, destination LIMIT :limit`,
  listDeliveriesByProject: `
    SELECT ${DELIVERY} FROM deliveries CROSS JOIN study_jobs USING (job_no)
     WHERE deliveries.project = :project AND (deliveries.job_no, destination) > (:afterJob, :afterDestination)
     ORDER BY deliveries.job_no, destination LIMIT :limit`,
  listDeliveriesByProjectAndState: `
    SELECT ${DELIVERY} FROM deliveries CROSS JOIN study_jobs USING (job_no)
     WHERE deliveries.project = :project AND deliveries.state = :state
       AND (deliveries.job_no, destination) > (:afterJob, :afterDestination)
     ORDER BY deliveries.job_no, destination LIMIT :limit`,
  listWorkers: "SELECT name, claims, last_claim_at AS lastClaimAtMs FROM workers ORDER BY name",
} as const;
