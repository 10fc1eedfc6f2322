/** Requests for storage commitment that are still to be answered, and instances whose files left after they were delivered. */
export const COMMITMENTS = `
  CREATE TABLE intake_commitments (
    commitment_no BIGSERIAL PRIMARY KEY, transaction_uid TEXT NOT NULL, calling_ae_title TEXT NOT NULL,
    called_ae_title TEXT NOT NULL, instances TEXT NOT NULL, created_at BIGINT NOT NULL, due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0, UNIQUE (calling_ae_title, transaction_uid)
  );
  CREATE INDEX intake_commitments_due ON intake_commitments (due_at);
  CREATE TABLE intake_delivered (
    sop_instance_uid TEXT PRIMARY KEY, sop_class_uid TEXT NOT NULL, last_at BIGINT NOT NULL
  );
  CREATE INDEX intake_delivered_by_age ON intake_delivered (last_at);
  CREATE INDEX intake_instances_by_sop ON intake_instances (sop_instance_uid);`;
