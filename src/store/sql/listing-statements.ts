import { JOB_COLUMNS } from "./job-statements.ts";

const IS_AT_REST =
  "NOT EXISTS (SELECT 1 FROM study_jobs AS held WHERE held.job_no = cohort_jobs.job_no AND held.state = 'running')";

/** Statements that only look. Listings page by key, never by offset. */
export const listingStatements = {
  cohortByName: `
    SELECT cohort_no AS cohortNo, id AS cohort, project, columns, row_count AS rows, accepted, joined, submitted_at AS submittedAtMs
      FROM cohorts WHERE id = :cohort`,
  listCohorts: `
    SELECT cohort_no AS cohortNo, id AS cohort, project, row_count AS rows, accepted, joined, submitted_at AS submittedAtMs
      FROM cohorts WHERE cohort_no > :after ORDER BY cohort_no LIMIT :limit`,
  listNewestCohorts: `
    SELECT cohort_no AS cohortNo, id AS cohort, project, row_count AS rows, accepted, joined, submitted_at AS submittedAtMs
      FROM cohorts WHERE cohort_no < :after ORDER BY cohort_no DESC LIMIT :limit`,
  listCohortsOfProject: `
    SELECT cohort_no AS cohortNo, id AS cohort, project, row_count AS rows, accepted, joined, submitted_at AS submittedAtMs
      FROM cohorts WHERE project = :project AND cohort_no > :after ORDER BY cohort_no LIMIT :limit`,
  listNewestCohortsOfProject: `
    SELECT cohort_no AS cohortNo, id AS cohort, project, row_count AS rows, accepted, joined, submitted_at AS submittedAtMs
      FROM cohorts WHERE project = :project AND cohort_no < :after ORDER BY cohort_no DESC LIMIT :limit`,
  /** What runs is counted as queued, and is few. A state may come twice; one of the two is nothing. */
  cohortCounts: `
    WITH at_work AS MATERIALIZED (
      SELECT count(*) AS jobs FROM study_jobs INDEXED BY study_jobs_leased
       WHERE state = 'running'
         AND EXISTS (SELECT 1 FROM cohort_jobs AS own WHERE own.cohort_no = :cohortNo AND own.job_no = study_jobs.job_no))
    SELECT state, sum(jobs) - CASE state WHEN 'queued' THEN (SELECT jobs FROM at_work) ELSE 0 END AS jobs
      FROM cohort_state_counts WHERE cohort_no = :cohortNo GROUP BY state
    UNION ALL SELECT 'running', jobs FROM at_work`,
  exportRows: `
    SELECT request_no AS requestNo, row_number AS rowNumber, cells, refused_code AS refusedCode
      FROM requests WHERE cohort_no = :cohortNo AND row_number > :afterRow ORDER BY row_number LIMIT :limit`,
  currentProjectKey: `
    SELECT key_id AS keyId FROM project_keys WHERE project = :project ORDER BY key_no DESC LIMIT 1`,
  projectKeys: `
    SELECT key_id AS keyId, since AS sinceMs, forced FROM project_keys WHERE project = :project ORDER BY key_no`,
  projectHasDelivered:
    "SELECT EXISTS (SELECT 1 FROM study_jobs WHERE project = :project AND delivered > 0) AS delivered",
  jobsOfRequest: `
    SELECT ${JOB_COLUMNS} FROM study_jobs
     WHERE job_no IN (SELECT job_no FROM request_jobs WHERE request_no = :requestNo) ORDER BY job_no`,

  jobNumber: `
    SELECT job_no AS jobNo FROM study_jobs WHERE id = :id
    UNION ALL SELECT job_no FROM dissolved_jobs WHERE id = :id LIMIT 1`,
  jobOfId: "SELECT job_no AS jobNo FROM study_jobs WHERE id = :id",
  /** Where a listing goes on: a dissolved job's own place, not that of the job which took it over. */
  jobPlace: `
    SELECT job_no AS jobNo FROM study_jobs WHERE id = :id
    UNION ALL SELECT dissolved_no FROM dissolved_jobs WHERE id = :id LIMIT 1`,
  jobById: `SELECT ${JOB_COLUMNS} FROM study_jobs WHERE job_no = :jobNo`,
  listJobs: `SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs WHERE job_no > :after ORDER BY job_no LIMIT :limit`,
  /** Of a state other than running, as the index leaves out what runs: a claim and its end then write it once. */
  listJobsByState: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE state = :state AND state <> 'running' AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listJobsByProject: `SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs WHERE project = :project AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listJobsByProjectAndState: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE project = :project AND state = :state AND state <> 'running' AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listRunningJobs: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs INDEXED BY study_jobs_leased
     WHERE state = 'running' AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listRunningJobsOfProject: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs INDEXED BY study_jobs_leased
     WHERE state = 'running' AND project = :project AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listJobsOfCohort: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE job_no IN (SELECT job_no FROM cohort_jobs WHERE cohort_no = :cohortNo AND job_no > :after ORDER BY job_no LIMIT :limit)
     ORDER BY job_no`,
  /** Of a state other than running: what runs stands as queued beside its cohorts. */
  listJobsOfCohortByState: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE job_no IN (SELECT job_no FROM cohort_jobs WHERE cohort_no = :cohortNo AND state = :state AND job_no > :after
                         AND ${IS_AT_REST} ORDER BY job_no LIMIT :limit)
     ORDER BY job_no`,
  listJobsOfCohortByCodeAndState: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE job_no IN (SELECT job_no FROM cohort_jobs WHERE cohort_no = :cohortNo AND code = :code AND state = :state AND job_no > :after
                         AND ${IS_AT_REST} ORDER BY job_no LIMIT :limit)
     ORDER BY job_no`,
  listRunningJobsOfCohort: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs INDEXED BY study_jobs_leased
     WHERE state = 'running' AND job_no > :after AND (:code IS NULL OR code = :code)
       AND EXISTS (SELECT 1 FROM cohort_jobs AS own WHERE own.cohort_no = :cohortNo AND own.job_no = study_jobs.job_no)
     ORDER BY job_no LIMIT :limit`,
  cohortsOfJob:
    "SELECT id FROM cohorts WHERE cohort_no IN (SELECT cohort_no FROM cohort_jobs WHERE job_no = :jobNo) ORDER BY cohort_no",
  cohortsOfJobs: `
    SELECT study_jobs.id AS job, cohorts.id AS cohort, cohort_jobs.cohort_no AS cohortNo
      FROM study_jobs
      LEFT JOIN cohort_jobs ON cohort_jobs.job_no = study_jobs.job_no
      LEFT JOIN cohorts ON cohorts.cohort_no = cohort_jobs.cohort_no
     WHERE study_jobs.id IN (SELECT value FROM json_each(:ids))`,
  events: "SELECT at AS atMs, event, detail FROM job_events WHERE job_no = :jobNo ORDER BY event_no",
  ledger: `
    SELECT sop_instance_uid AS sopInstanceUid, series_instance_uid AS seriesInstanceUid, expected_at AS expectedAtMs,
           received_at AS receivedAtMs, excluded_at AS excludedAtMs, reason,
           reason_detail AS reasonDetail, deidentified_at AS deidentifiedAtMs,
           pseudo_sop_instance_uid AS pseudoSopInstanceUid, sha256, delivered_at AS deliveredAtMs
      FROM instances WHERE job_no = :jobNo ORDER BY sop_instance_uid`,
  reasonsOfJob: "SELECT reason FROM instances WHERE job_no = :jobNo AND excluded_at IS NOT NULL",
  deliveries: `
    SELECT destination, state, instances, code, proof, changed_at AS changedAtMs
      FROM deliveries WHERE job_no = :jobNo ORDER BY destination`,
} as const;
