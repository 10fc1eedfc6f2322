/** A node that is gone for good: what it held, and what lay on its disk alone. */
export const forgottenNodeStatements = {
  /** Heard of since then, or at its start this very moment: it holds its name. */
  nodeAtWork: `
    SELECT EXISTS (SELECT 1 FROM nodes WHERE name = :node AND seen_at > :seenAfterMs)
        OR EXISTS (SELECT 1 FROM permits WHERE resource = :resource AND until > :nowMs) AS "isAtWork"`,
  /** By anything that tells of it: a node that was silent for a day, or ended in order, stands in no list. */
  knownNode: `
    SELECT EXISTS (SELECT 1 FROM nodes WHERE name = :node)
        OR EXISTS (SELECT 1 FROM workers WHERE substr(name, 1, length(CAST(:workers AS TEXT))) = :workers)
        OR EXISTS (SELECT 1 FROM permits WHERE resource = :resource)
        OR EXISTS (SELECT 1 FROM forgotten_nodes WHERE name = :node)
        OR EXISTS (SELECT 1 FROM intake_studies WHERE state IN ('open', 'held', 'queued') AND node = :node) AS "isKnown"`,
  homeOfNode: "SELECT holder FROM permits WHERE resource = :resource LIMIT 1",
  forgetNode: `
    INSERT INTO forgotten_nodes (name, home, gone, forgotten_at) VALUES (:node, :home, 1, :nowMs)
    ON CONFLICT (name, home) DO UPDATE SET gone = 1, forgotten_at = excluded.forgotten_at`,
  isForgotten: "SELECT EXISTS (SELECT 1 FROM forgotten_nodes WHERE name = :node AND gone = 1) AS answer",

  giveUpPlaces: `
    UPDATE withdrawn_places SET state = 'given-up', changed_at = :nowMs WHERE node = :node AND state = 'waiting'`,
  intakeOfNode: `
    SELECT study_no AS "studyNo", study_instance_uid AS "studyInstanceUid", patient_id AS "patientId",
           accession_number AS "accessionNumber", project, rule, state, instances
      FROM intake_studies WHERE state IN ('open', 'held', 'queued') AND node = :node`,
  isOfCohort: "SELECT EXISTS (SELECT 1 FROM cohort_jobs WHERE job_no = :jobNo) AS answer",
  /** What the ledger does not know yet: it was never begun. */
  listLostInstances: `
    INSERT INTO instances (job_no, sop_instance_uid, series_instance_uid, expected_at)
    SELECT CAST(:jobNo AS BIGINT), sop_instance_uid, series_instance_uid, CAST(:nowMs AS BIGINT)
      FROM intake_instances WHERE study_no = :studyNo
    ON CONFLICT (job_no, sop_instance_uid) DO UPDATE SET expected_at = excluded.expected_at WHERE instances.expected_at IS NULL`,
  /** What was left out before keeps its reason. */
  loseInstances: `
    UPDATE instances
       SET excluded_at = :nowMs, reason = :code, reason_detail = NULL, deidentified_at = NULL, pseudo_sop_instance_uid = NULL,
           sha256 = NULL
     WHERE job_no = :jobNo AND delivered_at IS NULL AND excluded_at IS NULL
       AND sop_instance_uid IN (SELECT kept.sop_instance_uid FROM intake_instances AS kept WHERE kept.study_no = :studyNo)`,
  loseJob: `
    UPDATE study_jobs
       SET state = 'failed', code = :code, due_at = NULL, lease_token = NULL, lease_until = NULL, finished_at = :nowMs,
           widened = 0, release_no = NULL, held_by = NULL,
           expected = coalesce(expected, (SELECT count(*) FROM instances WHERE instances.job_no = study_jobs.job_no))
     WHERE job_no = :jobNo`,
  /** With a code its files are kept for the case that the node comes back. */
  giveUpIntake: `
    UPDATE intake_studies SET state = 'discarded', code = :code, due_at = NULL WHERE study_no = :studyNo`,
  discardedIntakeOfNode: `
    SELECT study_no AS "studyNo" FROM intake_studies WHERE state = 'discarded' AND code IS NULL AND node = :node`,
  /** Nothing but the names of the files: by them they are removed. */
  forgetWhoseIntake: `
    UPDATE intake_studies SET study_instance_uid = '', patient_id = '', accession_number = '' WHERE study_no = :studyNo`,
  forgetWhoseInstances: `
    UPDATE intake_instances SET sop_instance_uid = file, series_instance_uid = '' WHERE study_no = :studyNo`,

  /** Under its name somebody is at work again. */
  rememberNode: "UPDATE forgotten_nodes SET gone = 0 WHERE name = :node AND gone = 1",
  returnHome: "DELETE FROM forgotten_nodes WHERE name = :node AND home IN ('', :home)",
  reopenWithdrawalsOf: `
    UPDATE withdrawals SET state = 'open', finished_at = NULL
     WHERE withdrawal_no IN (SELECT withdrawal_no FROM withdrawn_places WHERE node = :node AND state = 'given-up')`,
  awaitPlacesAgain: `
    UPDATE withdrawn_places SET state = 'waiting', changed_at = :nowMs WHERE node = :node AND state = 'given-up'`,
  /** What was sent again elsewhere meanwhile is not wanted a second time. */
  dropSentAgain: `
    UPDATE intake_studies SET code = NULL
     WHERE state = 'discarded' AND code IS NOT NULL AND node = :node
       AND EXISTS (SELECT 1 FROM intake_studies AS other
                    WHERE other.study_instance_uid = intake_studies.study_instance_uid AND other.state <> 'discarded')`,
  holdGivenUp: `
    UPDATE intake_studies SET state = 'held', code = :code
     WHERE state = 'discarded' AND code IS NOT NULL AND node = :node`,
} as const;
