import { SystemZone } from "luxon";
import { z } from "zod";
import { openingHoursOf, policyInForce } from "../../archive/availability/policy.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StandingCohort, StandingRun } from "../../store/standing.ts";
import { maySeeProject } from "../../units/actor.ts";
import type { AuditEvent } from "../../units/audit.ts";
import type { OperationsContext } from "../context.ts";
import { isoTime } from "../describe.ts";
import type { Scope } from "../scope.ts";
import { checkWish } from "../search/ask-archive.ts";
import { archiveOf } from "../search/of-project.ts";
import type { NewStanding, StandingDetailDocument, StandingDocument, StandingRunDocument } from "./documents.ts";
import { dateIn, queriesOn } from "./relative-dates.ts";
import type { StandingOperations } from "./standing-operations.ts";
import { runsOf, type Timetable } from "./timetable.ts";

/** Of a site; each is asked of an archive again and again. */
const MAXIMUM_STANDING = 500;
const SHOWN_RUNS = 20;
/** What a search may find at a run unless somebody said so. */
const USUAL_MAXIMUM = 10_000;

interface Asking {
  once<T>(operation: keyof StandingOperations, scope: Scope, ask: () => Promise<T>): Promise<T>;
}

/** Who has an archive searched sees patients of everybody's. */
export function createStandingOperations(context: OperationsContext, { once }: Asking): StandingOperations {
  return {
    addStanding: (wish) => once("addStanding", "site", () => addStanding(context, wish)),
    listStanding: () => once("listStanding", "own", () => listStanding(context)),
    showStanding: (name) => once("showStanding", "site", () => showStanding(context, name)),
    pauseStanding: (name) => once("pauseStanding", "site", () => change(context, name, { paused: true })),
    resumeStanding: (name) => once("resumeStanding", "site", () => change(context, name, { paused: false })),
    runStanding: (name) => once("runStanding", "site", () => runStanding(context, name)),
    removeStanding: (name) => once("removeStanding", "site", () => removeStanding(context, name)),
  };
}

async function addStanding(context: OperationsContext, wish: NewStanding): Promise<StandingDocument> {
  const { store, clock } = context;
  const { name, project, archive, queries, times, yesAll, archiveCap } = wish;
  const { availability } = archiveOf(context, wish);
  const timetable = { times, timeZone: wish.timeZone ?? availability.timeZone ?? SystemZone.instance.name };
  const nowMs = clock.nowMs();
  const nextRunAtMs = runsOf(timetable).after(nowMs);
  const { maximumStudies = yesAll === true ? undefined : USUAL_MAXIMUM } = wish;
  const asked = { queries, maximumStudies, yesAll, archiveCap };
  checkWish({ archive, ...asked, queries: queriesOn(queries, dateIn(timetable.timeZone, nowMs)) });
  if ((await store.listStandingCohorts({ limit: MAXIMUM_STANDING })).length >= MAXIMUM_STANDING)
    throw new GatewayError("STANDING_TOO_MANY", { limit: MAXIMUM_STANDING });
  const facts = { name, project, archive, wish: JSON.stringify(asked), timetable: JSON.stringify(timetable) };
  const audit = auditOf(context, "standing-cohort-added", { name, project }, {});
  if (!(await store.addStandingCohort({ ...facts, nextRunAtMs }, audit, nowMs)))
    throw new GatewayError("STANDING_NAME_TAKEN", { standing: name });
  return await describe(context, await standingNamed(context, name));
}

function auditOf(
  { actor }: OperationsContext,
  event: AuditEvent["event"],
  { name, project }: Pick<StandingCohort, "name" | "project">,
  detail: NonNullable<AuditEvent["detail"]>,
): AuditEvent {
  return { event, actor, outcome: "success", project, detail: { standing: name, ...detail } };
}

async function listStanding(context: OperationsContext): Promise<readonly StandingDocument[]> {
  const all = await context.store.listStandingCohorts({ limit: MAXIMUM_STANDING });
  const documents: StandingDocument[] = [];
  for (const standing of all)
    if (maySeeProject(context.actor, standing.project)) documents.push(await describe(context, standing));
  return documents;
}

async function showStanding(context: OperationsContext, name: string): Promise<StandingDetailDocument> {
  const standing = await standingNamed(context, name);
  const runs = await context.store.standingRuns(name, { limit: SHOWN_RUNS });
  return { ...(await describe(context, standing)), wish: wishOf(standing), runs: runs.map(runDocument) };
}

