const COLUMNS = `
  id, kind, subject, body, state, code, progress, attempts, due_at AS waitingUntilMs, created_at AS createdAtMs,
  finished_at AS finishedAtMs`;

/** Tasks of faces. A claim looks at the small partial indexes alone, however many tasks are done. */
export const taskStatements = {
  waitingTaskLike: `
    SELECT id FROM tasks WHERE kind = :kind AND subject = :subject AND state = 'waiting' AND body = :body LIMIT 1`,
  insertTask: `
    INSERT INTO tasks (id, kind, subject, body, state, attempts, due_at, created_at)
    VALUES (:id, :kind, :subject, :body, 'waiting', 0, :nowMs, :nowMs)`,
  wakeAbandonedTasks: `
    UPDATE tasks INDEXED BY tasks_running SET state = 'waiting', due_at = :nowMs, lease_token = NULL, lease_until = NULL
     WHERE state = 'running' AND kind = :kind AND lease_until <= :nowMs`,
  releaseTasks: `
    UPDATE tasks INDEXED BY tasks_running SET state = 'waiting', due_at = :nowMs, lease_token = NULL, lease_until = NULL
     WHERE state = 'running' AND kind = :kind`,
  releaseTasksOf: `
    UPDATE tasks INDEXED BY tasks_running SET state = 'waiting', due_at = :nowMs, lease_token = NULL, lease_until = NULL
     WHERE state = 'running' AND kind = :kind AND substr(lease_token, 1, length(:holder)) = :holder`,
  claimTask: `
    UPDATE tasks SET state = 'running', due_at = NULL, lease_token = :token, lease_until = :leaseUntil
     WHERE task_no = (
       SELECT due.task_no FROM tasks AS due
        WHERE due.state = 'waiting' AND due.kind = :kind AND due.due_at <= :nowMs
          AND NOT EXISTS (
            SELECT 1 FROM tasks AS busy
             WHERE busy.state = 'running' AND busy.kind = due.kind AND busy.subject = due.subject)
        ORDER BY due.due_at LIMIT 1)
    RETURNING ${COLUMNS}`,
  renewTask: `
    UPDATE tasks SET lease_until = :leaseUntil, progress = coalesce(:progress, progress)
     WHERE id = :id AND lease_token = :token`,
  settleTask: `
    UPDATE tasks SET state = :state, code = :code, progress = coalesce(:progress, progress), attempts = :attempts,
           due_at = :dueAt, finished_at = :finishedAt, lease_token = NULL, lease_until = NULL
     WHERE id = :id AND lease_token = :token`,
  cancelTasks: `
    UPDATE tasks SET state = 'cancelled', code = 'CANCELLED', due_at = NULL, finished_at = :nowMs, lease_token = NULL,
           lease_until = NULL
     WHERE kind = :kind AND subject = :subject AND state IN ('waiting', 'running')`,
  listTasks: `
    SELECT ${COLUMNS} FROM tasks WHERE kind = :kind AND subject = :subject AND task_no < :before
     ORDER BY task_no DESC LIMIT :limit`,
  listTasksOfKind: `
    SELECT ${COLUMNS} FROM tasks WHERE kind = :kind AND task_no < :before ORDER BY task_no DESC LIMIT :limit`,
  taskPlace: "SELECT task_no AS taskNo FROM tasks WHERE id = :id",
} as const;
