const LINK_COLUMNS = `
  link_no AS number, job, pseudonym, pseudo_study AS pseudoStudyInstanceUid, study_digest AS studyDigest,
  patient_digest AS patientDigest, sealed, at AS atMs`;

export const linkageStatements = {
  insertLinkageKey: `
    INSERT INTO linkage_keys (project, wrapped, created_at) VALUES (:project, :wrapped, :nowMs) ON CONFLICT DO NOTHING`,
  linkageKey: `
    SELECT wrapped, destroyed_at AS atMs, destroyed_links AS links, destroyed_digest AS digest
      FROM linkage_keys WHERE project = :project`,
  /** Only while the key is there: a job that began before it was destroyed leaves nothing behind. */
  keepLink: `
    INSERT INTO links (project, job, pseudonym, pseudo_study, study_digest, patient_digest, sealed, at)
    SELECT jobs.project, jobs.id, :pseudonym, :pseudoStudyInstanceUid, :studyDigest, :patientDigest, :sealed, :nowMs
      FROM study_jobs AS jobs JOIN linkage_keys ON linkage_keys.project = jobs.project AND wrapped IS NOT NULL
     WHERE jobs.job_no = :jobNo
    ON CONFLICT (project, study_digest, pseudo_study, pseudonym) DO UPDATE
      SET job = excluded.job, patient_digest = excluded.patient_digest, sealed = excluded.sealed, at = excluded.at`,
  countLinks: "SELECT count(*) AS links FROM links WHERE project = :project",
  listLinks: `SELECT ${LINK_COLUMNS} FROM links WHERE project = :project AND link_no > :after ORDER BY link_no LIMIT :limit`,
  linksOfPseudonym: `
    SELECT ${LINK_COLUMNS} FROM links WHERE project = :project AND pseudonym = :pseudonym AND link_no > :after
     ORDER BY link_no LIMIT :limit`,
  linksOfPatient: `
    SELECT ${LINK_COLUMNS} FROM links WHERE project = :project AND patient_digest = :patientDigest AND link_no > :after
     ORDER BY link_no LIMIT :limit`,
  deleteLinks: "DELETE FROM links WHERE project = :project",
  destroyLinkageKey: `
    UPDATE linkage_keys SET wrapped = NULL, destroyed_at = :nowMs, destroyed_links = :links, destroyed_digest = :digest
     WHERE project = :project`,
} as const;
