import type { JobRecord } from "../store/records.ts";
import { maySeeProject } from "../units/actor.ts";
import type { OperationsContext } from "./context.ts";
import { describeDelivery, describeExclusions, describeJob, describeLedger, describeRelease } from "./describe.ts";
import type { IdentityDocument, SeriesLedgerDocument, StudyDocument } from "./documents.ts";
import type { Page, StudyFilter } from "./operations.ts";
import { describeInstances } from "./release.ts";
import { keptReportOf } from "./study-reports.ts";

const PAGE = 500;

export async function* listStudies(
  { store, actor }: OperationsContext,
  { state, cohort, project, code }: StudyFilter,
  { after: first, size = PAGE }: Page = {},
): AsyncGenerator<StudyDocument> {
  const projects = project === undefined ? actor.projects : [project];
  const filter = {
    ...(state === undefined ? {} : { state }),
    ...(cohort === undefined ? {} : { cohort }),
    ...(code === undefined ? {} : { code }),
    ...(projects === undefined ? {} : { projects }),
  };
  let after = first;
  for (;;) {
    const page: readonly JobRecord[] = await store.listJobs({
      ...filter,
      ...(after === undefined ? {} : { after }),
      limit: size,
    });
    const seen = page.filter((job) => maySeeProject(actor, job.project));
    const cohorts = await store.cohortsOfEach(seen.map(({ id }) => id));
    for (const [index, job] of seen.entries()) yield describeJob(job, cohorts[index] ?? [], []);
    after = page.at(-1)?.id;
    if (page.length < size) return;
  }
}

export async function showStudy({ store }: OperationsContext, id: string): Promise<StudyDocument> {
  const job = await store.job(id);
  const [cohorts, events, deliveries, ledger, release] = await Promise.all([
    store.cohortsOf(id),
    store.events(id),
    store.deliveries(id),
    store.ledger(id),
    store.releaseOf(id),
  ]);
  // Of what was never de-identified, or long ago, no report tells.
  const report = ledger.some(({ excludedAtMs }) => excludedAtMs !== undefined)
    ? await keptReportOf(store, id, "last")
    : undefined;
  return {
    ...describeJob(job, cohorts, events),
    deliveries: deliveries.map(describeDelivery),
    exclusions: describeExclusions(ledger),
    ...(report === undefined ? {} : { stayedBehind: report.reasons }),
    ...(job.state === "quarantined" ? { instances: describeInstances(ledger) } : {}),
    ...(release === undefined ? {} : { release: describeRelease(release) }),
  };
}

export async function studyLedger({ store }: OperationsContext, id: string): Promise<readonly SeriesLedgerDocument[]> {
  return describeLedger(await store.ledger(id));
}

/** That it is shown is written down before anything is. */
export async function showIdentity({ store, audit, actor }: OperationsContext, id: string): Promise<IdentityDocument> {
  const { project, studyInstanceUid, accessionNumber, patientId } = await store.job(id);
  await audit.record({ event: "identified-values-shown", actor, outcome: "success", job: id, project });
  return {
    id,
    studyInstanceUid: studyInstanceUid ?? null,
    accessionNumber: accessionNumber ?? null,
    patientId: patientId ?? null,
  };
}
