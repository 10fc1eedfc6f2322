import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import { CHANGES_KEPT } from "../store/overview.ts";
import { maySeeProject } from "../units/actor.ts";
import type { OperationsContext, ProjectFacts } from "./context.ts";
import { describeDelivery, describeJob, isoTime } from "./describe.ts";
import type {
  JobCountDocument,
  ListedDeliveryDocument,
  OverviewDocument,
  ProjectDocument,
  StudyChangeDocument,
  TroubleDocument,
  WorkerDocument,
} from "./documents.ts";
import { listNodes } from "./nodes.ts";

/** From counters alone, however many jobs there are. */
export async function describeOverview(context: OperationsContext): Promise<OverviewDocument> {
  const { store, actor, clock } = context;
  const [all, oldestAtMs, nodes, trouble] = await Promise.all([
    store.jobCounts(),
    store.oldestWaitingAtMs(actor.projects),
    listNodes(context),
    context.storeTrouble?.(),
  ]);
  const alive = nodes.filter(({ state }) => state === "alive").length;
  const counts = all.filter(({ project }) => maySeeProject(actor, project));
  return {
    at: isoTime(clock.nowMs()),
    total: counts.reduce((sum, { jobs }) => sum + jobs, 0),
    states: summedBy(counts, ({ state }) => state),
    counts,
    oldestWaitingSeconds: oldestAtMs === undefined ? null : Math.max(0, (clock.nowMs() - oldestAtMs) / 1_000),
    nodes: nodes.length === 0 ? null : { alive, silent: nodes.length - alive },
    storeTrouble: trouble === undefined ? null : describeTrouble(trouble),
  };
}

function describeTrouble(code: ErrorCode): TroubleDocument {
  const { summary: message, remedy } = errorRegistry[code];
  return { code, message, remedy };
}

function summedBy(
  counts: readonly JobCountDocument[],
  keyOf: (count: JobCountDocument) => string,
): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const count of counts) sums[keyOf(count)] = (sums[keyOf(count)] ?? 0) + count.jobs;
  return sums;
}

export async function listProjects(context: OperationsContext): Promise<readonly ProjectDocument[]> {
  const { store, actor, projects } = context;
  const counts = await store.jobCounts();
  return [...projects.values()]
    .filter(({ name }) => maySeeProject(actor, name))
    .map((project) =>
      describeProject(
        project,
        counts.filter((count) => count.project === project.name),
      ),
    );
}

function describeProject(
  { name, accessionNumbersUnique, archives, destinations, profile, partial }: ProjectFacts,
  counts: readonly JobCountDocument[],
): ProjectDocument {
  const states = summedBy(counts, ({ state }) => state);
  return { name, archives, destinations, profile, partial, accessionNumbersUnique, states };
}

/** Of the pages' own making: who asks for the next one gives what the last one ended with. */
export interface DeliveryPage {
  readonly state?: "sending" | "sent" | "confirmed" | "failed" | undefined;
  readonly after?: { readonly job: string; readonly destination: string } | undefined;
  readonly limit: number;
}

export async function* listDeliveries(
  { store, actor }: OperationsContext,
  { state, after, limit }: DeliveryPage,
): AsyncGenerator<ListedDeliveryDocument> {
  let place = after;
  for (;;) {
    const page = await store.listDeliveries({
      ...(state === undefined ? {} : { state }),
      ...(actor.projects === undefined ? {} : { projects: actor.projects }),
      ...(place === undefined ? {} : { after: place }),
      limit,
    });
    for (const { job, project, ...delivery } of page)
      if (maySeeProject(actor, project)) yield { job, project, ...describeDelivery(delivery) };
    place = page.at(-1);
    if (place === undefined || page.length < limit) return;
  }
}

export async function listWorkers({ store }: OperationsContext): Promise<readonly WorkerDocument[]> {
  return (await store.listWorkers()).map(({ name, claims, lastClaimAtMs }) => ({
    name,
    claims,
    lastClaimAt: isoTime(lastClaimAtMs),
  }));
}

export interface StudyChanges {
  readonly changes: readonly StudyChangeDocument[];
  /** Number of the last change that there is, whosever it is. */
  readonly last: number;
  /** Some after that number are not kept any more, or it is no number of this home's. */
  readonly isBroken: boolean;
}

/** @param after number of the last change that is known already */
export async function studyChanges(
  { store, actor }: OperationsContext,
  page: { readonly after: number; readonly limit: number },
): Promise<StudyChanges> {
  const { changes, last } = await store.jobChanges(page);
  const seen = changes.filter(({ job }) => maySeeProject(actor, job.project));
  const cohorts = await store.cohortsOfEach(seen.map(({ job }) => job.id));
  const described = seen.map(({ number, job }, index) => ({
    number,
    study: describeJob(job, cohorts[index] ?? [], []),
  }));
  // A number beyond the end is of another home.
  const isBroken = page.after > last || page.after < last - CHANGES_KEPT;
  return { changes: described, last: changes.at(-1)?.number ?? last, isBroken };
}
