/** What is to be told over channels. Each channel's queue is walked by an index of its own. */
export const noticeStatements = {
  insertNotice: `
    INSERT INTO notices (id, channel, body, due_at, created_at) VALUES (:id, :channel, :body, :dueAtMs, :nowMs)`,
  /** Up to a limit: nobody counts a queue that is full. */
  waitingNotices: `
    SELECT count(*) AS waiting FROM (SELECT 1 FROM notices WHERE channel = :channel LIMIT :limit) AS queue`,
  claimNotices: `
    UPDATE notices SET lease_until = :leaseUntil
     WHERE notice_no IN (
       SELECT notice_no FROM notices INDEXED BY notices_due
        WHERE channel = :channel AND due_at <= :nowMs AND (lease_until IS NULL OR lease_until <= :nowMs)
        LIMIT :limit)
    RETURNING notice_no AS number, id, channel, body`,
  forgetNotice: "DELETE FROM notices WHERE id = :id",
  postponeNotice: "UPDATE notices SET due_at = :dueAtMs, lease_until = NULL WHERE id = :id",
  releaseNotices: "UPDATE notices SET lease_until = NULL WHERE lease_until IS NOT NULL",
  noticeChannels: "SELECT DISTINCT channel FROM notices",
  forgetNoticesOfChannel: "DELETE FROM notices WHERE channel = :channel",
  forgetOldNotices: "DELETE FROM notices WHERE created_at < :beforeMs",
  noticeQueues:
    "SELECT channel, count(*) AS waiting, min(created_at) AS oldestAtMs FROM notices GROUP BY channel ORDER BY channel",
  noticeMarks: "SELECT name, value FROM notice_marks ORDER BY name",
  noticeMark: "SELECT value FROM notice_marks WHERE name = :name",
  setNoticeMark: `
    INSERT INTO notice_marks (name, value) VALUES (:name, :value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  forgetNoticeMark: "DELETE FROM notice_marks WHERE name = :name",
} as const;
