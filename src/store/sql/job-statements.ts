import { JOB_STATES, RETRYABLE_STATES } from "../job-states.ts";

/** The columns of a job as its record names them. */
export const JOB_COLUMNS = `
  id, project, study_instance_uid AS studyInstanceUid, patient_id AS patientId, accession_number AS accessionNumber,
  series_instance_uids AS seriesInstanceUids, participant_id AS participantId, priority, stage, state, code, verdict, archive,
  expected, received, excluded, delivered, attempts, due_at AS waitingUntilMs, pseudonym,
  pseudo_study_instance_uid AS pseudoStudyInstanceUid, created_at AS createdAtMs, finished_at AS finishedAtMs`;

const quoted = (states: Iterable<string>): string => [...states].map((state) => `'${state}'`).join(", ");

/** What stands between the parentheses of `state IN (…)`. */
export const NOT_DONE = quoted(Object.entries(JOB_STATES).flatMap(([state, { done }]) => (done ? [] : [state])));
const RETRYABLE = quoted(RETRYABLE_STATES);

/** A wider wish came while it ran: it begins again where instances are fetched. Stands before `widened` is cleared. */
const TAKE_UP_WIDER =
  "stage = CASE WHEN widened = 1 AND stage <> 'locating' THEN 'retrieving' ELSE stage END, widened = 0";

/** The node on whose disk what was sent unasked lies; NULL where the store is one node's own. */
const INTAKE_NODE = `(
  SELECT intake_studies.node FROM intake_studies
   WHERE intake_studies.study_instance_uid = study_jobs.study_instance_uid AND intake_studies.project = study_jobs.project
     AND intake_studies.state <> 'discarded')`;

/** The node that has worked on it till now. */
const OWN_NODE = `(
  SELECT nodes.name FROM job_attempts JOIN nodes ON substr(job_attempts.worker, 1, length(nodes.name) + 1) = nodes.name || '/'
   WHERE job_attempts.job_no = study_jobs.job_no AND job_attempts.ended_at IS NULL LIMIT 1)`;

/** A study that waits stays with the node that has some of it on its disk. */
export const HELD_WHEN_SETTLED = `
  held_by = CASE WHEN CAST(:state AS TEXT) <> 'waiting' THEN NULL
                 WHEN CAST(:code AS TEXT) = 'STUDY_ON_OTHER_NODE' THEN ${INTAKE_NODE}
                 WHEN received > 0 THEN coalesce(${OWN_NODE}, held_by) ELSE held_by END`;

/** It lies on its node's disk alone: nobody can be asked for it again. */
const IS_SENT = `EXISTS (
  SELECT 1 FROM intake_studies
   WHERE intake_studies.study_instance_uid = study_jobs.study_instance_uid AND intake_studies.project = study_jobs.project
     AND intake_studies.state <> 'discarded' AND intake_studies.node = study_jobs.held_by)`;

const HELD_BY_SILENT = `
  state = 'queued' AND held_by IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.name = study_jobs.held_by AND nodes.seen_at > :seenAfterMs)`;

/** Starts a job over: its ledger stays, as what was received need not be fetched again. */
const START_OVER = `
  state = 'queued', stage = 'locating', attempts = 0, code = NULL, verdict = NULL, archive = NULL, expected = NULL, due_at = NULL,
  lease_token = NULL, lease_until = NULL, finished_at = NULL, widened = 0, release_no = NULL,
  held_by = ${INTAKE_NODE}`;

