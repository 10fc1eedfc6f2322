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

const RESTING = "CASE state WHEN 'running' THEN 'queued' ELSE state END";

/** By how much what rows of a statement count for differs from what they counted for before it. */
function difference(keys: string, selected: string): string {
  return `
    SELECT ${keys}, sum(jobs) AS jobs
      FROM (SELECT ${selected}, -1 AS jobs FROM was UNION ALL SELECT ${selected}, 1 FROM becomes) AS both_times
     GROUP BY ${keys} HAVING sum(jobs) <> 0`;
}

/** What rows of a statement count for, or counted for. */
function sum(keys: string, selected: string, from: "becomes" | "was"): string {
  return `SELECT ${keys}, ${from === "was" ? "-" : ""}count(*) AS jobs FROM (SELECT ${selected} FROM ${from}) AS counted GROUP BY ${keys}`;
}

function added(table: string, columns: string, source: string): string {
  return `
    INSERT INTO ${table} (${columns}, slot, jobs) SELECT ${columns}, counter_slot(), jobs FROM (${source}) AS counted
      ON CONFLICT ON CONSTRAINT ${table}_pkey DO UPDATE SET jobs = ${table}.jobs + excluded.jobs`;
}

const BY_STAGE = ["project, stage, state", `project, stage, ${RESTING} AS state`] as const;
const BY_CODE = ["project, code, state", "project, code, state"] as const;
const BY_COHORT = ["cohort_no, state", `cohort_no, ${RESTING} AS state`] as const;

/**
 * Counters and numbers of changes by statement, not by row: what changes many jobs counts once. What runs is counted as queued, and stands so
 * beside its cohorts: it is few, so that who asks counts it, and a claim writes no counter. A cohort's counters follow the states that stand
 * beside it. Nobody changes a job while the counters are moved over.
 */
