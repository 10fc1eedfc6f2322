import { exportCohort } from "../cohort/export.ts";
import { type CohortFile, readCohortFile } from "../cohort/read-cohort.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { JOB_STATES } from "../store/job-states.ts";
import type { ExportRow } from "../store/records.ts";
import { maySeeProject } from "../units/actor.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { CohortCheckDocument, CohortDocument, StatusDocument, SubmitDocument } from "./documents.ts";
import type { Operations } from "./operations.ts";
import { listStudies } from "./studies.ts";
import { withdrawnRows } from "./withdrawn-rows.ts";

const PAGE = 500;

/** What a retry or a cancel is about. */
type Selection = { readonly cohort: string } | { readonly job: string };

export async function submitCohort(
  context: OperationsContext,
  file: string,
  name: string,
  { startAtMs }: { readonly startAtMs?: number | undefined } = {},
): Promise<SubmitDocument> {
  const { store, clock, audit, actor } = context;
  const cohort = await readCohort(context, file, name);
  const { columns, requests, refused } = cohort;
  const nowMs = clock.nowMs();
  const submitted = await store.submitCohort({ project: name, columns, requests, refused, startAtMs }, nowMs);
  const { accepted, joined } = submitted;
  const detail = { cohort: submitted.cohort, rows: cohort.rows, accepted };
  await audit.record({ event: "cohort-submitted", actor, outcome: "success", project: name, detail });
  return { cohort: submitted.cohort, project: name, rows: cohort.rows, accepted, joined, refused: cohort.findings };
}

export async function checkCohort(
  context: OperationsContext,
  file: string,
  name: string,
): Promise<CohortCheckDocument> {
  const { rows, requests, findings } = await readCohort(context, file, name);
  return { project: name, rows, accepted: requests.length, refused: findings };
}

async function readCohort(context: OperationsContext, file: string, name: string): Promise<CohortFile> {
  const project = context.projects.get(name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const { accessionNumbersUnique, optOut } = project;
  const isWithdrawn = await withdrawnRows(context, name);
  return await readCohortFile(file, { project: name, accessionNumbersUnique, optOut, isWithdrawn });
}

export async function cohortStatus(
  context: OperationsContext,
  cohort: string,
  withJobs: boolean,
): Promise<StatusDocument> {
  const counted = await context.store.cohortStatus(cohort);
  const { project } = counted;
  if (!withJobs) return { cohort, project, total: counted.total, states: counted.states, done: counted.done };
  const jobs = await Array.fromAsync(listStudies(context, { cohort }));
  // Studies move while they are listed: what the document says of all of them is what it says of each.
  const byState = Object.entries(Object.groupBy(jobs, ({ state }) => state));
  const states = Object.fromEntries(byState.map(([state, of]) => [state, of.length]));
  return { cohort, project, total: jobs.length, states, done: jobs.every(({ state }) => JOB_STATES[state].done), jobs };
}

export async function* listCohorts(
  { store, actor }: OperationsContext,
  page: Parameters<Operations["listCohorts"]>[0] = {},
): AsyncGenerator<CohortDocument> {
  const { size = PAGE, newestFirst = false } = page;
  const projects = page.project === undefined ? actor.projects : [page.project];
  const of = projects === undefined ? {} : { projects };
  let { after } = page;
  for (;;) {
    const cohorts = await store.listCohorts({
      ...of,
      ...(after === undefined ? {} : { after }),
      limit: size,
      newestFirst,
    });
    for (const { cohort, project, rows, accepted, joined, submittedAtMs } of cohorts) {
      if (!maySeeProject(actor, project)) continue;
      const { done } = await store.cohortStatus(cohort);
      yield { cohort, project, rows, accepted, joined, submittedAt: isoTime(submittedAtMs), done };
    }
    after = cohorts.at(-1)?.cohort;
    if (cohorts.length < size) return;
  }
}

export async function* exportRows(context: OperationsContext, cohort: string): AsyncGenerator<string> {
  yield* exportCohort(await openCohort(context, cohort));
}

export async function linkCohort(context: OperationsContext, cohort: string): Promise<Uint8Array> {
  // Brings a writer of Parquet with it, which little else needs.
  const { linkedStudies, linkerTable } = await import("../cohort/linker-table.ts");
  return linkerTable(await linkedStudies(await openCohort(context, cohort)));
}

/** What people wrote into the cohort comes out with it: that it does is written down first. */
async function openCohort({ store, audit, actor }: OperationsContext, cohort: string) {
  const { project } = await store.cohortStatus(cohort);
  await audit.record({ event: "cohort-exported", actor, outcome: "success", project, detail: { cohort } });
  async function* rows(): AsyncGenerator<ExportRow> {
    let afterRow = 0;
    for (;;) {
      const page = await store.exportRows(cohort, { afterRow, limit: PAGE });
      yield* page;
      afterRow = page.at(-1)?.rowNumber ?? afterRow;
      if (page.length < PAGE) return;
    }
  }
  return { columns: await store.cohortColumns(cohort), rows: rows() };
}

export async function retryJobs(
  { store, clock, audit, actor }: OperationsContext,
  selection: Selection,
): Promise<{ readonly retried: number }> {
  const retried = await store.retryJobs(selection, clock.nowMs());
  await audit.record({ event: "studies-retried", actor, outcome: "success", ...named(selection, retried) });
  return { retried };
}

export async function cancelJobs(
  { store, clock, audit, actor }: OperationsContext,
  selection: Selection,
): Promise<{ readonly cancelled: number }> {
  const cancelled = await store.cancelJobs(selection, clock.nowMs());
  await audit.record({ event: "studies-cancelled", actor, outcome: "success", ...named(selection, cancelled) });
  return { cancelled };
}

export async function setPriority(
  { store, clock, audit, actor }: OperationsContext,
  selection: Selection,
  priority: number,
): Promise<{ readonly changed: number }> {
  const changed = await store.setPriority(selection, priority, clock.nowMs());
  const about = named(selection, changed);
  const detail = { ...about.detail, priority };
  await audit.record({ event: "priority-changed", actor, outcome: "success", ...about, detail });
  return { changed };
}

function named(selection: Selection, studies: number) {
  return "job" in selection
    ? { job: selection.job, detail: { studies } }
    : { detail: { cohort: selection.cohort, studies } };
}
