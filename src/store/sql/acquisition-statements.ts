const ACQUISITION = `
  id, origin, task_id AS taskId, attempt, ups_uid AS upsUid, transaction_uid AS transactionUid, device_id AS deviceId,
  state, progress, is_device_done AS isDeviceDone, previous_status AS previousStatus, workflow_id AS workflowId,
  token_hash AS tokenHash, parameter, code, reason, lease_until AS leaseUntilMs, cancel_asked_at AS cancelAskedAtMs,
  created_at AS createdAtMs, updated_at AS updatedAtMs`;
const TRANSFER = `
  id, acquisition_id AS acquisitionId, file_name AS fileName, size_bytes AS sizeBytes,
  declared_sha256 AS declaredSha256, content_type AS contentType, sha256, signature, parameter, state, result_id AS resultId, directory, code,
  created_at AS createdAtMs, updated_at AS updatedAtMs`;

/** `state` conditions are written as the partial indexes have them, so that these serve. */
const IS_OPEN = "state NOT IN ('completed', 'canceled')";

export const acquisitionStatements = {
  claimAcquisition: `
    INSERT INTO acquisitions (id, origin, task_id, attempt, ups_uid, transaction_uid, device_id, state, progress,
                              is_device_done, previous_status, workflow_id, token_hash, parameter, lease_until,
                              created_at, updated_at)
    VALUES (:id, :origin, :taskId,
            (SELECT coalesce(max(attempt), 0) + 1 FROM acquisitions WHERE origin = :origin AND task_id = :taskId),
            :upsUid, :transactionUid, :deviceId, 'claimed', 0, 0, :previousStatus, :workflowId, :tokenHash, :parameter,
            :leaseUntil, :nowMs, :nowMs)
    ON CONFLICT (origin, task_id) WHERE ${IS_OPEN} DO NOTHING
    RETURNING ${ACQUISITION}`,
  acquisition: `SELECT ${ACQUISITION} FROM acquisitions WHERE id = :id`,
  listAcquisitions: `
    SELECT ${ACQUISITION} FROM acquisitions
     WHERE (:deviceId IS NULL OR device_id = :deviceId) AND (:isOpen IS NULL OR (${IS_OPEN}) = :isOpen)
       AND (:before IS NULL OR acquisition_no < :before)
     ORDER BY acquisition_no DESC LIMIT :limit`,
  listAcquisitionsOfTask: `
    SELECT ${ACQUISITION} FROM acquisitions
     WHERE task_id = :taskId AND (:deviceId IS NULL OR device_id = :deviceId)
       AND (:isOpen IS NULL OR (${IS_OPEN}) = :isOpen) AND (:before IS NULL OR acquisition_no < :before)
     ORDER BY acquisition_no DESC LIMIT :limit`,
  changeAcquisition: `
    UPDATE acquisitions
       SET state = coalesce(:state, state), progress = CASE WHEN progress < :progress THEN :progress ELSE progress END,
           is_device_done = coalesce(:isDeviceDone, is_device_done), lease_until = coalesce(:leaseUntilMs, lease_until),
           code = coalesce(:code, code), reason = coalesce(:reason, reason), token_hash = coalesce(:tokenHash, token_hash),
           updated_at = :nowMs
     WHERE id = :id AND transaction_uid = :transactionUid AND state IN (SELECT value FROM json_each(:from))`,
  renewAcquisitionsOf: `
    UPDATE acquisitions INDEXED BY acquisitions_of_device SET lease_until = :leaseUntilMs
     WHERE device_id = :deviceId AND ${IS_OPEN} AND state = 'acquiring' AND is_device_done = 0`,
  askToCancelAcquisition: `
    UPDATE acquisitions INDEXED BY acquisitions_open SET cancel_asked_at = :nowMs
     WHERE origin = :origin AND task_id = :taskId AND ${IS_OPEN}`,
  lapsedAcquisitions: `
    SELECT ${ACQUISITION} FROM acquisitions INDEXED BY acquisitions_of_device
     WHERE ${IS_OPEN} AND (lease_until <= :nowMs OR cancel_asked_at IS NOT NULL) LIMIT :limit`,
  insertAcquisitionEvent: `
    INSERT INTO acquisition_events (acquisition_id, at, event, detail) VALUES (:id, :nowMs, :event, :detail)`,
  acquisitionEvents: `
    SELECT at AS atMs, event, detail FROM acquisition_events WHERE acquisition_id = :id ORDER BY event_no`,
  transferLike: `
    SELECT ${TRANSFER} FROM transfers
     WHERE acquisition_id = :acquisitionId AND file_name = :fileName AND size_bytes = :sizeBytes
       AND declared_sha256 = :declaredSha256 AND state NOT IN ('aborting', 'aborted', 'stuck', 'removed')
     ORDER BY transfer_no DESC LIMIT 1`,
  insertTransfer: `
    INSERT INTO transfers (id, acquisition_id, file_name, size_bytes, declared_sha256, content_type, parameter, state, created_at, updated_at)
    VALUES (:id, :acquisitionId, :fileName, :sizeBytes, :declaredSha256, :contentType, :parameter, 'blank-pending', :nowMs, :nowMs)
    RETURNING ${TRANSFER}`,
  transfer: `SELECT ${TRANSFER} FROM transfers WHERE id = :id`,
  changeTransfer: `
    UPDATE transfers
       SET state = coalesce(:state, state), sha256 = coalesce(:sha256, sha256), signature = coalesce(:signature, signature),
           result_id = coalesce(:resultId, result_id), directory = coalesce(:directory, directory),
           code = coalesce(:code, code), updated_at = :nowMs
     WHERE id = :id AND state IN (SELECT value FROM json_each(:from))`,
  transfersOf: `SELECT ${TRANSFER} FROM transfers WHERE acquisition_id = :acquisitionId ORDER BY transfer_no`,
  openTransfers: `
    SELECT ${TRANSFER} FROM transfers INDEXED BY transfers_open
     WHERE state NOT IN ('published', 'aborted', 'stuck', 'removed') AND transfer_no > :after
     ORDER BY transfer_no LIMIT :limit`,
  stuckTransfers: `
    SELECT ${TRANSFER} FROM transfers WHERE state = 'stuck' AND transfer_no > :after ORDER BY transfer_no LIMIT :limit`,
  transferNumber: "SELECT transfer_no AS number FROM transfers WHERE id = :id",
  acquisitionNumber: "SELECT acquisition_no AS number FROM acquisitions WHERE id = :id",
  publishedTransfersBefore: `
    SELECT ${TRANSFER} FROM transfers INDEXED BY transfers_published
     WHERE state = 'published' AND updated_at < :atMs ORDER BY updated_at LIMIT :limit`,
  scanBytesOf: `
    SELECT coalesce(sum(transfers.size_bytes), 0) AS bytes
      FROM acquisitions INDEXED BY acquisitions_by_device
      JOIN transfers ON transfers.acquisition_id = acquisitions.id
     WHERE acquisitions.device_id = :deviceId AND transfers.state NOT IN ('aborting', 'aborted', 'removed')`,
} as const;
