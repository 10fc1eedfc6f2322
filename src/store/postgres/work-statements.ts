import { HELD_WHEN_SETTLED, JOB_COLUMNS } from "../sql/job-statements.ts";

/** What is due for anybody, of the priority that is looked at. */
const OF_PRIORITY = "state = 'queued' AND held_by IS NULL AND priority = (SELECT priority FROM urgent)";

/** The projects that have something due at the priority, one after the other, as far as so many claims can need them. */
function projects(bound: string): string {
  return `
    SELECT (SELECT first.project FROM study_jobs AS first WHERE ${OF_PRIORITY} AND ${bound.replaceAll("@", "first.project")}
             ORDER BY first.project LIMIT 1) AS project, 1 AS place
    UNION ALL
    SELECT (SELECT next.project FROM study_jobs AS next
             WHERE ${OF_PRIORITY} AND next.project > found.project AND ${bound.replaceAll("@", "next.project")}
             ORDER BY next.project LIMIT 1), place + 1
      FROM found WHERE found.project IS NOT NULL AND place < :wanted`;
}

/**
 * Claims of several workers of one node in one round trip: `workers` and `tokens` are lists of as many names, `wanted` their number.
 * Projects have turns round about as they have when one claims after the other; of equally urgent jobs those come first that the node has on
 * its disk, and none that another has on its. It takes nothing while something is to be woken first (`isWoken` says that this was done), and
 * goes around jobs that others are taking at this moment. Who finds the turn of its priority held leaves it: another claim is moving it on.
 */
const CLAIM_TOGETHER = `
  WITH due AS MATERIALIZED (
    SELECT :isWoken = 0 AND (
      EXISTS (SELECT 1 FROM study_jobs WHERE state = 'waiting' AND due_at <= :nowMs)
      OR EXISTS (SELECT 1 FROM study_jobs WHERE state = 'running' AND lease_until <= :nowMs)) AS is_due),
  urgent AS MATERIALIZED (
    SELECT priority FROM study_jobs
     WHERE state = 'queued' AND held_by IS NULL AND NOT (SELECT is_due FROM due) ORDER BY priority DESC LIMIT 1),
  own AS MATERIALIZED (
    SELECT job_no FROM study_jobs
     WHERE state = 'queued' AND held_by = :node AND priority >= coalesce((SELECT priority FROM urgent), 0)
       AND NOT (SELECT is_due FROM due)
     ORDER BY priority DESC, project, job_no LIMIT :wanted FOR NO KEY UPDATE SKIP LOCKED),
  turn AS MATERIALIZED (
    SELECT coalesce((SELECT project FROM claim_turns WHERE claim_turns.priority = (SELECT priority FROM urgent)), '') AS project),
  after_turn AS (
    WITH RECURSIVE found AS (${projects("@ > (SELECT project FROM turn)")})
    SELECT project, place FROM found WHERE project IS NOT NULL),
  before_turn AS (
    WITH RECURSIVE found AS (${projects("@ <= (SELECT project FROM turn)")})
    SELECT project, place FROM found WHERE project IS NOT NULL),
  turns AS MATERIALIZED (
    SELECT project, row_number() OVER (ORDER BY lap, place) AS place
      FROM (SELECT project, place, 1 AS lap FROM after_turn UNION ALL SELECT project, place, 2 FROM before_turn) AS laps
     ORDER BY lap, place LIMIT :wanted),
  shares AS MATERIALIZED (
    SELECT share.job_no, turns.place, row_number() OVER (PARTITION BY turns.place ORDER BY share.job_no) AS round
      FROM turns CROSS JOIN LATERAL (
        SELECT job_no FROM study_jobs
         WHERE ${OF_PRIORITY} AND study_jobs.project = turns.project ORDER BY job_no
         LIMIT (:wanted + (SELECT count(*) FROM turns) - 1) / (SELECT count(*) FROM turns)
           FOR NO KEY UPDATE SKIP LOCKED) AS share),
  other AS MATERIALIZED (
    SELECT job_no FROM study_jobs
     WHERE state = 'queued' AND held_by IS NULL AND NOT EXISTS (SELECT 1 FROM own) AND NOT EXISTS (SELECT 1 FROM shares)
       AND NOT (SELECT is_due FROM due)
     ORDER BY priority DESC, project, job_no LIMIT :wanted FOR NO KEY UPDATE SKIP LOCKED),
  chosen AS MATERIALIZED (
    SELECT job_no, row_number() OVER (ORDER BY source, round, place) AS number, source
      FROM (SELECT job_no, 1 AS source, 0 AS round, row_number() OVER () AS place FROM own
            UNION ALL SELECT job_no, 2, round, place FROM shares
            UNION ALL SELECT job_no, 3, 0, row_number() OVER () FROM other) AS candidates),
  callers AS MATERIALIZED (
    SELECT names.value AS name, secrets.value AS token, number
      FROM json_array_elements_text(CAST(:workers AS json)) WITH ORDINALITY AS names (value, number)
      JOIN json_array_elements_text(CAST(:tokens AS json)) WITH ORDINALITY AS secrets (value, number) USING (number)),
  taken AS (
    UPDATE study_jobs
       SET state = 'running', lease_until = :leaseUntil, code = NULL,
           lease_token = (SELECT callers.token FROM callers JOIN chosen USING (number) WHERE chosen.job_no = study_jobs.job_no)
     WHERE job_no = ANY (ARRAY(SELECT chosen.job_no FROM chosen WHERE number <= :wanted))
    RETURNING job_no, lease_token, ${JOB_COLUMNS}),
  last_turn AS MATERIALIZED (
    SELECT taken.priority, taken.project FROM chosen JOIN taken USING (job_no) WHERE source > 1 ORDER BY number DESC LIMIT 1),
  free AS (
    SELECT claim_turns.priority FROM claim_turns
     WHERE claim_turns.priority = (SELECT priority FROM last_turn) AND project <> (SELECT project FROM last_turn)
       FOR NO KEY UPDATE SKIP LOCKED),
  moved AS (
    UPDATE claim_turns SET project = last_turn.project FROM last_turn, free WHERE claim_turns.priority = free.priority),
  begun AS (
    INSERT INTO claim_turns (priority, project)
    SELECT priority, project FROM last_turn
     WHERE NOT EXISTS (SELECT 1 FROM claim_turns WHERE priority = last_turn.priority)
        ON CONFLICT DO NOTHING),
  attempts AS (
    INSERT INTO job_attempts (job_no, lease_token, worker, started_at)
    SELECT job_no, lease_token, name, :nowMs FROM taken JOIN callers ON callers.token = taken.lease_token),
  counted AS (
    INSERT INTO workers (name, claims, last_claim_at)
    SELECT name, count(*), :nowMs FROM taken JOIN callers ON callers.token = taken.lease_token GROUP BY name ORDER BY name
        ON CONFLICT (name) DO UPDATE SET claims = workers.claims + excluded.claims, last_claim_at = excluded.last_claim_at)
  SELECT due.is_due AS isDue, taken.* FROM due LEFT JOIN taken ON true`;

