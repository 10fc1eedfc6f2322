import { identifierFromKeys } from "../archive/find-keys.ts";
import { exportCohort } from "../cohort/export.ts";
import { readCohortFile } from "../cohort/read-cohort.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ExportRow, JobRecord } from "../store/records.ts";
import { neverAborted } from "../units/abort.ts";
import type { ArchiveFacts, OperationsContext } from "./context.ts";
import { describeDelivery, describeExclusions, describeJob, isoTime } from "./describe.ts";
import { examine } from "./doctor.ts";
import type {
  ArchiveDocument,
  CohortDocument,
  ProjectKeysDocument,
  StatusDocument,
  StudyDocument,
  SubmitDocument,
} from "./documents.ts";
import type { Operations } from "./operations.ts";

const PAGE = 500;

/** The one implementation of what can be asked, over a store and the composed archives. */
export function createOperations(context: OperationsContext): Operations {
  const { store, clock } = context;
  return {
    submitCohort: (file, project) => submitCohort(context, file, project),
    cohortStatus: (cohort, options) => cohortStatus(context, cohort, options?.jobs ?? false),
    listCohorts: () => listCohorts(context),
    exportCohort: (cohort) => exportRows(context, cohort),
    retryCohort: async (cohort) => ({ retried: await store.retryJobs({ cohort }, clock.nowMs()) }),
    cancelCohort: async (cohort) => ({ cancelled: await store.cancelJobs({ cohort }, clock.nowMs()) }),
    listStudies: (filter) => listStudies(context, filter),
    showStudy: (id) => showStudy(context, id),
    retryStudy: async (id) => ({ retried: await store.retryJobs({ job: id }, clock.nowMs()) }),
    cancelStudy: async (id) => ({ cancelled: await store.cancelJobs({ job: id }, clock.nowMs()) }),
    changeProjectKey: (project) => changeProjectKey(context, project),
    listArchives: () => [...context.archives.values()].map(describeArchive),
    async echoArchive(name, signal = neverAborted()) {
      const { archive } = archiveNamed(context, name);
      const startedAtMs = clock.nowMs();
      await archive.echo(signal);
      return { archive: name, ok: true, milliseconds: clock.nowMs() - startedAtMs };
    },
    findInArchive(name, keys, { level, maximumAnswers }, signal = neverAborted()) {
      return archiveNamed(context, name).archive.find(identifierFromKeys(level, keys), maximumAnswers, signal);
    },
    doctor: (signal = neverAborted()) => examine(context, signal),
  };
}

function archiveNamed({ archives }: OperationsContext, name: string): ArchiveFacts {
  const facts = archives.get(name);
  if (facts === undefined) throw new GatewayError("ARCHIVE_UNKNOWN", { archive: name });
  return facts;
}

function describeArchive({ archive, address, retrieve }: ArchiveFacts): ArchiveDocument {
  return {
    name: archive.name,
    kind: archive.kind,
    address: `${address.aeTitle}@${address.host}:${address.port}`,
    retrieve,
    associations: archive.associations,
    state: "open",
  };
}

async function changeProjectKey(
  { store, clock, projects }: OperationsContext,
  name: string,
): Promise<ProjectKeysDocument> {
  const project = projects.get(name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const use = await store.useProjectKey({ project: name, keyId: await project.keyId(), force: true }, clock.nowMs());
  const keys = (await store.projectKeys(name)).map(({ keyId, sinceMs, forced }) => ({
    keyId,
    since: isoTime(sinceMs),
    forced,
  }));
  return { project: name, changed: use !== "same", keys };
}

async function submitCohort(
  { store, clock, projects }: OperationsContext,
  file: string,
  name: string,
): Promise<SubmitDocument> {
  const project = projects.get(name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const { accessionNumbersUnique, optOut } = project;
  const cohort = await readCohortFile(file, { project: name, accessionNumbersUnique, optOut });
  const { columns, requests, refused } = cohort;
  const submitted = await store.submitCohort({ project: name, columns, requests, refused }, clock.nowMs());
  return {
    cohort: submitted.cohort,
    project: name,
    rows: cohort.rows,
    accepted: submitted.accepted,
    joined: submitted.joined,
    refused: cohort.findings,
  };
}

async function cohortStatus(context: OperationsContext, cohort: string, withJobs: boolean): Promise<StatusDocument> {
  const { project, total, states, done } = await context.store.cohortStatus(cohort);
  if (!withJobs) return { cohort, project, total, states, done };
  return { cohort, project, total, states, done, jobs: await Array.fromAsync(listStudies(context, { cohort })) };
}

async function* listCohorts({ store }: OperationsContext): AsyncGenerator<CohortDocument> {
  let after: string | undefined;
  for (;;) {
    const page = await store.listCohorts({ ...(after === undefined ? {} : { after }), limit: PAGE });
    for (const { cohort, project, rows, accepted, joined, submittedAtMs } of page) {
      const { done } = await store.cohortStatus(cohort);
      yield { cohort, project, rows, accepted, joined, submittedAt: isoTime(submittedAtMs), done };
    }
    after = page.at(-1)?.cohort;
    if (page.length < PAGE) return;
  }
}

async function* exportRows({ store }: OperationsContext, cohort: string): AsyncGenerator<string> {
  const columns = await store.cohortColumns(cohort);
  async function* rows(): AsyncGenerator<ExportRow> {
    let afterRow = 0;
    for (;;) {
      const page = await store.exportRows(cohort, { afterRow, limit: PAGE });
      yield* page;
      afterRow = page.at(-1)?.rowNumber ?? afterRow;
      if (page.length < PAGE) return;
    }
  }
  yield* exportCohort({ columns, rows: rows() });
}

async function* listStudies(
  { store }: OperationsContext,
  filter: Parameters<Operations["listStudies"]>[0],
): AsyncGenerator<StudyDocument> {
  let after: string | undefined;
  for (;;) {
    const page: readonly JobRecord[] = await store.listJobs({
      ...filter,
      ...(after === undefined ? {} : { after }),
      limit: PAGE,
    });
    for (const job of page) yield describeJob(job, await store.cohortsOf(job.id), []);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

async function showStudy({ store }: OperationsContext, id: string): Promise<StudyDocument> {
  const job = await store.job(id);
  const [cohorts, events, deliveries, ledger] = await Promise.all([
    store.cohortsOf(id),
    store.events(id),
    store.deliveries(id),
    store.ledger(id),
  ]);
  return {
    ...describeJob(job, cohorts, events),
    deliveries: deliveries.map(describeDelivery),
    exclusions: describeExclusions(ledger),
  };
}
