import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { submitCohort } from "../src/store/sql/submit.ts";
import { openDatabase } from "../src/store/sqlite/database.ts";
import { openSession, type SqliteSession } from "../src/store/sqlite/session.ts";

/** Studies of each cohort, and whose they are: a few large ones and many small ones, as at a site in its third year. */
const COHORTS: readonly (readonly [project: string, studies: number])[] = [
  ["lung-ct", 500_000],
  ["brain-mr", 200_000],
  ["lung-ct", 100_000],
  ["brain-mr", 60_000],
  ["lung-ct", 40_000],
  ...Array.from({ length: 95 }, (_, index) => [index % 2 === 0 ? "lung-ct" : "brain-mr", 1_000] as const),
  ...Array.from({ length: 20 }, (_, index) => [index % 2 === 0 ? "rare-a" : "rare-b", 250] as const),
];

export const PROJECTS = ["lung-ct", "brain-mr", "rare-a", "rare-b"] as const;

/** So many other jobs are changed between two changes of one. */
const TURNS = 100;

const NOW_MS = Date.UTC(2026, 0, 1);
const LATER_MS = Date.UTC(2099, 0, 1);

/** By the last digits of a job's number. `quarantined` is rare, and in the largest cohort almost at its end. */
const STATES = `
  CASE WHEN job_no IN (499990, 499995) THEN 'quarantined'
       WHEN job_no > 500000 AND job_no % 100 = 7 THEN 'quarantined'
       WHEN job_no % 1000 = 5 THEN 'held'
       WHEN job_no % 100 < 4 THEN 'failed' WHEN job_no % 100 < 10 THEN 'not-found' WHEN job_no % 100 < 12 THEN 'excluded'
       WHEN job_no % 100 < 14 THEN 'cancelled' WHEN job_no % 100 < 30 THEN 'waiting' ELSE 'delivered' END`;

/** What the figures need to know of the store. */
export interface LargeStore {
  readonly jobs: number;
  readonly largestCohort: string;
  readonly smallCohort: string;
  /** Deep in the lists. */
  readonly deepJob: string;
  readonly deepJobOfCohort: string;
}

/** Fills the store of a home with a million study jobs, unless that was done; by the store's own statements. Nothing is queued, so that nobody works. */
export async function fillLargeStore(home: string): Promise<LargeStore> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const path = join(home, "radferry.db");
  using database = openDatabase(path, NOW_MS);
  // Nothing is lost that could not be made again.
  database.exec("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 100000; PRAGMA cache_size = -1000000");
  const session = openSession(database, path);
  if (session.get("listCohorts", { after: 0, limit: 1 }) !== undefined) return factsOf(session);
  let study = 1;
  for (const [project, studies] of COHORTS) {
    session.run("begin");
    const first = study;
    const requests = Array.from({ length: studies }, (_, index) => request(index + 1, first + index));
    study += studies;
    await submitCohort(session, { project, columns: ["study_instance_uid"], requests, refused: [] }, NOW_MS);
    session.run("commit");
  }
  database.exec(`
    BEGIN;
    UPDATE study_jobs SET state = ${STATES}, stage = CASE WHEN job_no % 100 < 30 THEN 'retrieving' ELSE 'confirming' END,
      archive = 'pacs', expected = 200, received = 200, excluded = 1, attempts = 1, pseudonym = 'P' || job_no, finished_at = ${NOW_MS};
    UPDATE study_jobs SET due_at = ${LATER_MS}, finished_at = NULL, code = 'ARCHIVE_CLOSED' WHERE state = 'waiting';
    UPDATE study_jobs SET code = 'MOVE_DESTINATION_UNKNOWN' WHERE state = 'failed';
    UPDATE study_jobs SET delivered = 199, verdict = 'complete' WHERE state = 'delivered';
    INSERT INTO deliveries (job_no, destination, state, instances, changed_at, proof, project)
      SELECT job_no, 'research', 'confirmed', 199, ${NOW_MS}, 'sha256', project FROM study_jobs WHERE state = 'delivered';
    UPDATE deliveries SET state = 'failed', code = 'DELIVERY_REFUSED' WHERE job_no % 10000 = 50;
    INSERT INTO job_events (job_no, at, event, detail) SELECT job_no, ${NOW_MS}, 'stage', '{}' FROM study_jobs;
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);`);
  return factsOf(session);
}

function request(rowNumber: number, study: number): Parameters<typeof submitCohort>[1]["requests"][number] {
  const studyInstanceUid = `1.2.826.0.1.3680043.10.1.${study}`;
  return {
    rowNumber,
    studyInstanceUid,
    patientId: `PAT${study}`,
    accessionNumber: `ACC${study}`,
    seriesInstanceUids: undefined,
    participantId: undefined,
    priority: 3,
    cells: [studyInstanceUid],
  };
}

function factsOf(session: SqliteSession): LargeStore {
  const cohorts = session.all("listCohorts", { after: 0, limit: 1_000 });
  const idOf = (jobNo: number): string => String(session.get("jobById", { jobNo })?.id);
  const jobs = session.all("jobCounts").reduce((sum, row) => sum + Number(row.jobs), 0);
  return {
    jobs,
    largestCohort: String(cohorts[0]?.cohort),
    smallCohort: String(cohorts.at(-1)?.cohort),
    deepJob: idOf(jobs - 1_000),
    deepJobOfCohort: idOf(499_000),
  };
}

/** Something that changes jobs beside the gateway, as its own workers would. */
export interface Changer extends Disposable {
  /** Each call changes another job of the largest cohort, to and fro. */
  change(): void;
  /** Puts so many jobs in the queue: workers take them. */
  queue(jobs: number): void;
}

export function openChanger(home: string): Changer {
  const path = join(home, "radferry.db");
  const database = openDatabase(path, NOW_MS);
  const session = openSession(database, path);
  let turn = 0;
  return {
    change() {
      // Of two changes of one job in a row, followers are told the last one alone.
      const jobNo = 100 * (1 + (turn % TURNS)) + 50;
      const isThere = Math.trunc(turn / TURNS) % 2 === 1;
      turn += 1;
      session.run("settle", {
        jobNo,
        state: isThere ? "delivered" : "failed",
        code: isThere ? undefined : "DELIVERY_REFUSED",
        dueAt: undefined,
        attempts: 1,
        finishedAt: NOW_MS,
      });
    },
    queue(jobs) {
      for (let jobNo = 1; jobNo <= jobs; jobNo += 1) session.run("startOver", { jobNo: jobNo * 100 });
    },
    [Symbol.dispose]: () => database.close(),
  };
}
