import { finishMs } from "../../archive/availability/finish.ts";
import { openingHoursOf, policyInForce } from "../../archive/availability/policy.ts";
import { readCohortFile } from "../../cohort/read-cohort.ts";
import { TABLE_LIMITS } from "../../cohort/table-file.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { ahead } from "../../units/ahead.ts";
import type { ArchiveFacts, OperationsContext } from "../context.ts";
import { isoTime } from "../describe.ts";
import type { PlanDocument } from "../inquiries.ts";
import { withdrawnRows } from "../withdrawn-rows.ts";
import type { PlannedArchive, PlannedRow, PlanOutcome, PlanSummary } from "./documents.ts";
import { planRow, type RowPlanning, refusedRow } from "./plan-row.ts";
import { createWeights, type Weights } from "./weight.ts";

/** Kept in memory, each with what it would come to. */
const MAXIMUM_ROWS = 100_000;
/** Archives are asked beside the work itself. */
const ROWS_AT_ONCE = 2;

/**
 * Begins to ask the archives what a cohort file would come to; nothing of it is kept but that it was asked.
 * @throws GatewayError PROJECT_UNKNOWN, COHORT_UNREADABLE, COHORT_NO_KEY_COLUMN, INQUIRIES_EXHAUSTED
 */
export async function planCohort(context: OperationsContext, file: string, name: string): Promise<PlanDocument> {
  const { audit, actor, inquiries, store } = context;
  const project = context.projects.get(name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const { accessionNumbersUnique, optOut, maximumStudiesPerRequest } = project;
  const limits = { ...TABLE_LIMITS, rows: MAXIMUM_ROWS };
  const isWithdrawn = await withdrawnRows(context, name);
  const rowRules = { project: name, accessionNumbersUnique, optOut, isWithdrawn, limits };
  const cohort = await readCohortFile(file, rowRules);
  const detail = { rows: cohort.rows };
  await audit.record({ event: "cohort-planned", actor, outcome: "success", project: name, detail });
  const archives = project.archives.flatMap((each) => context.archives.get(each)?.governed ?? []);
  return inquiries.beginPlan({ project: name, total: cohort.rows }, async (tell, signal) => {
    const weights = createWeights(await store.archiveVolumes());
    const totals = createTotals();
    const found = (row: PlannedRow): void => {
      totals.add(row);
      tell(row);
    };
    const rules = { archives, optOut, maximumStudiesPerRequest };
    const planning: RowPlanning = { project: name, store, rules, isWithdrawn, weights, planned: new Map() };
    for (const { rowNumber, code } of cohort.refused) found(refusedRow(rowNumber, code));
    const rows = ahead(cohort.requests, ROWS_AT_ONCE, async (request) => {
      signal.throwIfAborted();
      return await planRow(planning, request, signal);
    });
    for await (const conclude of rows) found(await conclude());
    return await summarise(context, project.archives, totals, weights);
  });
}

type Sums = Pick<PlanSummary, "studies" | "series" | "instances" | "studiesWithoutCount"> & {
  readonly sizeBytes: number;
};
const NO_SUMS: Sums = { studies: 0, series: 0, instances: 0, studiesWithoutCount: 0, sizeBytes: 0 };

interface Totals {
  add(row: PlannedRow): void;
  of(archive: string): Sums;
  all(): Pick<PlanSummary, "rows" | "outcomes" | "codes"> & Sums;
}

function createTotals(): Totals {
  const outcomes: Partial<Record<PlanOutcome, number>> = {};
  const codes: Partial<Record<ErrorCode, number>> = {};
  const byArchive = new Map<string, Sums>();
  let rows = 0;
  return {
    add({ outcome, code, archive, studies, series, instances, sizeBytes }) {
      rows += 1;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (code !== null) codes[code] = (codes[code] ?? 0) + 1;
      if (archive === null) return;
      const before = byArchive.get(archive) ?? NO_SUMS;
      byArchive.set(archive, {
        studies: before.studies + studies,
        series: before.series + (series ?? 0),
        instances: before.instances + (instances ?? 0),
        sizeBytes: before.sizeBytes + (sizeBytes ?? 0),
        studiesWithoutCount: before.studiesWithoutCount + (instances === null ? studies : 0),
      });
    },
    of: (archive) => byArchive.get(archive) ?? NO_SUMS,
    all: () => ({ rows, outcomes, codes, ...[...byArchive.values()].reduce(added, NO_SUMS) }),
  };
}

function added(a: Sums, b: Sums): Sums {
  return {
    studies: a.studies + b.studies,
    series: a.series + b.series,
    instances: a.instances + b.instances,
    sizeBytes: a.sizeBytes + b.sizeBytes,
    studiesWithoutCount: a.studiesWithoutCount + b.studiesWithoutCount,
  };
}

async function summarise(
  context: OperationsContext,
  archives: readonly string[],
  totals: Totals,
  weights: Weights,
): Promise<PlanSummary> {
  const { disk, staging } = context;
  const { sizeBytes, ...counts } = totals.all();
  const freeBytes = await disk.freeBytes(staging.path).catch(() => null);
  const fits = freeBytes === null ? null : freeBytes - staging.reserveBytes >= sizeBytes;
  const planned: PlannedArchive[] = [];
  for (const name of archives) {
    const facts = context.archives.get(name);
    if (facts !== undefined) planned.push(await planArchive(context, name, facts, totals.of(name)));
  }
  const { reserveBytes } = staging;
  return { ...counts, disk: { sizeBytes, freeBytes, reserveBytes, fits, basis: weights.basis() }, archives: planned };
}

/** How long its studies take by its rates, and when they would be here. */
async function planArchive(
  { store, clock }: OperationsContext,
  name: string,
  { availability }: ArchiveFacts,
  { studies, instances, sizeBytes }: Sums,
): Promise<PlannedArchive> {
  const nowMs = clock.nowMs();
  const condition = await store.archiveCondition(name);
  const policy = policyInForce(availability, condition);
  const hours = openingHoursOf(policy);
  const { studiesPerMinute, bytesPerSecond } = policy;
  const times = [
    ...(studiesPerMinute === undefined ? [] : [(studies * 60_000) / studiesPerMinute]),
    ...(bytesPerSecond === undefined ? [] : [(sizeBytes * 1_000) / bytesPerSecond]),
  ];
  const workMs = times.length === 0 ? undefined : Math.max(...times);
  const opensMs = hours.nextOpeningMs(nowMs);
  const doneMs = workMs === undefined || condition.paused ? undefined : finishMs(hours, nowMs, workMs);
  return {
    name,
    studies,
    instances,
    sizeBytes,
    paused: condition.paused,
    isOpen: opensMs === nowMs,
    nextOpening: opensMs === undefined || opensMs === nowMs ? null : isoTime(opensMs),
    studiesPerMinute: studiesPerMinute ?? null,
    bytesPerSecond: bytesPerSecond ?? null,
    workSeconds: workMs === undefined ? null : Math.ceil(workMs / 1_000),
    doneAt: doneMs === undefined ? null : isoTime(doneMs),
  };
}
