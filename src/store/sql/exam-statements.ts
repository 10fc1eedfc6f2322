const TASK = `
  id, workflow_id AS workflowId, device_id AS deviceId, is_template AS isTemplate, status, progress, fields, creator,
  created_at AS createdAtMs, updated_at AS updatedAtMs, wanted_at AS wantedAtMs`;
const RESULT = `
  id, task_id AS taskId, transfer_id AS transferId, type, directory, files, meta, created_at AS createdAtMs`;
const SEQUENCE_FACTS = `
  id, name, description, sequence_type AS sequenceType, tags, file_extension AS fileExtension,
  header_extension AS headerExtension, length(file) AS sizeBytes, sha256, created_at AS createdAtMs,
  updated_at AS updatedAtMs`;
const DEVICE = `
  id, name, description, details, parameter, status, token_hash AS tokenHash, is_deaf AS isDeaf,
  created_at AS createdAtMs, updated_at AS updatedAtMs, revoked_at AS revokedAtMs`;
const TOKEN = `
  id, "user", role, token_hash AS tokenHash, created_at AS createdAtMs, revoked_at AS revokedAtMs`;

/** What an exam manager keeps, devices and tokens. */
export const examStatements = {
  insertScanTask: `
    INSERT INTO scan_tasks (id, workflow_id, device_id, is_template, status, progress, fields, creator, created_at, wanted_at)
    VALUES (:id, :workflowId, :deviceId, :isTemplate, :status, :progress, :fields, :creator, :nowMs, :wantedAtMs)
    RETURNING ${TASK}`,
  scanTask: `SELECT ${TASK} FROM scan_tasks WHERE id = :id`,
  scanTaskNumber: "SELECT task_no AS number FROM scan_tasks WHERE id = :id",
  listScanTasks: `
    SELECT ${TASK} FROM scan_tasks
     WHERE task_no > :after AND (:isTemplate IS NULL OR is_template = :isTemplate) AND (:status IS NULL OR status = :status)
     ORDER BY task_no LIMIT :limit`,
  listScanTasksOfWorkflow: `
    SELECT ${TASK} FROM scan_tasks
     WHERE workflow_id = :workflowId AND task_no > :after AND (:isTemplate IS NULL OR is_template = :isTemplate)
       AND (:status IS NULL OR status = :status)
     ORDER BY task_no LIMIT :limit`,
  changeScanTask: `
    UPDATE scan_tasks
       SET workflow_id = CASE WHEN :setsWorkflow THEN :workflowId ELSE workflow_id END,
           device_id = CASE WHEN :setsDevice THEN :deviceId ELSE device_id END,
           is_template = coalesce(:isTemplate, is_template), status = coalesce(:status, status),
           progress = coalesce(:progress, progress), fields = coalesce(:fields, fields), updated_at = :nowMs
     WHERE id = :id AND (:from IS NULL OR status IN (SELECT value FROM json_each(:from)))
    RETURNING ${TASK}`,
  wantScanTask: "UPDATE scan_tasks SET wanted_at = :wantedAtMs WHERE id = :id",
  wantedScanTasks: `
    SELECT ${TASK} FROM scan_tasks INDEXED BY scan_tasks_wanted
     WHERE wanted_at IS NOT NULL AND coalesce(device_id, '') NOT IN (SELECT value FROM json_each(:devices))
       AND id NOT IN (SELECT value FROM json_each(:tasks))
     ORDER BY wanted_at LIMIT :limit`,
  removeScanTask: "DELETE FROM scan_tasks WHERE id = :id",
  removeScanResultsOf: "DELETE FROM scan_results WHERE task_id = :taskId",
  scanResultOfTransfer: `SELECT ${RESULT} FROM scan_results WHERE transfer_id = :transferId`,
  insertScanResult: `
    INSERT INTO scan_results (id, task_id, transfer_id, type, directory, files, created_at)
    VALUES (:id, :taskId, :transferId, 'NOT_SET', '', '[]',
            max(:nowMs, coalesce((SELECT created_at + 1 FROM scan_results WHERE task_id = :taskId
                                   ORDER BY result_no DESC LIMIT 1), 0)))
    RETURNING ${RESULT}`,
  scanResult: `SELECT ${RESULT} FROM scan_results WHERE id = :id`,
  scanResults: `SELECT ${RESULT} FROM scan_results WHERE task_id = :taskId ORDER BY result_no`,
  scanResultNumber: "SELECT result_no AS number FROM scan_results WHERE id = :id",
  listScanResults: `SELECT ${RESULT} FROM scan_results WHERE result_no > :after ORDER BY result_no LIMIT :limit`,
  listScanResultsOfTask: `
    SELECT ${RESULT} FROM scan_results WHERE task_id = :taskId AND result_no > :after ORDER BY result_no LIMIT :limit`,
  setScanResult: `
    UPDATE scan_results SET type = :type, directory = :directory, files = :files, meta = :meta WHERE id = :id
    RETURNING ${RESULT}`,
  removeScanResult: "DELETE FROM scan_results WHERE id = :id",
  insertScanSequence: `
    INSERT INTO scan_sequences (id, name, description, sequence_type, tags, file, file_extension, sha256, header,
                                header_extension, created_at)
    VALUES (:id, :name, :description, :sequenceType, :tags, :file, :fileExtension, :sha256, :header, :headerExtension, :nowMs)
    RETURNING ${SEQUENCE_FACTS}`,
  scanSequence: `SELECT ${SEQUENCE_FACTS}, file, header FROM scan_sequences WHERE id = :id`,
  listScanSequences: `SELECT ${SEQUENCE_FACTS} FROM scan_sequences ORDER BY sequence_no LIMIT :limit`,
  changeScanSequence: `
    UPDATE scan_sequences
       SET name = coalesce(:name, name), description = coalesce(:description, description),
           sequence_type = coalesce(:sequenceType, sequence_type), tags = coalesce(:tags, tags), updated_at = :nowMs
     WHERE id = :id`,
  removeScanSequence: "DELETE FROM scan_sequences WHERE id = :id",
  insertScanDevice: `
    INSERT INTO scan_devices (id, name, description, details, status, token_hash, is_deaf, created_at)
    VALUES (:id, :name, :description, '{}', :status, :tokenHash, 0, :nowMs)
    RETURNING ${DEVICE}`,
  scanDevice: `SELECT ${DEVICE} FROM scan_devices WHERE id = :id`,
  listScanDevices: `SELECT ${DEVICE} FROM scan_devices ORDER BY device_no LIMIT :limit`,
  changeScanDevice: `
    UPDATE scan_devices
       SET details = coalesce(:details, details), parameter = coalesce(:parameter, parameter),
           status = coalesce(:status, status), is_deaf = coalesce(:isDeaf, is_deaf), updated_at = :nowMs
     WHERE id = :id AND revoked_at IS NULL
    RETURNING ${DEVICE}`,
  revokeScanDevice: `
    UPDATE scan_devices SET revoked_at = :nowMs, status = 'OFFLINE' WHERE id = :id AND revoked_at IS NULL`,
  insertScanToken: `
    INSERT INTO scan_tokens (id, "user", role, token_hash, created_at) VALUES (:id, :user, :role, :tokenHash, :nowMs)`,
  scanTokenOf: `SELECT ${TOKEN} FROM scan_tokens WHERE token_hash = :tokenHash AND revoked_at IS NULL`,
  listScanTokens: `SELECT ${TOKEN} FROM scan_tokens ORDER BY token_no LIMIT :limit`,
  revokeScanToken: "UPDATE scan_tokens SET revoked_at = :nowMs WHERE id = :id AND revoked_at IS NULL",
} as const;
