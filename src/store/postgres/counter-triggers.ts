/** What advisory locks are taken for: the first of their two numbers, or the upper bits of the one. */
export const CHANGES_LOCK_BASE = 0x5241_0000_0000;

/**
 * What follows each change of a job: counters, numbers of changes, its state beside its cohorts, and word to workers that wait.
 *
 * Numbers of changes are given before their transaction commits, and who pages by them must not step over one that commits late: before its
 * first number a transaction takes a shared lock that names the number from which it counts. Who reads goes up to the lowest lock there is.
 */
export const COUNTER_TRIGGERS = `
  CREATE FUNCTION counter_slot() RETURNS BIGINT LANGUAGE sql STABLE AS
    $$ SELECT coalesce(nullif(current_setting('radferry.slot', true), ''), '0')::BIGINT $$;

  CREATE FUNCTION next_change() RETURNS BIGINT LANGUAGE plpgsql AS $$
  DECLARE number BIGINT; begun TEXT;
  BEGIN
    IF coalesce(current_setting('radferry.numbering', true), '') = '' THEN
      -- An expression alone is no statement of its own, which is several times cheaper; what it answers does not matter.
      IF pg_advisory_xact_lock_shared(
        ${CHANGES_LOCK_BASE} + coalesce(pg_sequence_last_value('job_change_numbers'), 0)) IS NULL THEN END IF;
      begun := set_config('radferry.numbering', 'begun', true);
    END IF;
    number := nextval('job_change_numbers');
    IF number % 1000 = 0 THEN
      DELETE FROM job_changes WHERE job_no IN (
        SELECT job_no FROM job_changes WHERE change_no <= number - 100000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN number;
  END $$;

  CREATE FUNCTION count_added_job() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE number BIGINT := next_change(); own BIGINT := counter_slot();
  BEGIN
    WITH numbered AS (INSERT INTO job_changes VALUES (number, new.job_no))
    INSERT INTO job_counts VALUES (new.project, new.stage, new.state, own, 1)
      ON CONFLICT ON CONSTRAINT job_counts_pkey DO UPDATE SET jobs = job_counts.jobs + 1;
    IF new.state = 'queued' THEN PERFORM pg_notify('radferry_work', ''); END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER study_job_added AFTER INSERT ON study_jobs FOR EACH ROW EXECUTE FUNCTION count_added_job();

  CREATE FUNCTION count_changed_job() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE number BIGINT; own BIGINT := counter_slot();
  BEGIN
    IF old.state <> new.state THEN
      number := next_change();
      WITH numbered AS (
        INSERT INTO job_changes VALUES (number, new.job_no)
          ON CONFLICT (job_no) DO UPDATE SET change_no = excluded.change_no),
      counted AS (
        INSERT INTO job_counts
        VALUES (old.project, old.stage, old.state, own, -1), (new.project, new.stage, new.state, own, 1)
          ON CONFLICT ON CONSTRAINT job_counts_pkey DO UPDATE SET jobs = job_counts.jobs + excluded.jobs),
      followed AS (
        UPDATE cohort_jobs SET state = new.state, code = new.code WHERE job_no = new.job_no RETURNING cohort_no)
      INSERT INTO cohort_state_counts (cohort_no, state, slot, jobs)
      SELECT cohort_no, old.state, own, -1 FROM followed UNION ALL SELECT cohort_no, new.state, own, 1 FROM followed
        ON CONFLICT ON CONSTRAINT cohort_state_counts_pkey DO UPDATE SET jobs = cohort_state_counts.jobs + excluded.jobs;
    ELSIF old.stage <> new.stage THEN
      number := next_change();
      WITH numbered AS (
        INSERT INTO job_changes VALUES (number, new.job_no)
          ON CONFLICT (job_no) DO UPDATE SET change_no = excluded.change_no)
      INSERT INTO job_counts
      VALUES (old.project, old.stage, old.state, own, -1), (new.project, new.stage, new.state, own, 1)
        ON CONFLICT ON CONSTRAINT job_counts_pkey DO UPDATE SET jobs = job_counts.jobs + excluded.jobs;
    END IF;
    IF old.state = new.state AND old.code IS DISTINCT FROM new.code THEN
      UPDATE cohort_jobs SET code = new.code WHERE job_no = new.job_no;
    END IF;
    IF old.state <> new.state OR old.code IS DISTINCT FROM new.code THEN
      IF old.code IS NOT NULL THEN
        INSERT INTO job_code_counts VALUES (old.project, old.code, old.state, own, -1)
          ON CONFLICT ON CONSTRAINT job_code_counts_pkey DO UPDATE SET jobs = job_code_counts.jobs - 1;
      END IF;
      IF new.code IS NOT NULL THEN
        INSERT INTO job_code_counts VALUES (new.project, new.code, new.state, own, 1)
          ON CONFLICT ON CONSTRAINT job_code_counts_pkey DO UPDATE SET jobs = job_code_counts.jobs + 1;
      END IF;
    END IF;
    IF new.state = 'queued' AND old.state <> 'queued' THEN PERFORM pg_notify('radferry_work', ''); END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER study_job_changed AFTER UPDATE ON study_jobs FOR EACH ROW
    WHEN (old.state <> new.state OR old.stage <> new.stage OR old.code IS DISTINCT FROM new.code)
    EXECUTE FUNCTION count_changed_job();

  CREATE FUNCTION count_removed_job() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO job_counts VALUES (old.project, old.stage, old.state, counter_slot(), -1)
      ON CONFLICT (project, stage, state, slot) DO UPDATE SET jobs = job_counts.jobs - 1;
    IF old.code IS NOT NULL THEN
      INSERT INTO job_code_counts VALUES (old.project, old.code, old.state, counter_slot(), -1)
        ON CONFLICT (project, code, state, slot) DO UPDATE SET jobs = job_code_counts.jobs - 1;
    END IF;
    DELETE FROM job_changes WHERE job_no = old.job_no;
    RETURN NULL;
  END $$;
  CREATE TRIGGER study_job_removed AFTER DELETE ON study_jobs FOR EACH ROW EXECUTE FUNCTION count_removed_job();

  CREATE FUNCTION count_cohort_job() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF tg_op = 'INSERT' THEN
      INSERT INTO cohort_state_counts VALUES (new.cohort_no, new.state, counter_slot(), 1)
        ON CONFLICT (cohort_no, state, slot) DO UPDATE SET jobs = cohort_state_counts.jobs + 1;
    ELSE
      INSERT INTO cohort_state_counts VALUES (old.cohort_no, old.state, counter_slot(), -1)
        ON CONFLICT (cohort_no, state, slot) DO UPDATE SET jobs = cohort_state_counts.jobs - 1;
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER cohort_job_counted AFTER INSERT OR DELETE ON cohort_jobs FOR EACH ROW EXECUTE FUNCTION count_cohort_job();

  CREATE FUNCTION count_instance() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF tg_op = 'INSERT' THEN
      UPDATE study_jobs SET received = received + 1 WHERE job_no = new.job_no;
    ELSE
      UPDATE study_jobs
         SET received = received + (new.received_at IS NOT NULL)::INT - (old.received_at IS NOT NULL)::INT,
             excluded = excluded + (new.excluded_at IS NOT NULL)::INT - (old.excluded_at IS NOT NULL)::INT,
             delivered = delivered + (new.delivered_at IS NOT NULL)::INT - (old.delivered_at IS NOT NULL)::INT
       WHERE job_no = new.job_no;
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER instance_added AFTER INSERT ON instances FOR EACH ROW WHEN (new.received_at IS NOT NULL)
    EXECUTE FUNCTION count_instance();
  CREATE TRIGGER instance_changed AFTER UPDATE ON instances FOR EACH ROW
    WHEN ((old.received_at IS NULL) <> (new.received_at IS NULL) OR (old.excluded_at IS NULL) <> (new.excluded_at IS NULL)
          OR (old.delivered_at IS NULL) <> (new.delivered_at IS NULL))
    EXECUTE FUNCTION count_instance();`;