const HELD_AFTERWARDS = HELD_WHEN_SETTLED.replaceAll(
  /CAST\(:(state|code) AS TEXT\)/g,
  "(SELECT told.$1 FROM told WHERE told.job_no = study_jobs.job_no)",
);

/**
 * Ends of jobs without anything else to write, in one round trip. `outcomes` is a list of objects. Answers the tokens of those that it ended:
 * of the others the lease is gone, or there is more to do. Each is found by its id: the index of what runs (`state` alone would have it) is full
 * of rows that ran.
 */
const SETTLE_TOGETHER = `
  WITH told AS MATERIALIZED (
    SELECT job.job_no, token, state, code, due_at, attempts, finished_at
      FROM json_to_recordset(CAST(:outcomes AS json))
           AS outcome (id TEXT, token TEXT, state TEXT, code TEXT, due_at BIGINT, attempts BIGINT, finished_at BIGINT)
     CROSS JOIN LATERAL (
        SELECT job_no FROM study_jobs
         WHERE study_jobs.id = outcome.id AND lease_token = outcome.token AND study_jobs.state || '' = 'running' AND widened = 0
           FOR NO KEY UPDATE) AS job),
  settled AS (
    UPDATE study_jobs
       SET (state, code, due_at, attempts, finished_at) =
             (SELECT told.state, told.code, told.due_at, told.attempts, told.finished_at FROM told WHERE told.job_no = study_jobs.job_no),
           lease_token = NULL, lease_until = NULL, ${HELD_AFTERWARDS}
     WHERE job_no = ANY (ARRAY(SELECT told.job_no FROM told))),
  ended AS (
    UPDATE job_attempts SET ended_at = :nowMs,
           (outcome, code) = (SELECT told.state, told.code FROM told WHERE told.job_no = job_attempts.job_no)
     WHERE job_no = ANY (ARRAY(SELECT told.job_no FROM told)) AND ended_at IS NULL)
  SELECT token FROM told`;

/** Rows that make jobs of their own, with all that belongs to them, in one round trip. `rows` is a list of objects, in order. */
const INSERT_TOGETHER = `
  WITH told AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(:rows AS json))
      AS told_row (row_number BIGINT, id TEXT, key TEXT, study_instance_uid TEXT, patient_id TEXT, accession_number TEXT,
                   series_instance_uids TEXT, participant_id TEXT, priority BIGINT, cells TEXT)),
  requested AS (
    INSERT INTO requests (cohort_no, row_number, study_instance_uid, patient_id, accession_number, series_instance_uids,
                          participant_id, priority, cells)
    SELECT :cohortNo, row_number, study_instance_uid, patient_id, accession_number, series_instance_uids, participant_id, priority, cells
      FROM told ORDER BY row_number
    RETURNING request_no, row_number),
  made AS (
    INSERT INTO study_jobs (id, project, study_instance_uid, patient_id, accession_number, series_instance_uids,
                            participant_id, priority, stage, state, code, due_at, created_at)
    SELECT id, :project, study_instance_uid, patient_id, accession_number, series_instance_uids, participant_id, priority, 'locating',
           CAST(:state AS TEXT), CAST(:code AS TEXT), CAST(:startAtMs AS BIGINT), :nowMs
      FROM told ORDER BY row_number
    RETURNING job_no, id),
  keyed AS (
    INSERT INTO study_keys (project, key, job_no) SELECT :project, key, job_no FROM told JOIN made USING (id)),
  linked AS (
    INSERT INTO request_jobs (request_no, job_no)
    SELECT request_no, job_no FROM told JOIN made USING (id) JOIN requested USING (row_number))
  INSERT INTO cohort_jobs (cohort_no, job_no, state, code)
  SELECT :cohortNo, job_no, CAST(:state AS TEXT), CAST(:code AS TEXT) FROM made`;

export const workStatements = {
  insertTogether: INSERT_TOGETHER,
  claimTogether: CLAIM_TOGETHER,
  settleTogether: SETTLE_TOGETHER,
} as const;
