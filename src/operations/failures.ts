import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import type { CodeCount, FailureSelection } from "../store/failures.ts";
import { type JobState, RETRYABLE_STATES } from "../store/job-states.ts";
import { maySeeProject } from "../units/actor.ts";
import type { OperationsContext } from "./context.ts";
import { remedyOf } from "./describe.ts";
import type { FailureDocument } from "./insight-operations.ts";

/** What somebody has to look at. Who cancels a study, or has filters that leave nothing of it, wants it so. */
const FAILED: ReadonlySet<JobState> = new Set(["failed", "not-found", "held", "quarantined"]);
/** Queued again at once: each part is a transaction, and others wait for it. */
const PART = 200;

/** See `InsightOperations.listFailures`. */
export async function listFailures(
  { store, actor }: OperationsContext,
  { project }: { readonly project?: string | undefined } = {},
): Promise<readonly FailureDocument[]> {
  const counts = (await store.codeCounts()).filter(
    (count) =>
      maySeeProject(actor, count.project) &&
      (project ?? count.project) === count.project &&
      (FAILED.has(count.state) || count.state === "waiting"),
  );
  const failures = [...Map.groupBy(counts, ({ code }) => code)].map(([code, of]) => describeFailure(code, of));
  return failures.sort((a, b) => b.studies - a.studies || b.waiting - a.waiting || (a.code < b.code ? -1 : 1));
}

function describeFailure(code: ErrorCode, counts: readonly CodeCount[]): FailureDocument {
  const { summary, class: errorClass } = errorRegistry[code];
  const sumOf = (some: readonly CodeCount[]): number => some.reduce((sum, { jobs }) => sum + jobs, 0);
  return {
    code,
    class: errorClass,
    message: summary,
    remedy: remedyOf(code, counts.find(({ state }) => FAILED.has(state))?.state ?? "waiting"),
    studies: sumOf(counts.filter(({ state }) => FAILED.has(state))),
    waiting: sumOf(counts.filter(({ state }) => state === "waiting")),
    states: sums(counts, ({ state }) => state),
    projects: sums(counts, ({ project }) => project),
  };
}

function sums(counts: readonly CodeCount[], keyOf: (count: CodeCount) => string): Readonly<Record<string, number>> {
  const by: Record<string, number> = {};
  for (const count of counts) by[keyOf(count)] = (by[keyOf(count)] ?? 0) + count.jobs;
  return by;
}

/** See `InsightOperations.retryFailures`. What was done is written down once, be it that it was cut short. */
export async function retryFailures(
  context: OperationsContext,
  code: ErrorCode,
  { project, cohort }: { readonly project?: string | undefined; readonly cohort?: string | undefined } = {},
): Promise<{ readonly retried: number }> {
  const { audit, actor } = context;
  // Who is limited to some projects means all of his.
  const projects = project === undefined && cohort === undefined ? (actor.projects ?? [undefined]) : [project];
  const detail = { code, ...(cohort === undefined ? {} : { cohort }) };
  const of = project === undefined ? {} : { project };
  let retried = 0;
  try {
    for (const each of projects) {
      const selection = { code, ...(each === undefined ? {} : { project: each }), ...(cohort ? { cohort } : {}) };
      for (const state of RETRYABLE_STATES) {
        for await (const count of retryParts(context, { ...selection, state })) retried += count;
      }
    }
  } finally {
    const event = { event: "studies-retried", actor, outcome: "success", ...of } as const;
    await audit.record({ ...event, detail: { ...detail, studies: retried } });
  }
  return { retried };
}

/** Goes forward alone: what fails again meanwhile is not met twice. */
async function* retryParts({ store, clock }: OperationsContext, selection: FailureSelection): AsyncGenerator<number> {
  let after: string | undefined;
  do {
    const page = { limit: PART, ...(after === undefined ? {} : { after }) };
    const { retried, last } = await store.retryFailures(selection, page, clock.nowMs());
    yield retried;
    after = last;
  } while (after !== undefined);
}
