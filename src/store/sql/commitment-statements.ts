/** Storage commitment for what was sent unasked. */
export const commitmentStatements = {
  openCommitments: `
    SELECT count(*) AS "open" FROM (SELECT 1 FROM intake_commitments WHERE calling_ae_title = :callingAeTitle LIMIT :limit) AS waiting`,
  insertCommitment: `
    INSERT INTO intake_commitments (transaction_uid, calling_ae_title, called_ae_title, instances, created_at, due_at)
    VALUES (:transactionUid, :callingAeTitle, :calledAeTitle, :instances, :nowMs, :nowMs) ON CONFLICT DO NOTHING`,
  nextCommitmentDue: `SELECT min(due_at) AS "dueAtMs" FROM intake_commitments`,
  /** Whoever claims one has it until it is due again. */
  claimCommitments: `
    UPDATE intake_commitments SET due_at = :leaseUntil
     WHERE commitment_no IN (
       SELECT commitment_no FROM intake_commitments WHERE due_at <= :nowMs ORDER BY due_at LIMIT :limit)
    RETURNING commitment_no AS "number", transaction_uid AS "transactionUid", calling_ae_title AS "callingAeTitle",
              called_ae_title AS "calledAeTitle", instances, created_at AS "createdAtMs", attempts`,
  releaseCommitment: "UPDATE intake_commitments SET due_at = :nowMs WHERE commitment_no = :number",
  hurryCommitments: "UPDATE intake_commitments SET due_at = :nowMs WHERE due_at > :nowMs",
  postponeCommitment: `
    UPDATE intake_commitments SET due_at = :dueAtMs, attempts = attempts + 1 WHERE commitment_no = :number`,
  endCommitment: "DELETE FROM intake_commitments WHERE commitment_no = :number",
  keptInstance: `
    SELECT kept.sop_class_uid AS "sopClassUid" FROM intake_instances AS kept
      JOIN intake_studies AS study ON study.study_no = kept.study_no
     WHERE kept.sop_instance_uid = :sopInstanceUid AND study.state <> 'discarded' LIMIT 1`,
  deliveredInstance: `SELECT sop_class_uid AS "sopClassUid" FROM intake_delivered WHERE sop_instance_uid = :sopInstanceUid`,
  /** What the ledger has as delivered. */
  noteDelivered: `
    INSERT INTO intake_delivered (sop_instance_uid, sop_class_uid, last_at)
    SELECT kept.sop_instance_uid, kept.sop_class_uid, study.last_at
      FROM intake_studies AS study
      JOIN intake_instances AS kept ON kept.study_no = study.study_no
      JOIN study_jobs AS job ON job.study_instance_uid = study.study_instance_uid AND job.project = study.project
      JOIN instances AS line ON line.job_no = job.job_no AND line.sop_instance_uid = kept.sop_instance_uid
     WHERE study.study_no = :studyNo AND study.state = 'queued' AND line.delivered_at IS NOT NULL
    ON CONFLICT DO NOTHING`,
  forgetDelivered: "DELETE FROM intake_delivered WHERE last_at < :lastBeforeMs",
} as const;
