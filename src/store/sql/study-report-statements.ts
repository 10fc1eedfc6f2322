export const studyReportStatements = {
  makeStudyReport: `
    INSERT INTO study_reports (job_no, state, at, packed) VALUES (:jobNo, 'made', :nowMs, :packed)
    ON CONFLICT (job_no, state) DO UPDATE SET at = excluded.at, packed = excluded.packed`,
  deliverStudyReport: `
    INSERT INTO study_reports (job_no, state, at, packed)
    SELECT job_no, 'delivered', CAST(:nowMs AS BIGINT), packed FROM study_reports WHERE job_no = :jobNo AND state = 'made'
    ON CONFLICT (job_no, state) DO UPDATE SET at = excluded.at, packed = excluded.packed`,
  forgetMadeStudyReport: "DELETE FROM study_reports WHERE job_no = :jobNo AND state = 'made'",
  studyReport: "SELECT at AS atMs, packed FROM study_reports WHERE job_no = :jobNo AND state = :state",
  deleteStudyReports: "DELETE FROM study_reports WHERE job_no = :jobNo",
  addArchiveVolume: `
    INSERT INTO archive_volumes (archive, modality, instances, size_bytes)
    SELECT archive, :modality, CAST(:instances AS BIGINT), CAST(:sizeBytes AS BIGINT) FROM study_jobs WHERE job_no = :jobNo AND archive IS NOT NULL
    ON CONFLICT (archive, modality) DO UPDATE
      SET instances = archive_volumes.instances + excluded.instances,
          size_bytes = archive_volumes.size_bytes + excluded.size_bytes`,
  archiveVolumes: `
    SELECT archive, modality, instances, size_bytes AS sizeBytes FROM archive_volumes ORDER BY archive, modality`,
} as const;