async function change(
  context: OperationsContext,
  name: string,
  { paused }: { readonly paused: boolean },
): Promise<StandingDocument> {
  const { store, clock } = context;
  const standing = await standingNamed(context, name);
  const nowMs = clock.nowMs();
  const next = paused ? {} : { nextRunAtMs: runsOf(timetableOf(standing)).after(nowMs) };
  const audit = auditOf(context, "standing-cohort-changed", standing, { paused });
  await store.changeStandingCohort(name, { paused, ...next }, audit, nowMs);
  return await describe(context, await standingNamed(context, name));
}

async function runStanding(context: OperationsContext, name: string): Promise<StandingDocument> {
  const { store, clock, audit } = context;
  const standing = await standingNamed(context, name);
  const nowMs = clock.nowMs();
  await audit.record(auditOf(context, "standing-cohort-changed", standing, { asked: true }));
  const { nextRunAtMs } = standing;
  await store.beginStandingRun(name, { reason: "asked", dueAtMs: nowMs, missed: 0, nextRunAtMs }, nowMs);
  return await describe(context, await standingNamed(context, name));
}

async function removeStanding(context: OperationsContext, name: string): Promise<void> {
  const standing = await standingNamed(context, name);
  const audit = auditOf(context, "standing-cohort-removed", standing, {});
  await context.store.removeStandingCohort(name, audit, context.clock.nowMs());
}

async function standingNamed({ store }: OperationsContext, name: string): Promise<StandingCohort> {
  const standing = await store.standingCohort(name);
  if (standing === undefined) throw new GatewayError("STANDING_NOT_FOUND", { standing: name });
  return standing;
}

const timetableSchema = z.object({ times: z.array(z.string()), timeZone: z.string() });
const textOrNothing = z.string().optional();
const wishSchema = z.object({
  queries: z.array(
    z.object({
      keys: z.array(z.string()),
      from: textOrNothing,
      to: textOrNothing,
      modality: textOrNothing,
      description: textOrNothing,
    }),
  ),
  maximumStudies: z.number().optional(),
  yesAll: z.boolean().optional(),
  archiveCap: z.number().optional(),
});

export function timetableOf({ timetable }: Pick<StandingCohort, "timetable">): Timetable {
  return timetableSchema.parse(JSON.parse(timetable));
}

/** What is asked for, its dates as they were written. */
export function wishOf({ wish }: Pick<StandingCohort, "wish">): StandingDetailDocument["wish"] {
  return wishSchema.parse(JSON.parse(wish));
}

async function describe(context: OperationsContext, standing: StandingCohort): Promise<StandingDocument> {
  const { name, project, archive, paused, nextRunAtMs } = standing;
  const [last] = await context.store.standingRuns(name, { limit: 1 });
  const isWaiting = last?.state === "running";
  const startsAtMs = isWaiting ? context.clock.nowMs() : paused ? undefined : nextRunAtMs;
  return {
    ...{ name, project, archive, ...timetableOf(standing), paused },
    nextRunAt: paused || nextRunAtMs === undefined ? null : isoTime(nextRunAtMs),
    opensAt: startsAtMs === undefined ? null : await opensAt(context, archive, startsAtMs),
    lastRun: last === undefined ? null : runDocument(last),
  };
}

async function opensAt({ archives, store }: OperationsContext, archive: string, atMs: number): Promise<string | null> {
  const facts = archives.get(archive);
  if (facts === undefined) return null;
  const condition = await store.archiveCondition(archive);
  const opensMs = openingHoursOf(policyInForce(facts.availability, condition)).nextOpeningMs(atMs);
  return opensMs === undefined || opensMs === atMs ? null : isoTime(opensMs);
}

function runDocument(run: StandingRun): StandingRunDocument {
  const { number, state, code = null, reason, dueAtMs, missed, startedAtMs, endedAtMs, cohort = null } = run;
  const { found, fresh, changed, known, refused } = run;
  return {
    ...{ number, state, code, reason, dueAt: isoTime(dueAtMs), missed, startedAt: isoTime(startedAtMs) },
    ...{ endedAt: endedAtMs === undefined ? null : isoTime(endedAtMs), cohort },
    ...{ found, fresh, changed, known, refused },
  };
}
