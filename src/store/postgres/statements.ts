import { JOB_COLUMNS } from "../sql/job-statements.ts";
import type { StatementName } from "../sql/session.ts";
import { statements } from "../sql/statements.ts";
import { CHANGES_LOCK_BASE } from "./counter-triggers.ts";

const NOT_DONE = "('queued', 'waiting', 'running')";

/** Shared statements that say another thing here; all others are told as they are, but for the spelling (sql-text.ts). */
export const overrides: Partial<Readonly<Record<StatementName, string>>> = {
  createSchemaMigrations: `
    CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`,
  // Counters are sums over the slots of all connections.
  jobCounts:
    "SELECT project, stage, state, sum(jobs) AS jobs FROM job_counts GROUP BY project, stage, state HAVING sum(jobs) > 0",
  codeCounts: `
    SELECT project, code, state, sum(jobs) AS jobs FROM job_code_counts GROUP BY project, code, state HAVING sum(jobs) > 0`,
  cohortCounts: `
    SELECT state, sum(jobs) AS jobs FROM cohort_state_counts WHERE cohort_no = :cohortNo GROUP BY state HAVING sum(jobs) > 0`,
  /** Of the numbers that are given, those up to here are committed: see COUNTER_TRIGGERS. The sequence is read before the locks. */
  lastChange: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS changeNo FROM job_change_numbers",
  releaseProbes: `
    UPDATE archives SET breaker = jsonb_set(breaker::jsonb, '{untilMs}', to_jsonb(CAST(:nowMs AS BIGINT)))::text
     WHERE breaker::jsonb ->> 'state' = 'half-open'`,
  insertScanResult: changed("insertScanResult", "max(:nowMs,", "greatest(:nowMs,"),

  // Work that others hold at this moment is theirs.
  wakeWaiting: `
    UPDATE study_jobs SET state = 'queued', due_at = NULL
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
  retryableOfCohort: heldJobs(statements.retryableOfCohort, `AND state NOT IN ${NOT_DONE}`),
  cancellableOfCohort: heldJobs(statements.cancellableOfCohort, `AND state IN ${NOT_DONE}`),
  prioritisableOfCohort: heldJobs(
    `SELECT wanted."jobNo" FROM (${statements.prioritisableOfCohort}) AS wanted`,
    `AND state IN ${NOT_DONE} AND priority <> :priority`,
    ", priority",
  ),
  failuresOfCohort: `${statements.failuresOfCohort} FOR NO KEY UPDATE`,
  /** Waits for who destroys the linkage, and is in vain then. */
  keepLink: changed("keepLink", "WHERE jobs.job_no = :jobNo", "WHERE jobs.job_no = :jobNo FOR SHARE OF linkage_keys"),
  // What a deleted row leaves behind is PostgreSQL's own affair: docs/postgresql.md.
  overwriteDeleted: "SELECT 1 AS nothing",
  leaveDeleted: "SELECT 1 AS nothing",
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
  "linkageKey",
  "withdrawableJob",
  "standingCohort",
  "auditHead",
]);

/**
 * A claim in one round trip. It takes nothing while something is to be woken first (`isWoken` says that this was done), and goes around jobs
 * that others are taking at this moment. Who finds the turn of its priority held leaves it: another claim is moving it on.
 */
const CLAIM = `
  WITH due AS MATERIALIZED (
    SELECT :isWoken = 0 AND (
      EXISTS (SELECT 1 FROM study_jobs WHERE state = 'waiting' AND due_at <= :nowMs)
      OR EXISTS (SELECT 1 FROM study_jobs WHERE state = 'running' AND lease_until <= :nowMs)) AS is_due),
  urgent AS MATERIALIZED (
    SELECT priority FROM study_jobs WHERE state = 'queued' AND NOT (SELECT is_due FROM due) ORDER BY priority DESC LIMIT 1),
  turn AS MATERIALIZED (
    SELECT coalesce((SELECT project FROM claim_turns WHERE claim_turns.priority = (SELECT priority FROM urgent)), '') AS project),
  next AS MATERIALIZED (
    SELECT job_no FROM study_jobs
     WHERE state = 'queued' AND priority = (SELECT priority FROM urgent) AND project > (SELECT project FROM turn)
     ORDER BY project, job_no LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED),
  first AS MATERIALIZED (
    SELECT job_no FROM study_jobs
     WHERE state = 'queued' AND priority = (SELECT priority FROM urgent) AND NOT EXISTS (SELECT 1 FROM next)
     ORDER BY project, job_no LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED),
  other AS MATERIALIZED (
    SELECT job_no FROM study_jobs
     WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM next) AND NOT EXISTS (SELECT 1 FROM first)
       AND NOT (SELECT is_due FROM due)
     ORDER BY priority DESC, project, job_no LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED),
  taken AS (
    UPDATE study_jobs SET state = 'running', lease_token = :token, lease_until = :leaseUntil, code = NULL
     WHERE job_no = coalesce((SELECT job_no FROM next), (SELECT job_no FROM first), (SELECT job_no FROM other))
    RETURNING job_no, ${JOB_COLUMNS}),
  free AS (
    SELECT claim_turns.priority FROM claim_turns
     WHERE claim_turns.priority = (SELECT priority FROM taken) AND project <> (SELECT project FROM taken)
       FOR NO KEY UPDATE SKIP LOCKED),
  moved AS (
    UPDATE claim_turns SET project = taken.project FROM taken, free WHERE claim_turns.priority = free.priority),
  begun AS (
    INSERT INTO claim_turns (priority, project)
    SELECT priority, project FROM taken WHERE NOT EXISTS (SELECT 1 FROM claim_turns WHERE priority = taken.priority)
        ON CONFLICT DO NOTHING),
  attempt AS (
    INSERT INTO job_attempts (job_no, lease_token, worker, started_at) SELECT job_no, :token, :worker, :nowMs FROM taken),
  worker AS (
    INSERT INTO workers (name, claims, last_claim_at) SELECT :worker, 1, :nowMs FROM taken
        ON CONFLICT (name) DO UPDATE SET claims = workers.claims + 1, last_claim_at = excluded.last_claim_at)
  SELECT due.is_due AS isDue, taken.* FROM due LEFT JOIN taken ON true`;

/** The end of a job without anything else to write, in one round trip. Answers nothing when there is more to do, or the lease is gone. */
const SETTLE_AT_ONCE = `
  WITH held AS (
    SELECT job_no FROM study_jobs
     WHERE id = :id AND lease_token = :token AND state = 'running' AND widened = 0 FOR NO KEY UPDATE),
  settled AS (
    UPDATE study_jobs
       SET state = :state, code = :code, due_at = :dueAt, attempts = :attempts, finished_at = :finishedAt, lease_token = NULL,
           lease_until = NULL
      FROM held WHERE study_jobs.job_no = held.job_no),
  ended AS (
    UPDATE job_attempts SET ended_at = :nowMs, outcome = CAST(:state AS TEXT), code = CAST(:code AS TEXT)
      FROM held WHERE job_attempts.job_no = held.job_no AND ended_at IS NULL)
  SELECT job_no AS jobNo FROM held`;

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
  changesUpTo: `
    SELECT change_no AS changeNo, ${JOB_COLUMNS} FROM job_changes JOIN study_jobs USING (job_no)
     WHERE change_no > :after AND change_no <= :last ORDER BY change_no LIMIT :limit`,
  claimAtOnce: CLAIM,
  settleAtOnce: SETTLE_AT_ONCE,
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
