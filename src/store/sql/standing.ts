import { errorRegistry } from "../../errors/registry.ts";
import type { AuditEvent } from "../../units/audit.ts";
import { JOB_STATES } from "../job-states.ts";
import {
  type KnownStudy,
  STANDING_REASONS,
  STANDING_RUN_STATES,
  type StandingCohort,
  type StandingEnd,
  type StandingRun,
  type StandingStore,
} from "../standing.ts";
import { appendAudit } from "./audit.ts";
import { flag, integer, keyOf, oneOf, optional, recordReader, text } from "./columns.ts";
import { inTurn } from "./in-turn.ts";
import { startOver } from "./join.ts";
import { newStandingCohortId } from "./names.ts";
import type { Row, Session } from "./session.ts";
import { submitCohort } from "./submit.ts";

const standingCohortOf = recordReader<StandingCohort & { readonly standingNo: number }>({
  standingNo: integer,
  name: text,
  project: text,
  archive: text,
  wish: text,
  timetable: text,
  paused: flag,
  createdAtMs: integer,
  nextRunAtMs: optional(integer),
});

const runOf = recordReader<Omit<StandingRun, "standing"> & { readonly runNo: number }>({
  runNo: integer,
  number: integer,
  state: oneOf(STANDING_RUN_STATES),
  code: optional(keyOf(errorRegistry)),
  reason: oneOf(STANDING_REASONS),
  dueAtMs: integer,
  missed: integer,
  startedAtMs: integer,
  endedAtMs: optional(integer),
  cohort: optional(text),
  found: integer,
  fresh: integer,
  changed: integer,
  known: integer,
  refused: integer,
});

function told(row: Row): StandingCohort {
  const { standingNo: _, ...standing } = standingCohortOf(row);
  return standing;
}

function toldRun(row: Row, standing: string): StandingRun {
  const { runNo: _, ...run } = runOf(row);
  return { standing, ...run };
}

async function numberOf(session: Session, name: string): Promise<number | undefined> {
  const row = await session.get("standingCohort", { name });
  return row === undefined ? undefined : Number(row.standingNo);
}

export async function addStandingCohort(
  session: Session,
  standing: Parameters<StandingStore["addStandingCohort"]>[0],
  audit: AuditEvent,
  nowMs: number,
): Promise<boolean> {
  const { name, project, archive, wish, timetable, nextRunAtMs } = standing;
  const facts = { name, project, archive, wish, timetable, nextRunAtMs, nowMs };
  if ((await session.run("insertStandingCohort", facts)) === 0) return false;
  await appendAudit(session, audit, nowMs);
  return true;
}

export async function listStandingCohorts(
  session: Session,
  { after = "", limit }: Parameters<StandingStore["listStandingCohorts"]>[0],
): Promise<readonly StandingCohort[]> {
  return (await session.all("listStandingCohorts", { after, limit })).map(told);
}

export async function standingCohort(session: Session, name: string): Promise<StandingCohort | undefined> {
  const row = await session.get("standingCohort", { name });
  return row && told(row);
}

export async function changeStandingCohort(
  session: Session,
  name: string,
  change: Parameters<StandingStore["changeStandingCohort"]>[1],
  audit: AuditEvent,
  nowMs: number,
): Promise<boolean> {
  const standingNo = await numberOf(session, name);
  if (standingNo === undefined) return false;
  const { paused, nextRunAtMs } = change;
  if (paused !== undefined) await session.run("pauseStandingCohort", { standingNo, paused });
  if ("nextRunAtMs" in change) await session.run("scheduleStandingCohort", { standingNo, nextRunAtMs });
  await appendAudit(session, audit, nowMs);
  return true;
}

export async function removeStandingCohort(
  session: Session,
  name: string,
  audit: AuditEvent,
  nowMs: number,
): Promise<boolean> {
  const standingNo = await numberOf(session, name);
  if (standingNo === undefined) return false;
  await session.run("deleteStandingStudies", { standingNo });
  await session.run("deleteStandingRuns", { standingNo });
  await session.run("deleteStandingCohort", { standingNo });
  await appendAudit(session, audit, nowMs);
  return true;
}

export async function dueStandingCohorts(
  session: Session,
  limit: number,
  nowMs: number,
): Promise<readonly StandingCohort[]> {
  const running = (await session.all("runningStandingCohorts", { limit })).map(told);
  const due = (await session.all("dueStandingCohorts", { limit, nowMs })).map(told);
  const names = new Set(running.map(({ name }) => name));
  return [...running, ...due.filter(({ name }) => !names.has(name))].slice(0, limit);
}

