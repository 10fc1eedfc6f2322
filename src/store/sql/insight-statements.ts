import { JOB_COLUMNS } from "./job-statements.ts";

/** Statements about what jobs ended with, how much was delivered, and what is shown of it. */
export const insightStatements = {
  codeCounts: "SELECT project, code, state, jobs FROM job_code_counts WHERE jobs > 0",
  listJobsByCode: `SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs WHERE code = :code AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listJobsByCodeAndState: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE code = :code AND state = :state AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listJobsByProjectAndCode: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE project = :project AND code = :code AND job_no > :after ORDER BY job_no LIMIT :limit`,
  listJobsByProjectCodeAndState: `
    SELECT job_no AS jobNo, ${JOB_COLUMNS} FROM study_jobs
     WHERE project = :project AND code = :code AND state = :state AND job_no > :after ORDER BY job_no LIMIT :limit`,
  failuresOfCode: `
    SELECT job_no AS jobNo, id FROM study_jobs
     WHERE code = :code AND state = :state AND job_no > :after ORDER BY job_no LIMIT :limit`,
  failuresOfProject: `
    SELECT job_no AS jobNo, id FROM study_jobs
     WHERE project = :project AND code = :code AND state = :state AND job_no > :after ORDER BY job_no LIMIT :limit`,
  /** All of a cohort is of one project. */
  failuresOfCohort: `
    SELECT job_no AS jobNo, id FROM study_jobs
     WHERE job_no IN (SELECT job_no FROM cohort_jobs
                       WHERE cohort_no = :cohortNo AND code = :code AND state = :state AND job_no > :after
                       ORDER BY job_no LIMIT :limit)
       AND (:project IS NULL OR project = :project)
     ORDER BY job_no`,

  countDelivered: `
    INSERT INTO throughput (span, started_at, project, studies, instances, bytes)
    SELECT :span, CAST(:startedAt AS BIGINT), project, 1, CAST(:instances AS BIGINT), CAST(:bytes AS BIGINT)
      FROM study_jobs WHERE job_no = :jobNo
    ON CONFLICT (span, started_at, project) DO UPDATE
      SET studies = throughput.studies + 1, instances = throughput.instances + excluded.instances,
          bytes = throughput.bytes + excluded.bytes`,
  forgetThroughput: "DELETE FROM throughput WHERE span = :span AND started_at < :before",
  throughput: `
    SELECT started_at AS startedAtMs, project, studies, instances, bytes FROM throughput
     WHERE span = :span AND started_at >= :from ORDER BY started_at, project`,

  keepThumbnail: "INSERT INTO thumbnails (job_no, png) VALUES (:jobNo, :png) RETURNING thumbnail_no AS thumbnailNo",
  thumbnail: "SELECT png FROM thumbnails WHERE job_no = :jobNo",
  deleteThumbnail: "DELETE FROM thumbnails WHERE job_no = :jobNo",
  forgetThumbnails: "DELETE FROM thumbnails WHERE thumbnail_no <= :last",
} as const;
