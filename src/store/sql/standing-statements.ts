const STANDING_COLUMNS = `
  standing_no AS "standingNo", name, project, archive, wish, timetable, paused, created_at AS "createdAtMs", next_run_at AS "nextRunAtMs"`;

const RUN_COLUMNS = `
  r.run_no AS "runNo", r.number AS "number", r.state AS "state", r.code AS "code", r.reason AS "reason", r.due_at AS "dueAtMs", r.missed AS "missed",
  r.started_at AS "startedAtMs", r.ended_at AS "endedAtMs", r.cohort AS "cohort", r.found AS "found", r.fresh AS "fresh", r.changed AS "changed",
  r.known AS "known", r.refused AS "refused", r.trouble AS "trouble"`;

/** Searches by a timetable, their runs, and what an archive said of studies when a run last looked. */
export const standingStatements = {
  insertStandingCohort: `
    INSERT INTO standing_cohorts (name, project, archive, wish, timetable, paused, created_at, next_run_at)
    VALUES (:name, :project, :archive, :wish, :timetable, 0, :nowMs, :nextRunAtMs) ON CONFLICT DO NOTHING`,
  standingCohort: `SELECT ${STANDING_COLUMNS} FROM standing_cohorts WHERE name = :name`,
  listStandingCohorts: `SELECT ${STANDING_COLUMNS} FROM standing_cohorts WHERE name > :after ORDER BY name LIMIT :limit`,
  pauseStandingCohort: "UPDATE standing_cohorts SET paused = :paused WHERE standing_no = :standingNo",
  scheduleStandingCohort: "UPDATE standing_cohorts SET next_run_at = :nextRunAtMs WHERE standing_no = :standingNo",
  deleteStandingCohort: "DELETE FROM standing_cohorts WHERE standing_no = :standingNo",
  deleteStandingRuns: "DELETE FROM standing_runs WHERE standing_no = :standingNo",
  deleteStandingStudies: "DELETE FROM standing_studies WHERE standing_no = :standingNo",
  dueStandingCohorts: `
    SELECT ${STANDING_COLUMNS} FROM standing_cohorts WHERE paused = 0 AND next_run_at <= :nowMs ORDER BY next_run_at LIMIT :limit`,
  runningStandingCohorts: `
    SELECT ${STANDING_COLUMNS} FROM standing_cohorts
     WHERE standing_no IN (SELECT standing_no FROM standing_runs WHERE state = 'running' ORDER BY standing_no LIMIT :limit)`,
  runningStandingRun: `
    SELECT ${RUN_COLUMNS} FROM standing_runs r WHERE r.standing_no = :standingNo AND r.state = 'running'`,
  lastStandingNumber: `SELECT max(number) AS "number" FROM standing_runs WHERE standing_no = :standingNo`,
  insertStandingRun: `
    INSERT INTO standing_runs (standing_no, number, state, reason, due_at, missed, started_at)
    VALUES (:standingNo, :number, 'running', :reason, :dueAtMs, :missed, :nowMs)`,
  endStandingRun: `
    UPDATE standing_runs
       SET state = :state, code = :code, ended_at = :nowMs, cohort = :cohort, found = :found, fresh = :fresh, changed = :changed,
           known = :known, refused = :refused, trouble = :trouble
     WHERE run_no = :runNo`,
  standingRuns: `
    SELECT ${RUN_COLUMNS} FROM standing_runs r
     WHERE r.standing_no = :standingNo AND r.number < :before ORDER BY r.number DESC LIMIT :limit`,
  lastStandingTrouble: `SELECT max(trouble) AS "trouble" FROM standing_runs`,
  standingTroubles: `
    SELECT ${RUN_COLUMNS}, s.name AS "name", s.project AS "project"
      FROM standing_runs r JOIN standing_cohorts s ON s.standing_no = r.standing_no
     WHERE r.trouble > :after ORDER BY r.trouble LIMIT :limit`,
  standingStudy: `
    SELECT instances FROM standing_studies WHERE standing_no = :standingNo AND study_instance_uid = :studyInstanceUid`,
  setStandingStudy: `
    INSERT INTO standing_studies (standing_no, study_instance_uid, instances) VALUES (:standingNo, :studyInstanceUid, :instances)
    ON CONFLICT (standing_no, study_instance_uid) DO UPDATE SET instances = excluded.instances`,
} as const;
