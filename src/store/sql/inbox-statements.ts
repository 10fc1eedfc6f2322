const COLUMNS = `
  id, queue, body, priority, state, code, progress, attempts, due_at AS waitingUntilMs, received_at AS receivedAtMs,
  finished_at AS finishedAtMs`;

/** What brokers hand over. Claims look at small partial indexes alone, however many messages are done. */
export const inboxStatements = {
  joinInboxMessage: `
    UPDATE inbox_messages SET priority = CASE WHEN priority < :priority THEN :priority ELSE priority END
     WHERE queue = :queue AND digest = :digest AND state IN ('waiting', 'running')
    RETURNING id`,
  insertInboxMessage: `
    INSERT INTO inbox_messages (id, queue, digest, body, priority, state, attempts, due_at, received_at)
    VALUES (:id, :queue, :digest, :body, :priority, 'waiting', 0, :nowMs, :nowMs)`,
  wakeAbandonedInboxMessages: `
    UPDATE inbox_messages INDEXED BY inbox_messages_running
       SET state = 'waiting', due_at = :nowMs, lease_token = NULL, lease_until = NULL
     WHERE state = 'running' AND lease_until <= :until`,
  releaseInboxMessagesOf: `
    UPDATE inbox_messages INDEXED BY inbox_messages_running
       SET state = 'waiting', due_at = :nowMs, lease_token = NULL, lease_until = NULL
     WHERE state = 'running' AND lease_until <= :until AND substr(lease_token, 1, length(:holder)) = :holder`,
  claimInboxMessage: `
    UPDATE inbox_messages SET state = 'running', code = NULL, due_at = NULL, lease_token = :token, lease_until = :leaseUntil
     WHERE message_no = (
       SELECT message_no FROM inbox_messages INDEXED BY inbox_messages_waiting
        WHERE state = 'waiting' AND queue = :queue AND due_at <= :nowMs
        ORDER BY priority DESC, message_no LIMIT 1)
    RETURNING ${COLUMNS}`,
  renewInboxMessage: `
    UPDATE inbox_messages SET lease_until = :leaseUntil, progress = coalesce(:progress, progress)
     WHERE id = :id AND lease_token = :token`,
  settleInboxMessage: `
    UPDATE inbox_messages SET state = :state, code = :code, progress = coalesce(:progress, progress), attempts = :attempts,
           due_at = :dueAt, finished_at = :finishedAt, lease_token = NULL, lease_until = NULL
     WHERE id = :id AND lease_token = :token`,
  unfinishedInboxMessages: `
    SELECT count(*) AS count FROM inbox_messages WHERE queue = :queue AND state IN ('waiting', 'running')`,
  nextInboxDue: `
    SELECT min(at) AS "dueAtMs" FROM (
      SELECT min(due_at) AS at FROM inbox_messages INDEXED BY inbox_messages_due WHERE state = 'waiting' AND queue = :queue
      UNION ALL
      SELECT min(lease_until) FROM inbox_messages INDEXED BY inbox_messages_running
       WHERE state = 'running' AND queue = :queue) AS times`,
  forgetInboxMessages: `
    DELETE FROM inbox_messages WHERE message_no IN (
      SELECT message_no FROM inbox_messages INDEXED BY inbox_messages_by_state
       WHERE queue = :queue AND state = :state AND (finished_at < :finishedBeforeMs OR message_no <= (
         SELECT message_no FROM inbox_messages INDEXED BY inbox_messages_by_state
          WHERE queue = :queue AND state = :state ORDER BY message_no DESC LIMIT 1 OFFSET :maximumKept))
       ORDER BY message_no LIMIT 1000)`,
  finishedInboxMessages: `
    SELECT message_no AS number, body FROM inbox_messages INDEXED BY inbox_messages_by_state
     WHERE queue = :queue AND state = :state AND message_no > :after ORDER BY message_no LIMIT :limit`,
  removeInboxMessage: `
    DELETE FROM inbox_messages WHERE message_no = :number AND state IN ('done', 'failed')`,
  listInboxMessages: `
    SELECT ${COLUMNS} FROM inbox_messages WHERE queue = :queue AND state = :state ORDER BY message_no DESC LIMIT :limit`,
} as const;
