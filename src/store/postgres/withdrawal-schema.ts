/** Who was withdrawn, by keyed digests alone; and what of them may be where. */
export const WITHDRAWALS = `
  CREATE TABLE withdrawals (
    withdrawal_no BIGSERIAL PRIMARY KEY, project TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
    created_at BIGINT NOT NULL, finished_at BIGINT,
    UNIQUE (project, digest)
  );
  CREATE INDEX withdrawals_open ON withdrawals (withdrawal_no) WHERE state = 'open';
  CREATE TABLE withdrawn_jobs (
    withdrawal_no BIGINT NOT NULL REFERENCES withdrawals, job_no BIGINT NOT NULL REFERENCES study_jobs,
    quiet_at BIGINT NOT NULL,
    PRIMARY KEY (withdrawal_no, job_no)
  );
  CREATE TABLE withdrawn_copies (
    copy_no BIGSERIAL PRIMARY KEY, withdrawal_no BIGINT NOT NULL REFERENCES withdrawals,
    job_no BIGINT NOT NULL REFERENCES study_jobs, pseudonym TEXT NOT NULL, pseudo_study TEXT NOT NULL,
    destination TEXT NOT NULL, state TEXT NOT NULL, code TEXT, changed_at BIGINT NOT NULL,
    UNIQUE (withdrawal_no, pseudonym, pseudo_study, destination)
  );
  CREATE INDEX study_jobs_of_patient ON study_jobs (project, patient_id) WHERE patient_id IS NOT NULL;`;

/** Nodes that may have something of a withdrawn patient on their disks, by which they know it, and what was sent unasked by whose it is. */
export const WITHDRAWN_PLACES = `
  CREATE TABLE withdrawn_places (
    withdrawal_no BIGINT NOT NULL REFERENCES withdrawals, node TEXT NOT NULL, state TEXT NOT NULL, changed_at BIGINT NOT NULL,
    PRIMARY KEY (withdrawal_no, node)
  );
  CREATE INDEX withdrawn_places_waiting ON withdrawn_places (node, withdrawal_no) WHERE state = 'waiting';
  ALTER TABLE withdrawn_jobs ADD COLUMN study_digest TEXT;
  CREATE INDEX intake_studies_of_patient ON intake_studies (patient_id);`;
