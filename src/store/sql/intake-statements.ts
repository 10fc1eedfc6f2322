const COLUMNS = `
  study_no AS studyNo, id, study_instance_uid AS studyInstanceUid, patient_id AS patientId,
  accession_number AS accessionNumber, modality, calling_ae_title AS callingAeTitle, project, rule, assigned, state, code,
  instances, expected, opened_at AS openedAtMs, first_at AS firstAtMs, last_at AS lastAtMs`;

/** `:node` NULL: there is one alone. */
const OWN_OR_NOBODYS = "(CAST(:node AS TEXT) IS NULL OR node IS NULL OR node = :node)";

const JOB_OF_STUDY = `
  FROM study_jobs WHERE study_jobs.study_instance_uid = intake_studies.study_instance_uid AND study_jobs.project = intake_studies.project`;
const THEIR_JOB = `(SELECT id ${JOB_OF_STUDY}) AS job, (SELECT state ${JOB_OF_STUDY}) AS jobState`;

/** What was sent unasked. */
export const intakeStatements = {
  intakeStudy: `
    SELECT ${COLUMNS} FROM intake_studies WHERE study_instance_uid = :studyInstanceUid AND state <> 'discarded'`,
  intakeStudyOfId: `SELECT ${COLUMNS} FROM intake_studies WHERE id = :id`,
  insertIntakeStudy: `
    INSERT INTO intake_studies (id, study_instance_uid, patient_id, accession_number, modality, calling_ae_title, project,
                                rule, state, code, opened_at, first_at, last_at, due_at)
    VALUES (:id, :studyInstanceUid, :patientId, :accessionNumber, :modality, :callingAeTitle, :project,
            :rule, :state, :code, :nowMs, :nowMs, :nowMs, :dueAtMs)
    RETURNING study_no AS studyNo`,
  insertIntakeInstance: `
    INSERT INTO intake_instances (study_no, sop_instance_uid, series_instance_uid, sop_class_uid, file, received_at)
    VALUES (:studyNo, :sopInstanceUid, :seriesInstanceUid, :sopClassUid, :file, :nowMs) ON CONFLICT DO NOTHING`,
  changeIntakeStudy: `
    UPDATE intake_studies
       SET state = :state, code = :code, opened_at = :openedAtMs, last_at = :nowMs, due_at = :dueAtMs,
           instances = intake_studies.instances + :added
     WHERE study_no = :studyNo`,
  intakeFileOfInstance: `
    SELECT file FROM intake_instances WHERE study_no = :studyNo AND sop_instance_uid = :sopInstanceUid`,
  nextIntakeDue: "SELECT min(due_at) AS dueAtMs FROM intake_studies INDEXED BY intake_studies_due WHERE state = 'open'",
  dueIntake: `
    SELECT ${COLUMNS} FROM intake_studies INDEXED BY intake_studies_due
     WHERE state = 'open' AND due_at <= :nowMs LIMIT :limit`,
  postponeIntake: "UPDATE intake_studies SET due_at = :dueAtMs WHERE study_no = :studyNo",
  awaitIntake: "UPDATE intake_studies SET due_at = :dueAtMs, expected = :expected WHERE study_no = :studyNo",
  expectOfIntake: "UPDATE intake_studies SET expected = :expected WHERE study_no = :studyNo",
  endIntake: `
    UPDATE intake_studies
       SET state = :state, project = :project, assigned = :assigned, code = NULL, due_at = NULL WHERE study_no = :studyNo`,
  listIntake: `SELECT ${COLUMNS}, ${THEIR_JOB} FROM intake_studies WHERE study_no > :after AND state <> 'discarded' ORDER BY study_no LIMIT :limit`,
  listIntakeByState: `
    SELECT ${COLUMNS}, ${THEIR_JOB} FROM intake_studies INDEXED BY intake_studies_by_state
     WHERE state = :state AND study_no > :after ORDER BY study_no LIMIT :limit`,
  intakeCounts: `
    SELECT state, count(*) AS studies, min(first_at) AS "oldestAtMs" FROM intake_studies
     WHERE state IN ('open', 'held') GROUP BY state ORDER BY state`,
  intakeInstances: `
    SELECT sop_instance_uid AS sopInstanceUid, series_instance_uid AS seriesInstanceUid, sop_class_uid AS sopClassUid, file
      FROM intake_instances WHERE study_no = :studyNo`,
  discardedIntake: `
    SELECT study_no AS studyNo FROM intake_studies INDEXED BY intake_studies_by_age
     WHERE state = 'discarded' AND code IS NULL AND ${OWN_OR_NOBODYS} LIMIT :limit`,
  endedIntake: `
    SELECT study_no AS studyNo FROM intake_studies INDEXED BY intake_studies_by_age
     WHERE state = 'queued' AND last_at < :lastBeforeMs AND ${OWN_OR_NOBODYS}
       AND EXISTS (SELECT 1 FROM study_jobs WHERE study_jobs.study_instance_uid = intake_studies.study_instance_uid
                      AND study_jobs.project = intake_studies.project AND study_jobs.state IN ('delivered', 'excluded'))
     LIMIT :limit`,
  forgetIntakeInstances: "DELETE FROM intake_instances WHERE study_no = :studyNo",
  forgetIntakeStudy: "DELETE FROM intake_studies WHERE study_no = :studyNo",
  moveIntakeFile: "UPDATE intake_instances SET file = :to WHERE file = :from",
  intakeFiles: "SELECT file FROM intake_instances WHERE file >= :prefix AND file < :end",
} as const;
