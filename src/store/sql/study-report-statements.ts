export const studyReportStatements = {
  makeStudyReport: `
    INSERT INTO study_reports (job_no, state, at, packed) VALUES (:jobNo, 'made', :nowMs, :packed)
    ON CONFLICT DO UPDATE SET at = :nowMs, packed = :packed`,
  deliverStudyReport: `
    INSERT INTO study_reports (job_no, state, at, packed)
    SELECT job_no, 'delivered', :nowMs, packed FROM study_reports WHERE job_no = :jobNo AND state = 'made'
    ON CONFLICT DO UPDATE SET at = excluded.at, packed = excluded.packed`,
  forgetMadeStudyReport: "DELETE FROM study_reports WHERE job_no = :jobNo AND state = 'made'",
  studyReport: "SELECT at AS atMs, packed FROM study_reports WHERE job_no = :jobNo AND state = :state",
  deleteStudyReports: "DELETE FROM study_reports WHERE job_no = :jobNo",
  addArchiveVolume: `
    INSERT INTO archive_volumes (archive, modality, instances, size_bytes)
    SELECT archive, :modality, :instances, :sizeBytes FROM study_jobs WHERE job_no = :jobNo AND archive IS NOT NULL
    ON CONFLICT DO UPDATE SET instances = instances + :instances, size_bytes = size_bytes + :sizeBytes`,
  archiveVolumes: `
    SELECT archive, modality, instances, size_bytes AS sizeBytes FROM archive_volumes ORDER BY archive, modality`,
} as const;
