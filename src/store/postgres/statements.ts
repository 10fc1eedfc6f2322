import { JOB_COLUMNS, NOT_DONE } from "../sql/job-statements.ts";
import type { StatementName } from "../sql/session.ts";
import { statements } from "../sql/statements.ts";
import { CHANGES_LOCK_BASE } from "./counter-triggers.ts";
import { workStatements } from "./work-statements.ts";

/** Shared statements that say another thing here; all others are told as they are, but for the spelling (sql-text.ts). */
export const overrides: Partial<Readonly<Record<StatementName, string>>> = {
  createSchemaMigrations: `
    CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`,
  // Counters are sums over the slots of all connections.
  codeCounts: `
    SELECT project, code, state, sum(jobs) AS jobs FROM job_code_counts GROUP BY project, code, state HAVING sum(jobs) > 0`,
  /** Of the numbers that are given, those up to here are committed: see COUNTER_TRIGGERS. The sequence is read before the locks. */
  lastChange: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS changeNo FROM job_change_numbers",
  /** Each job has one row of changes, which moves. */
  jobChanges: `
    SELECT change_no AS changeNo, ${JOB_COLUMNS} FROM job_changes JOIN study_jobs USING (job_no)
     WHERE change_no > :after AND change_no <= :last ORDER BY change_no LIMIT :limit`,
  releaseProbes: `
    UPDATE archives SET breaker = jsonb_set(breaker::jsonb, '{untilMs}', to_jsonb(CAST(:nowMs AS BIGINT)))::text
     WHERE breaker::jsonb ->> 'state' = 'half-open'`,
  insertScanResult: changed("insertScanResult", "max(:nowMs,", "greatest(:nowMs,"),

  // Work that others hold at this moment is theirs.
  wakeWaiting: `
    UPDATE study_jobs SET state = 'queued', code = NULL, due_at = NULL
     WHERE job_no IN (SELECT job_no FROM study_jobs WHERE state = 'waiting' AND due_at <= :nowMs
                       ORDER BY due_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED)`,
  wakeAbandoned: changed(
    "wakeAbandoned",
    "WHERE state = 'running' AND lease_until <= :nowMs",
    `WHERE job_no IN (SELECT job_no FROM study_jobs WHERE state = 'running' AND lease_until <= :nowMs
                       ORDER BY lease_until LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED)`,
  ),
  claimInboxMessage: changed("claimInboxMessage", "LIMIT 1)", "LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)"),
  claimNotices: changed("claimNotices", "LIMIT :limit)", "LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)"),
  claimCommitments: changed("claimCommitments", "LIMIT :limit)", "LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)"),
  dueIntake: `${statements.dueIntake} FOR NO KEY UPDATE SKIP LOCKED`,
  discardedIntake: `${statements.discardedIntake} FOR UPDATE SKIP LOCKED`,
  endedIntake: `${statements.endedIntake} FOR UPDATE OF intake_studies SKIP LOCKED`,

  // A cohort's list of states is read before its jobs are held: what they are by then counts.
  retryableOfCohort: heldJobs(statements.retryableOfCohort, `AND state NOT IN (${NOT_DONE})`),
  cancellableOfCohort: heldJobs(statements.cancellableOfCohort, `AND state IN (${NOT_DONE})`),
  prioritisableOfCohort: heldJobs(
    `SELECT wanted."jobNo" FROM (${statements.prioritisableOfCohort}) AS wanted`,
    `AND state IN (${NOT_DONE}) AND priority <> :priority`,
    ", priority",
  ),
  failuresOfCohort: `${statements.failuresOfCohort} FOR NO KEY UPDATE`,
  /** Waits for who destroys the linkage, and is in vain then. */
  keepLink: changed("keepLink", "WHERE jobs.job_no = :jobNo", "WHERE jobs.job_no = :jobNo FOR SHARE OF linkage_keys"),
};

/** In a transaction that writes they hold the row that they find, as what is written follows from it. */
export const HOLDING: ReadonlySet<string> = new Set<StatementName>([
  "leased",
  "jobByNumber",
  "jobOfStudy",
  "deliveredJob",
  "quarantinedJob",
  "retryableJob",
  "cancellableJob",
  "prioritisableJob",
  "failuresOfCode",
  "failuresOfProject",
  "intakeStudy",
  "intakeStudyOfId",
  "intakeOfNode",
  "linkageKey",
  "withdrawableJob",
  "standingCohort",
  "auditHead",
  "archiveCondition",
]);

/** What only PostgreSQL is told. */
export const ownStatements = {
  databaseTime: "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS nowMs",
  hold: "SELECT pg_advisory_xact_lock(:lock, hashtext(:key))",
  holdOfJob: "SELECT pg_advisory_xact_lock(:lock, hashtext(project)) FROM study_jobs WHERE id = :job",
  holdOfCohort: "SELECT pg_advisory_xact_lock(:lock, hashtext(project)) FROM cohorts WHERE id = :cohort",
  /** The lowest number from which a transaction that is under way counts its changes. */
  lowestCounting: `
    SELECT min(((classid::BIGINT << 32) | objid::BIGINT) - ${CHANGES_LOCK_BASE}) AS changeNo FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND classid::BIGINT = ${CHANGES_LOCK_BASE} >> 32
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  ...workStatements,
} as const;

export type OwnStatementName = StatementName | keyof typeof ownStatements;

function changed(name: StatementName, from: string, to: string): string {
  const text: string = statements[name];
  if (!text.includes(from)) throw new Error(`${name} does not say ${from}`);
  return text.replace(from, () => to);
}

function heldJobs(numbers: string, condition: string, columns = ""): string {
  return `SELECT job_no AS jobNo${columns} FROM study_jobs WHERE job_no IN (${numbers}) ${condition} ORDER BY job_no FOR NO KEY UPDATE`;
}