/** Statements that write jobs. Those of a worker hold only while the lease is the job's: a late writer changes no row. */
export const jobStatements = {
  insertJob: `
    INSERT INTO study_jobs (id, project, study_instance_uid, patient_id, accession_number, series_instance_uids,
                            participant_id, priority, stage, state, archive, created_at, held_by)
    VALUES (:id, :project, :studyInstanceUid, :patientId, :accessionNumber, :seriesInstanceUids,
            :participantId, :priority, :stage, 'queued', :archive, :nowMs,
            (SELECT node FROM intake_studies
              WHERE study_instance_uid = :studyInstanceUid AND intake_studies.project = :project AND state <> 'discarded'))
    RETURNING job_no AS jobNo`,
  insertKey: "INSERT INTO study_keys (project, key, job_no) VALUES (:project, :key, :jobNo) ON CONFLICT DO NOTHING",
  jobsOfKey: "SELECT job_no AS jobNo FROM study_keys WHERE project = :project AND key = :key",
  knownKeys: "SELECT key FROM study_keys WHERE project = :project AND key IN (SELECT value FROM json_each(:keys))",
  /** What rows that name the study by its UID say of it besides, the latest first, and whether it ended by a disagreement since they came. */
  claimsOfJob: `
    SELECT requests.patient_id AS patientId, requests.accession_number AS accessionNumber,
           cohorts.submitted_at <= coalesce((SELECT max(ended_at) FROM job_attempts
                                              WHERE job_no = :jobNo AND code = 'STUDY_KEYS_DISAGREE'), -1) AS answered
      FROM request_jobs
      JOIN requests ON requests.request_no = request_jobs.request_no
      JOIN cohorts ON cohorts.cohort_no = requests.cohort_no
     WHERE request_jobs.job_no = :jobNo AND requests.study_instance_uid IS NOT NULL
     ORDER BY request_jobs.request_no DESC LIMIT :limit`,
  /** Nothing was made of the study by what the earlier rows said of it. */
  replaceClaim: `
    UPDATE study_jobs SET patient_id = :patientId, accession_number = :accessionNumber, participant_id = :participantId
     WHERE job_no = :jobNo`,
  jobOfStudy:
    "SELECT job_no AS jobNo FROM study_jobs WHERE study_instance_uid = :studyInstanceUid AND project = :project",
  keysOfJob: "SELECT key FROM study_keys WHERE job_no = :jobNo",
  jobByNumber: `SELECT job_no AS jobNo, widened, ${JOB_COLUMNS} FROM study_jobs WHERE job_no = :jobNo`,

  /** A row that joins: the higher priority counts, and what the job does not know yet is taken from it. */
  joinJob: `
    UPDATE study_jobs
       SET priority = CASE WHEN priority < :priority THEN :priority ELSE priority END, participant_id = coalesce(participant_id, :participantId),
           patient_id = coalesce(patient_id, :patientId), accession_number = coalesce(accession_number, :accessionNumber)
     WHERE job_no = :jobNo`,
  /** More series than before. What is quarantined finds out when it is released; what is under way finds out at its end; what waits goes back to where instances are fetched. */
  widenSeries: `
    UPDATE study_jobs
       SET series_instance_uids = :seriesInstanceUids,
           widened = CASE WHEN state IN ('running', 'quarantined') THEN 1 ELSE widened END,
           stage = CASE WHEN state IN ('queued', 'waiting') AND stage <> 'locating' THEN 'retrieving' ELSE stage END
     WHERE job_no = :jobNo`,
  startOver: `UPDATE study_jobs SET ${START_OVER} WHERE job_no = :jobNo`,
  scheduleStart: `
    UPDATE study_jobs SET state = 'waiting', code = 'START_SCHEDULED', due_at = :startAtMs
     WHERE job_no = :jobNo AND state = 'queued'`,
  /** Somebody wants it earlier than who had asked for it before. */
  startEarlier: `
    UPDATE study_jobs SET due_at = CASE WHEN due_at > :startAtMs THEN :startAtMs ELSE due_at END
     WHERE job_no = :jobNo AND state = 'waiting' AND code = 'START_SCHEDULED'`,

  /** Why it waited is over: who looks at the queue would take the code for what holds it up now. */
  wakeWaiting: `
    UPDATE study_jobs INDEXED BY study_jobs_waiting SET state = 'queued', code = NULL, due_at = NULL
     WHERE state = 'waiting' AND due_at <= :nowMs`,
  wakeAbandoned: `
    UPDATE study_jobs INDEXED BY study_jobs_leased
       SET state = 'queued', lease_token = NULL, lease_until = NULL, ${TAKE_UP_WIDER}
     WHERE state = 'running' AND lease_until <= :nowMs RETURNING job_no AS jobNo`,
  /** Waiting rows are not in `study_jobs_due`, so a long back-off list costs nothing here. */
  mostUrgent: `
    SELECT priority, (SELECT project FROM claim_turns WHERE claim_turns.priority = study_jobs.priority) AS lastProject
      FROM study_jobs INDEXED BY study_jobs_due WHERE state = 'queued' ORDER BY priority DESC LIMIT 1`,
  /** The oldest job of the project that comes after the one which had the last turn; after the last of them, of the first. */
  claim: `
    UPDATE study_jobs SET state = 'running', lease_token = :token, lease_until = :leaseUntil, code = NULL
     WHERE job_no = coalesce(
       (SELECT job_no FROM study_jobs INDEXED BY study_jobs_due
         WHERE state = 'queued' AND priority = :priority AND project > :lastProject ORDER BY project, job_no LIMIT 1),
       (SELECT job_no FROM study_jobs INDEXED BY study_jobs_due
         WHERE state = 'queued' AND priority = :priority ORDER BY project, job_no LIMIT 1))
    RETURNING job_no AS jobNo, ${JOB_COLUMNS}`,
  recordTurn: `
    INSERT INTO claim_turns (priority, project) VALUES (:priority, :project)
    ON CONFLICT (priority) DO UPDATE SET project = excluded.project`,
  recordAttempt:
    "INSERT INTO job_attempts (job_no, lease_token, worker, started_at) VALUES (:jobNo, :token, :worker, :nowMs)",
  endAttempt: `
    UPDATE job_attempts SET ended_at = :nowMs, outcome = :outcome, code = :code
     WHERE job_no = :jobNo AND ended_at IS NULL`,
  recordWorker: `
    INSERT INTO workers (name, claims, last_claim_at) VALUES (:worker, 1, :nowMs)
    ON CONFLICT (name) DO UPDATE SET claims = workers.claims + 1, last_claim_at = excluded.last_claim_at`,
  nextDue: `
    SELECT min(at) AS at FROM (
      SELECT min(due_at) AS at FROM study_jobs INDEXED BY study_jobs_waiting WHERE state = 'waiting'
      UNION ALL
      SELECT min(lease_until) FROM study_jobs INDEXED BY study_jobs_leased WHERE state = 'running') AS times`,
  renew:
    "UPDATE study_jobs SET lease_until = :leaseUntil WHERE id = :id AND lease_token = :token AND state = 'running'",
  leased:
    "SELECT job_no AS jobNo, widened FROM study_jobs WHERE id = :id AND lease_token = :token AND state = 'running'",
  releaseLeases: `
    UPDATE study_jobs INDEXED BY study_jobs_leased
       SET state = 'queued', lease_token = NULL, lease_until = NULL, ${TAKE_UP_WIDER}
     WHERE state = 'running' RETURNING job_no AS jobNo`,

  releaseLeasesOf: `
    UPDATE study_jobs INDEXED BY study_jobs_leased
       SET state = 'queued', lease_token = NULL, lease_until = NULL, ${TAKE_UP_WIDER},
           held_by = CASE WHEN received > 0 THEN CAST(:node AS TEXT) ELSE held_by END
     WHERE state = 'running'
       AND EXISTS (SELECT 1 FROM job_attempts AS own WHERE own.job_no = study_jobs.job_no
                    AND own.lease_token = study_jobs.lease_token AND substr(own.worker, 1, length(:workers)) = :workers)
    RETURNING job_no AS "jobNo"`,

  /** What waited for a node that works again. */
  wakeHeldBy: `
    UPDATE study_jobs INDEXED BY study_jobs_waiting SET state = 'queued', code = NULL, due_at = NULL
     WHERE state = 'waiting' AND code = 'STUDY_ON_OTHER_NODE' AND held_by = :node`,
  /** What a node has that gave no sign: fetched again by another one, or waited for. */
  parkHeld: `
    UPDATE study_jobs INDEXED BY study_jobs_held SET state = 'waiting', code = 'STUDY_ON_OTHER_NODE', due_at = :dueAt
     WHERE ${HELD_BY_SILENT} AND ${IS_SENT}`,
  freeHeld: `UPDATE study_jobs INDEXED BY study_jobs_held SET held_by = NULL WHERE ${HELD_BY_SILENT}`,
  /** Of a node that ends in order. */
  freeHeldBy: `
    UPDATE study_jobs INDEXED BY study_jobs_held SET held_by = NULL
     WHERE state = 'queued' AND held_by = :node AND NOT ${IS_SENT}`,

  /** `set…` says whether a nullable column is written at all. */
  changeJob: `
    UPDATE study_jobs
       SET stage = coalesce(:stage, stage),
           archive = CASE WHEN :setArchive THEN :archive ELSE archive END,
           verdict = CASE WHEN :setVerdict THEN :verdict ELSE verdict END,
           expected = CASE WHEN :setExpected THEN :expected ELSE expected END,
           code = CASE WHEN :setCode THEN :code ELSE code END,
           pseudonym = coalesce(:pseudonym, pseudonym),
           pseudo_study_instance_uid = coalesce(:pseudoStudyInstanceUid, pseudo_study_instance_uid)
     WHERE job_no = :jobNo`,
  settle: `
    UPDATE study_jobs
       SET state = :state, code = :code, due_at = :dueAt, attempts = :attempts, finished_at = :finishedAt,
           lease_token = NULL, lease_until = NULL, ${TAKE_UP_WIDER}, ${HELD_WHEN_SETTLED}
     WHERE job_no = :jobNo`,
  locate: `
    UPDATE study_jobs
       SET study_instance_uid = :studyInstanceUid, patient_id = coalesce(:patientId, patient_id),
           accession_number = coalesce(:accessionNumber, accession_number), archive = :archive
     WHERE job_no = :jobNo`,

  copyRequests: `
    INSERT INTO request_jobs (request_no, job_no)
    SELECT request_no, CAST(:to AS BIGINT) FROM request_jobs WHERE job_no = :from ON CONFLICT DO NOTHING`,
  copyCohorts: `
    INSERT INTO cohort_jobs (cohort_no, job_no, state, code)
    SELECT held.cohort_no, study_jobs.job_no, CASE study_jobs.state WHEN 'running' THEN 'queued' ELSE study_jobs.state END,
           study_jobs.code
      FROM cohort_jobs AS held CROSS JOIN study_jobs ON study_jobs.job_no = :to WHERE held.job_no = :from
       AND NOT EXISTS (SELECT 1 FROM cohort_jobs WHERE cohort_no = held.cohort_no AND job_no = :to)`,
  unlinkRequests: "DELETE FROM request_jobs WHERE job_no = :jobNo",
  unlinkCohorts: "DELETE FROM cohort_jobs WHERE job_no = :jobNo",
  deleteKeys: "DELETE FROM study_keys WHERE job_no = :jobNo",
  deleteEvents: "DELETE FROM job_events WHERE job_no = :jobNo",
  deleteAttempts: "DELETE FROM job_attempts WHERE job_no = :jobNo",
  deleteInstances: "DELETE FROM instances WHERE job_no = :jobNo",
  deleteReleases: "DELETE FROM releases WHERE job_no = :jobNo",
  deleteDeliveries: "DELETE FROM deliveries WHERE job_no = :jobNo",
  hasDelivered: `
    SELECT delivered > 0 OR EXISTS (SELECT 1 FROM deliveries WHERE job_no = :jobNo) AS answer
      FROM study_jobs WHERE job_no = :jobNo`,
  deleteJob: "DELETE FROM study_jobs WHERE job_no = :jobNo",
  recordDissolved: "INSERT INTO dissolved_jobs (id, dissolved_no, job_no) VALUES (:id, :from, :to)",
  /** Jobs that were dissolved into one which is now dissolved itself. */
  forwardDissolved: "UPDATE dissolved_jobs SET job_no = :to WHERE job_no = :from",

  insertEvent: "INSERT INTO job_events (job_no, at, event, detail) VALUES (:jobNo, :nowMs, :event, :detail)",
  /** The first time counts: a step that is done again changes nothing. */
  ledgerExpected: `
    INSERT INTO instances (job_no, sop_instance_uid, series_instance_uid, expected_at)
    VALUES (:jobNo, :sopInstanceUid, :seriesInstanceUid, :nowMs)
    ON CONFLICT (job_no, sop_instance_uid) DO UPDATE SET expected_at = excluded.expected_at WHERE instances.expected_at IS NULL`,
  ledgerReceived: `
    INSERT INTO instances (job_no, sop_instance_uid, series_instance_uid, received_at)
    VALUES (:jobNo, :sopInstanceUid, :seriesInstanceUid, :nowMs)
    ON CONFLICT (job_no, sop_instance_uid) DO UPDATE SET received_at = excluded.received_at WHERE instances.received_at IS NULL`,
  /** What a destination already holds cannot be left out any more; what is left out has no de-identified copy. */
  ledgerExcluded: `
    UPDATE instances
       SET excluded_at = CASE WHEN delivered_at IS NULL THEN coalesce(excluded_at, :nowMs) END,
           reason = CASE WHEN delivered_at IS NULL THEN :reason END,
           reason_detail = CASE WHEN delivered_at IS NULL THEN :detail END,
           deidentified_at = CASE WHEN delivered_at IS NULL THEN NULL ELSE deidentified_at END,
           pseudo_sop_instance_uid = CASE WHEN delivered_at IS NULL THEN NULL ELSE pseudo_sop_instance_uid END,
           sha256 = CASE WHEN delivered_at IS NULL THEN NULL ELSE sha256 END
     WHERE job_no = :jobNo AND sop_instance_uid = :sopInstanceUid`,
  /** A later try under other rules may let through what an earlier one left out. */
  ledgerDeidentified: `
    UPDATE instances
       SET deidentified_at = coalesce(deidentified_at, :nowMs), pseudo_sop_instance_uid = :pseudoSopInstanceUid,
           sha256 = :sha256, excluded_at = NULL, reason = NULL, reason_detail = NULL
     WHERE job_no = :jobNo AND sop_instance_uid = :sopInstanceUid`,
  ledgerDelivered: `
    UPDATE instances SET delivered_at = coalesce(delivered_at, :nowMs), excluded_at = NULL, reason = NULL,
           reason_detail = NULL
     WHERE job_no = :jobNo AND sop_instance_uid = :sopInstanceUid`,
  recordDelivery: `
    INSERT INTO deliveries (job_no, project, destination, state, instances, code, proof, changed_at)
    VALUES (:jobNo, (SELECT project FROM study_jobs WHERE job_no = :jobNo), :destination, :state, :instances, :code, :proof, :nowMs)
    ON CONFLICT (job_no, destination) DO UPDATE
      SET state = excluded.state, instances = excluded.instances, code = excluded.code, proof = excluded.proof,
          changed_at = excluded.changed_at`,

  insertRelease: `
    INSERT INTO releases (job_no, at, actor, reason, leave_out, allow_tags)
    VALUES (:jobNo, :nowMs, :actor, :reason, :leaveOut, :allowTags) RETURNING release_no AS releaseNo`,
  /** Its instances are staged, or are fetched again by the step itself, unless it is to have more of them. */
  releaseJob: `
    UPDATE study_jobs
       SET state = 'queued', stage = CASE WHEN widened = 1 THEN 'retrieving' ELSE 'deidentifying' END, widened = 0,
           attempts = 0, code = NULL, finished_at = NULL, release_no = :releaseNo, held_by = ${INTAKE_NODE}
     WHERE job_no = :jobNo`,
  deliveredJob: "SELECT job_no AS jobNo FROM study_jobs WHERE job_no = :jobNo AND state = 'delivered'",
  quarantinedJob: "SELECT job_no AS jobNo FROM study_jobs WHERE job_no = :jobNo AND state = 'quarantined'",
  releaseOfJob: `
    SELECT at AS atMs, actor, reason, leave_out AS leaveOut, allow_tags AS allowTags
      FROM releases WHERE release_no = (SELECT release_no FROM study_jobs WHERE job_no = :jobNo)`,

  retryableJob: `SELECT job_no AS jobNo FROM study_jobs WHERE job_no = :jobNo AND state IN (${RETRYABLE})`,
  retryableOfCohort: `
    SELECT job_no AS jobNo FROM cohort_jobs WHERE cohort_no = :cohortNo AND state IN (${RETRYABLE})`,
  cancelJob: `
    UPDATE study_jobs
       SET state = 'cancelled', code = 'CANCELLED', due_at = NULL, lease_token = NULL, lease_until = NULL,
           finished_at = :nowMs, widened = 0, release_no = NULL
     WHERE job_no = :jobNo`,
  markCohortCancelled: "UPDATE cohorts SET cancelled_at = :nowMs WHERE cohort_no = :cohortNo",
  markCohortWanted: "UPDATE cohorts SET cancelled_at = NULL WHERE cohort_no = :cohortNo",
  setPriority: "UPDATE study_jobs SET priority = :priority WHERE job_no = :jobNo",
  prioritisableJob: `
    SELECT job_no AS jobNo, priority FROM study_jobs
     WHERE job_no = :jobNo AND state IN (${NOT_DONE}) AND priority <> :priority`,
  /** Another cohort's wish holds: what it wants too is not made less urgent. */
  prioritisableOfCohort: `
    SELECT own.job_no AS jobNo, study_jobs.priority AS priority
      FROM cohort_jobs AS own CROSS JOIN study_jobs ON study_jobs.job_no = own.job_no
     WHERE own.cohort_no = :cohortNo AND own.state IN (${NOT_DONE}) AND study_jobs.priority <> :priority
       AND (study_jobs.priority < :priority
            OR NOT EXISTS (SELECT 1 FROM cohort_jobs AS other CROSS JOIN cohorts USING (cohort_no)
                            WHERE other.job_no = own.job_no AND other.cohort_no <> :cohortNo AND cancelled_at IS NULL))`,
  /** One that waits for a person may be one that nobody wants. */
  cancellableJob: `
    SELECT job_no AS jobNo FROM study_jobs WHERE job_no = :jobNo AND state IN (${NOT_DONE}, 'quarantined', 'held')`,
  /** Jobs that another cohort still wants are spared. */
  cancellableOfCohort: `
    SELECT job_no AS jobNo FROM cohort_jobs AS own
     WHERE own.cohort_no = :cohortNo AND own.state IN (${NOT_DONE})
       AND NOT EXISTS (SELECT 1 FROM cohort_jobs AS other CROSS JOIN cohorts USING (cohort_no)
                        WHERE other.job_no = own.job_no AND other.cohort_no <> :cohortNo AND cancelled_at IS NULL)`,
  /** At most one job of a study for each project. */
  studyIsNeeded: `
    SELECT EXISTS (SELECT 1 FROM study_jobs WHERE study_instance_uid = :studyInstanceUid AND state IN (${NOT_DONE})) AS needed`,
} as const;