export async function beginStandingRun(
  session: Session,
  name: string,
  { reason, dueAtMs, missed, nextRunAtMs }: Parameters<StandingStore["beginStandingRun"]>[1],
  nowMs: number,
): Promise<StandingRun | undefined> {
  const standingNo = await numberOf(session, name);
  if (standingNo === undefined) return undefined;
  if ((await session.get("runningStandingRun", { standingNo })) === undefined) {
    const number = Number((await session.get("lastStandingNumber", { standingNo }))?.number ?? 0) + 1;
    await session.run("insertStandingRun", { standingNo, number, reason, dueAtMs, missed, nowMs });
    await session.run("scheduleStandingCohort", { standingNo, nextRunAtMs });
  }
  const row = await session.get("runningStandingRun", { standingNo });
  return row && toldRun(row, name);
}

export async function endStandingRun(
  session: Session,
  name: string,
  number: number,
  end: StandingEnd,
  nowMs: number,
): Promise<StandingRun | undefined> {
  const standingNo = await numberOf(session, name);
  const row = standingNo === undefined ? undefined : await session.get("runningStandingRun", { standingNo });
  if (standingNo === undefined || row === undefined || Number(row.number) !== number) return undefined;
  const { state, code, counts, cohort: wanted, again = [], seen = [], audit } = end;
  let cohort: string | undefined;
  if (wanted !== undefined && wanted.requests.length > 0) {
    const submitted = await submitCohort(session, wanted, nowMs, newStandingCohortId(name, number));
    cohort = submitted.cohort;
    const { accepted, joined } = submitted;
    if (audit !== undefined)
      await appendAudit(session, { ...audit, detail: { ...audit.detail, cohort, accepted, joined } }, nowMs);
  }
  for (const job of again) await deliverAgain(session, job, { standing: name, run: number }, nowMs);
  for (const study of seen) await session.run("setStandingStudy", { standingNo, ...study });
  const last = code === undefined ? undefined : Number((await session.get("lastStandingTrouble"))?.trouble ?? 0);
  const trouble = last === undefined ? undefined : last + 1;
  await session.run("endStandingRun", { runNo: Number(row.runNo), state, code, cohort, trouble, ...counts, nowMs });
  const [ended] = await standingRuns(session, name, { before: number + 1, limit: 1 });
  return ended;
}

/** One that is not delivered any more is under way, or waits for a person: it comes with what the archive has then. */
async function deliverAgain(
  session: Session,
  id: string,
  detail: { readonly standing: string; readonly run: number },
  nowMs: number,
): Promise<void> {
  const jobNo = Number((await session.get("jobOfId", { id }))?.jobNo);
  if ((await session.get("deliveredJob", { jobNo })) === undefined) return;
  await startOver(session, jobNo, "more at the archive", nowMs, detail);
}

export async function standingRuns(
  session: Session,
  name: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: Parameters<StandingStore["standingRuns"]>[1],
): Promise<readonly StandingRun[]> {
  const standingNo = await numberOf(session, name);
  if (standingNo === undefined) return [];
  return (await session.all("standingRuns", { standingNo, before, limit })).map((row) => toldRun(row, name));
}

export async function standingTroubles(
  session: Session,
  { after, limit }: Parameters<StandingStore["standingTroubles"]>[0],
): Promise<Awaited<ReturnType<StandingStore["standingTroubles"]>>> {
  const rows = await session.all("standingTroubles", { after, limit });
  return rows.map((row) => ({
    ...toldRun(row, text(row.name)),
    trouble: integer(row.trouble),
    project: text(row.project),
  }));
}

const jobFacts = recordReader<{
  readonly id: string;
  readonly state: keyof typeof JOB_STATES;
  readonly seriesInstanceUids: string | undefined;
  readonly expected: number | undefined;
  readonly received: number;
}>({
  id: text,
  state: keyOf(JOB_STATES),
  seriesInstanceUids: optional(text),
  expected: optional(integer),
  received: integer,
});

export async function knownStudies(
  session: Session,
  name: string,
  studyInstanceUids: readonly string[],
): Promise<readonly KnownStudy[]> {
  const row = await session.get("standingCohort", { name });
  if (row === undefined) return [];
  const { standingNo, project } = standingCohortOf(row);
  return await inTurn(studyInstanceUids, async (studyInstanceUid) => {
    const seen = optional(integer)((await session.get("standingStudy", { standingNo, studyInstanceUid }))?.instances);
    const found = await session.get("jobOfStudy", { project, studyInstanceUid });
    const jobRow = found && (await session.get("jobByNumber", { jobNo: Number(found.jobNo) }));
    if (jobRow === undefined) return { job: undefined, state: undefined, instances: undefined, seen };
    const { id, state, seriesInstanceUids, expected, received } = jobFacts(jobRow);
    return { job: id, state, instances: seriesInstanceUids === undefined ? (expected ?? received) : undefined, seen };
  });
}
