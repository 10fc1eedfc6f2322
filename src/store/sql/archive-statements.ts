/** Conditions of archives, and the jobs that wait for one. */
export const archiveStatements = {
  archiveCondition: `
    SELECT paused, overrides, breaker, next_study_at AS nextStudyAtMs, spared_until AS sparedUntilMs
      FROM archives WHERE name = :archive`,
  writeArchiveCondition: `
    INSERT INTO archives (name, paused, overrides, breaker, next_study_at, spared_until)
    VALUES (:archive, :paused, :overrides, :breaker, :nextStudyAtMs, :sparedUntilMs)
    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, overrides = excluded.overrides,
      breaker = excluded.breaker, next_study_at = excluded.next_study_at, spared_until = excluded.spared_until`,
  /** Of a probe that died with its process: the next one may go at once. */
  releaseProbes: `
    UPDATE archives SET breaker = json_set(breaker, '$.untilMs', :nowMs) WHERE json_extract(breaker, '$.state') = 'half-open'`,
  /** They look at the archive again and wait anew if they must: jobs that have not been located wait without its name. */
  wakeControlled: `
    UPDATE study_jobs SET due_at = :nowMs WHERE state = 'waiting' AND due_at > :nowMs
       AND code IN ('ARCHIVE_PAUSED', 'ARCHIVE_CLOSED', 'ARCHIVE_RATE_LIMITED', 'PROJECT_UNKNOWN')`,
  wakeResting: `
    UPDATE study_jobs SET due_at = :nowMs WHERE state = 'waiting' AND due_at > :nowMs AND code = 'ARCHIVE_RESTING'`,
} as const;
