import { accessStatements } from "./access-statements.ts";
import { acquisitionStatements } from "./acquisition-statements.ts";
import { archiveStatements } from "./archive-statements.ts";
import { commitmentStatements } from "./commitment-statements.ts";
import { examStatements } from "./exam-statements.ts";
import { forgottenNodeStatements } from "./forgotten-node-statements.ts";
import { inboxStatements } from "./inbox-statements.ts";
import { insightStatements } from "./insight-statements.ts";
import { intakeStatements } from "./intake-statements.ts";
import { jobStatements } from "./job-statements.ts";
import { linkageStatements } from "./linkage-statements.ts";
import { listingStatements } from "./listing-statements.ts";
import { nodeStatements } from "./node-statements.ts";
import { noticeStatements } from "./notice-statements.ts";
import { overviewStatements } from "./overview-statements.ts";
import { standingStatements } from "./standing-statements.ts";
import { studyReportStatements } from "./study-report-statements.ts";
import { taskStatements } from "./task-statements.ts";
import { withdrawalStatements } from "./withdrawal-statements.ts";

/** Every statement of the store, named. The query-plan test explains these same constants. */
export const statements = {
  createSchemaMigrations:
    "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
  schemaVersion: "SELECT max(version) AS version FROM schema_migrations",
  recordMigration: "INSERT INTO schema_migrations (version, name, applied_at) VALUES (:version, :name, :nowMs)",

  insertCohort: `
    INSERT INTO cohorts (id, project, columns, row_count, accepted, joined, submitted_at)
    VALUES (:id, :project, :columns, :rowCount, :accepted, 0, :nowMs) RETURNING cohort_no AS cohortNo`,
  setJoined: "UPDATE cohorts SET joined = :joined WHERE cohort_no = :cohortNo",
  /** Counters exist before anything is counted: triggers only update. */
  insertCohortCounter: "INSERT INTO cohort_state_counts (cohort_no, state) VALUES (:cohortNo, :state)",
  insertRequest: `
    INSERT INTO requests (cohort_no, row_number, study_instance_uid, patient_id, accession_number,
                          series_instance_uids, participant_id, priority, cells, refused_code)
    VALUES (:cohortNo, :rowNumber, :studyInstanceUid, :patientId, :accessionNumber,
            :seriesInstanceUids, :participantId, :priority, :cells, :refusedCode)
    RETURNING request_no AS requestNo`,
  insertProjectKey:
    "INSERT INTO project_keys (project, key_id, since, forced) VALUES (:project, :keyId, :nowMs, :forced)",
  insertPseudonymLink: `
    INSERT INTO pseudonym_links (project, key_id, kind, replacement, digest)
    VALUES (:project, :keyId, :kind, :replacement, :digest) ON CONFLICT DO NOTHING`,
  pseudonymLink: `
    SELECT digest FROM pseudonym_links
     WHERE project = :project AND key_id = :keyId AND kind = :kind AND replacement = :replacement`,
  insertAuditRecord:
    "INSERT INTO audit_events (number, record, previous_hash, hash) VALUES (:number, :record, :previousHash, :hash)",
  auditRecords: `
    SELECT number, record, previous_hash AS previousHash, hash FROM audit_events
     WHERE number > :after ORDER BY number LIMIT :limit`,
  auditHead: "SELECT count, hash FROM audit_head WHERE only_row = 1",
  setAuditHead: `
    INSERT INTO audit_head (only_row, count, hash) VALUES (1, :count, :hash)
    ON CONFLICT (only_row) DO UPDATE SET count = excluded.count, hash = excluded.hash`,
  linkRequest: "INSERT INTO request_jobs (request_no, job_no) VALUES (:requestNo, :jobNo) ON CONFLICT DO NOTHING",
  /** What runs stands as queued beside its cohorts. */
  linkCohort: `
    INSERT INTO cohort_jobs (cohort_no, job_no, state, code)
    SELECT :cohortNo, job_no, CASE state WHEN 'running' THEN 'queued' ELSE state END, code FROM study_jobs
     WHERE job_no = :jobNo AND NOT EXISTS (SELECT 1 FROM cohort_jobs WHERE cohort_no = :cohortNo AND job_no = :jobNo)`,

  ...archiveStatements,
  ...jobStatements,
  ...listingStatements,
  ...linkageStatements,
  ...taskStatements,
  ...withdrawalStatements,
  ...accessStatements,
  ...overviewStatements,
  ...nodeStatements,
  ...forgottenNodeStatements,
  ...noticeStatements,
  ...standingStatements,
  ...insightStatements,
  ...studyReportStatements,
  ...inboxStatements,
  ...intakeStatements,
  ...commitmentStatements,
  ...examStatements,
  ...acquisitionStatements,
} as const;
