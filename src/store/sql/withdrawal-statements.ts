const COLUMNS = `withdrawal_no AS "number", project, digest, state, created_at AS "createdAtMs"`;
/** Of rows that a person handed in: the cells stay as many as the cohort has columns. */
const NOBODY = `
  study_instance_uid = NULL, patient_id = NULL, accession_number = NULL, series_instance_uids = NULL, participant_id = NULL,
  cells = '[]'`;

/** Each cell between commas, as in `,"P1","A1",`, and no blank. */
const CELLS = "replace(',' || substr(cells, 2, length(cells) - 2) || ',', ' ', '')";

export const withdrawalStatements = {
  insertWithdrawal: `
    INSERT INTO withdrawals (project, digest, state, created_at) VALUES (:project, :digest, 'open', :nowMs)
    ON CONFLICT (project, digest) DO NOTHING`,
  withdrawal: `SELECT ${COLUMNS} FROM withdrawals WHERE project = :project AND digest = :digest`,
  withdrawnDigests: "SELECT digest FROM withdrawals WHERE project = :project",
  withdrawalByNumber: `SELECT ${COLUMNS} FROM withdrawals WHERE withdrawal_no = :number`,
  openWithdrawals: `SELECT ${COLUMNS} FROM withdrawals WHERE state = 'open' ORDER BY withdrawal_no LIMIT :limit`,
  reopenWithdrawal: "UPDATE withdrawals SET state = 'open', finished_at = NULL WHERE withdrawal_no = :number",
  endWithdrawal: `
    UPDATE withdrawals SET state = 'done', finished_at = :nowMs WHERE withdrawal_no = :number AND state = 'open'`,

  jobsOfPatient: `SELECT job_no AS "jobNo" FROM study_jobs WHERE project = :project AND patient_id = :patientId`,
  withdrawableJob: `
    SELECT id AS job, study_instance_uid AS "studyInstanceUid", state, code, lease_until AS "leaseUntilMs", pseudonym,
           pseudo_study_instance_uid AS "pseudoStudyInstanceUid"
      FROM study_jobs WHERE job_no = :jobNo`,
  stopWithdrawnJob: `
    UPDATE study_jobs
       SET state = 'excluded', code = 'PATIENT_WITHDRAWN', due_at = NULL, lease_token = NULL, lease_until = NULL,
           finished_at = coalesce(finished_at, :nowMs), widened = 0, release_no = NULL
     WHERE job_no = :jobNo`,
  insertWithdrawnJob: `
    INSERT INTO withdrawn_jobs (withdrawal_no, job_no, quiet_at) VALUES (:number, :jobNo, :quietAtMs)
    ON CONFLICT (withdrawal_no, job_no) DO NOTHING`,
  withdrawnJobs: `
    SELECT withdrawn_jobs.job_no AS "jobNo", id AS job, study_instance_uid AS "studyInstanceUid", quiet_at AS "quietAtMs"
      FROM withdrawn_jobs JOIN study_jobs ON study_jobs.job_no = withdrawn_jobs.job_no WHERE withdrawal_no = :number`,
  digestWithdrawnStudy: `
    UPDATE withdrawn_jobs SET study_digest = :studyDigest
     WHERE withdrawal_no = :number AND job_no = (SELECT job_no FROM study_jobs WHERE id = :job)`,
  digestedJobs: `
    SELECT id AS job, study_digest AS "studyDigest"
      FROM withdrawn_jobs JOIN study_jobs ON study_jobs.job_no = withdrawn_jobs.job_no WHERE withdrawal_no = :number`,

  /** Of any project: a study is staged once for all. */
  workersOfStudy: `
    SELECT worker FROM study_jobs JOIN job_attempts ON job_attempts.job_no = study_jobs.job_no
     WHERE study_jobs.study_instance_uid = :studyInstanceUid`,
  workersOfJob: "SELECT worker FROM job_attempts WHERE job_no = :jobNo",
  insertWithdrawnPlace: `
    INSERT INTO withdrawn_places (withdrawal_no, node, state, changed_at) VALUES (:number, :node, 'stopping', :nowMs)
    ON CONFLICT (withdrawal_no, node) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at`,
  /** Of a node that was forgotten nobody waits for an answer. */
  askWithdrawnPlaces: `
    UPDATE withdrawn_places
       SET state = CASE WHEN EXISTS (SELECT 1 FROM forgotten_nodes WHERE name = withdrawn_places.node AND gone = 1)
                        THEN 'given-up' ELSE 'waiting' END,
           changed_at = :nowMs
     WHERE withdrawal_no = :number AND state = 'stopping'`,
  withdrawnPlaces: "SELECT node, state FROM withdrawn_places WHERE withdrawal_no = :number ORDER BY node",
  waitingPlacesOfNode: `
    SELECT withdrawn_places.withdrawal_no AS withdrawal, project, digest, node
      FROM withdrawn_places JOIN withdrawals ON withdrawals.withdrawal_no = withdrawn_places.withdrawal_no
     WHERE node = :node AND withdrawn_places.state = 'waiting' ORDER BY withdrawn_places.withdrawal_no LIMIT :limit`,
  settleWithdrawnPlace: `
    UPDATE withdrawn_places SET state = 'done', changed_at = :nowMs
     WHERE withdrawal_no = :number AND node = :node AND state = 'waiting'
       AND NOT EXISTS (SELECT 1 FROM intake_studies
                        WHERE intake_studies.state = 'discarded' AND intake_studies.code IS NULL
                          AND coalesce(intake_studies.node, :node) = :node)`,

  /** Those with a code were given up with their node, which may come back. */
  intakeOfPatient: `
    SELECT study_no AS "studyNo", CASE WHEN state = 'discarded' THEN 'given-up' ELSE state END AS state, project, node
      FROM intake_studies
     WHERE patient_id = :patientId AND (state <> 'discarded' OR code IS NOT NULL)`,
  heldIntakeOfPatient: `
    SELECT count(*) AS studies FROM intake_studies WHERE patient_id = :patientId AND state = 'held'`,
  discardUnasked: `
    UPDATE intake_studies SET state = 'discarded'
     WHERE study_instance_uid = :studyInstanceUid AND project = :project AND state = 'queued'`,
  withdrawIntake: `
    UPDATE intake_studies SET state = 'discarded', code = NULL, due_at = NULL WHERE study_no = :studyNo`,

  insertWithdrawnCopy: `
    INSERT INTO withdrawn_copies (withdrawal_no, job_no, pseudonym, pseudo_study, destination, state, changed_at)
    VALUES (:number, :jobNo, :pseudonym, :pseudoStudyInstanceUid, :destination, 'waiting', :nowMs)
    ON CONFLICT (withdrawal_no, pseudonym, pseudo_study, destination) DO NOTHING`,
  withdrawnCopies: `
    SELECT copy_no AS "number", study_jobs.id AS job, withdrawn_copies.pseudonym AS pseudonym,
           pseudo_study AS "pseudoStudyInstanceUid", destination, withdrawn_copies.state AS state, withdrawn_copies.code AS code
      FROM withdrawn_copies JOIN study_jobs ON study_jobs.job_no = withdrawn_copies.job_no
     WHERE withdrawal_no = :number ORDER BY withdrawn_copies.pseudonym, pseudo_study, destination`,
  settleWithdrawnCopy: `
    UPDATE withdrawn_copies SET state = :state, code = :code, changed_at = :nowMs WHERE copy_no = :copy`,

  forgetRequestsOfJob: `
    UPDATE requests SET ${NOBODY}
     WHERE request_no IN (SELECT request_no FROM request_jobs WHERE job_no = :jobNo)`,
  /** Rows that no job of the patient came of: the list of the project's cohorts leads to them. Of one that was refused there are the cells alone. */
  forgetRequestsOfPatient: `
    UPDATE requests SET ${NOBODY}
     WHERE cohort_no IN (SELECT cohort_no FROM cohorts WHERE project = :project)
       AND (patient_id = :patientId OR (refused_code IS NOT NULL AND replace(${CELLS}, :cell, '') <> ${CELLS}))`,
  forgetDeliveredOfJob: `
    DELETE FROM intake_delivered
     WHERE sop_instance_uid IN (SELECT instances.sop_instance_uid FROM instances WHERE instances.job_no = :jobNo)`,
  forgetStandingStudyOfJob: `
    DELETE FROM standing_studies
     WHERE (standing_no, study_instance_uid) IN (
             SELECT standing_no, study_instance_uid
               FROM study_jobs JOIN standing_cohorts ON standing_cohorts.project = study_jobs.project
              WHERE study_jobs.job_no = :jobNo)`,
  forgetIdentityOfJob: `
    UPDATE study_jobs
       SET study_instance_uid = NULL, patient_id = NULL, accession_number = NULL, series_instance_uids = NULL,
           participant_id = NULL
     WHERE job_no = :jobNo`,
} as const;