export const RESTING_COUNTERS = `
  LOCK TABLE study_jobs, cohort_jobs IN SHARE ROW EXCLUSIVE MODE;
  DROP TRIGGER study_job_added ON study_jobs;
  DROP TRIGGER study_job_changed ON study_jobs;
  DROP TRIGGER study_job_removed ON study_jobs;
  DROP TRIGGER cohort_job_counted ON cohort_jobs;
  DROP FUNCTION count_added_job(), count_changed_job(), count_removed_job(), count_cohort_job(), next_change();

  UPDATE cohort_jobs SET state = 'queued' WHERE state = 'running';
  INSERT INTO cohort_state_counts SELECT cohort_no, 'queued', slot, jobs FROM cohort_state_counts WHERE state = 'running' AND jobs <> 0
    ON CONFLICT (cohort_no, state, slot) DO UPDATE SET jobs = cohort_state_counts.jobs + excluded.jobs;
  UPDATE cohort_state_counts SET jobs = 0 WHERE state = 'running' AND jobs <> 0;
  INSERT INTO job_counts SELECT project, stage, 'queued', slot, jobs FROM job_counts WHERE state = 'running'
    ON CONFLICT (project, stage, state, slot) DO UPDATE SET jobs = job_counts.jobs + excluded.jobs;
  DELETE FROM job_counts WHERE state = 'running';

  -- Before the first number of a transaction. That these are expressions, not statements, is several times cheaper.
  CREATE FUNCTION begin_numbering() RETURNS BIGINT LANGUAGE plpgsql AS $$
  DECLARE begun TEXT;
  BEGIN
    IF coalesce(current_setting('radferry.numbering', true), '') = '' THEN
      IF pg_advisory_xact_lock_shared(
        ${CHANGES_LOCK_BASE} + coalesce(pg_sequence_last_value('job_change_numbers'), 0)) IS NULL THEN END IF;
      begun := set_config('radferry.numbering', 'begun', true);
    END IF;
    RETURN 0;
  END $$;
  CREATE FUNCTION forget_changes(numbered BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
  DECLARE number BIGINT := coalesce(pg_sequence_last_value('job_change_numbers'), 0);
  BEGIN
    IF number % 1000 < numbered THEN
      DELETE FROM job_changes WHERE job_no IN (
        SELECT job_no FROM job_changes WHERE change_no <= number - 100000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN numbered;
  END $$;

  CREATE FUNCTION count_added_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE numbered BIGINT := begin_numbering();
  BEGIN
    INSERT INTO job_changes
    SELECT nextval('job_change_numbers'), job_no FROM (SELECT job_no FROM becomes ORDER BY job_no) AS made;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    numbered := forget_changes(numbered);
    ${added("job_counts", BY_STAGE[0], sum(...BY_STAGE, "becomes"))};
    IF EXISTS (SELECT 1 FROM becomes WHERE state = 'queued') THEN PERFORM pg_notify('radferry_work', ''); END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER study_job_added AFTER INSERT ON study_jobs REFERENCING NEW TABLE AS becomes
    FOR EACH STATEMENT EXECUTE FUNCTION count_added_jobs();

  -- A full join is never a loop within a loop, however many rows there are.
  CREATE FUNCTION count_changed_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE is_told BOOLEAN; is_counted BOOLEAN; is_followed BOOLEAN; is_coded BOOLEAN; is_queued BOOLEAN; numbered BIGINT;
  BEGIN
    SELECT bool_or(was.state <> becomes.state OR was.stage <> becomes.stage),
           bool_or(was.state <> becomes.state OR was.code IS DISTINCT FROM becomes.code),
           bool_or((was.code IS NOT NULL OR becomes.code IS NOT NULL)
                   AND (was.state <> becomes.state OR was.code IS DISTINCT FROM becomes.code)),
           bool_or(becomes.state = 'queued' AND was.state <> 'queued'),
           bool_or(was.stage <> becomes.stage OR NOT (was.state IN ('queued', 'running') AND becomes.state IN ('queued', 'running')))
      INTO is_told, is_followed, is_coded, is_queued, is_counted
      FROM was FULL JOIN becomes USING (job_no);
    IF is_told THEN
      numbered := begin_numbering();
      INSERT INTO job_changes
      SELECT nextval('job_change_numbers'), job_no
        FROM (SELECT job_no FROM (SELECT job_no, state, stage FROM becomes EXCEPT SELECT job_no, state, stage FROM was) AS changed
               ORDER BY job_no) AS changed
        ON CONFLICT (job_no) DO UPDATE SET change_no = excluded.change_no;
      GET DIAGNOSTICS numbered = ROW_COUNT;
      numbered := forget_changes(numbered);
      IF is_counted THEN
        ${added("job_counts", BY_STAGE[0], difference(...BY_STAGE))};
      END IF;
    END IF;
    IF is_followed AND (is_counted OR is_coded) THEN
      UPDATE cohort_jobs SET state = changed.state, code = changed.code
        FROM (SELECT job_no, ${RESTING} AS state, code FROM becomes EXCEPT SELECT job_no, ${RESTING}, code FROM was) AS changed
       WHERE cohort_jobs.job_no = changed.job_no;
    END IF;
    IF is_coded THEN
      ${added("job_code_counts", BY_CODE[0], `SELECT * FROM (${difference(...BY_CODE)}) AS counted WHERE code IS NOT NULL`)};
    END IF;
    IF is_queued THEN PERFORM pg_notify('radferry_work', ''); END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER study_job_changed AFTER UPDATE ON study_jobs REFERENCING OLD TABLE AS was NEW TABLE AS becomes
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();

  CREATE FUNCTION count_removed_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    ${added("job_counts", BY_STAGE[0], sum(...BY_STAGE, "was"))};
    ${added("job_code_counts", BY_CODE[0], `SELECT * FROM (${sum(...BY_CODE, "was")}) AS counted WHERE code IS NOT NULL`)};
    DELETE FROM job_changes WHERE job_no IN (SELECT job_no FROM was);
    RETURN NULL;
  END $$;
  CREATE TRIGGER study_job_removed AFTER DELETE ON study_jobs REFERENCING OLD TABLE AS was
    FOR EACH STATEMENT EXECUTE FUNCTION count_removed_jobs();

  CREATE FUNCTION count_cohort_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF tg_op = 'INSERT' THEN
      ${added("cohort_state_counts", BY_COHORT[0], sum(...BY_COHORT, "becomes"))};
    ELSIF tg_op = 'DELETE' THEN
      ${added("cohort_state_counts", BY_COHORT[0], sum(...BY_COHORT, "was"))};
    ELSE
      ${added("cohort_state_counts", BY_COHORT[0], difference(...BY_COHORT))};
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER cohort_job_added AFTER INSERT ON cohort_jobs REFERENCING NEW TABLE AS becomes
    FOR EACH STATEMENT EXECUTE FUNCTION count_cohort_jobs();
  CREATE TRIGGER cohort_job_moved AFTER UPDATE ON cohort_jobs REFERENCING OLD TABLE AS was NEW TABLE AS becomes
    FOR EACH STATEMENT EXECUTE FUNCTION count_cohort_jobs();
  CREATE TRIGGER cohort_job_removed AFTER DELETE ON cohort_jobs REFERENCING OLD TABLE AS was
    FOR EACH STATEMENT EXECUTE FUNCTION count_cohort_jobs();`;
