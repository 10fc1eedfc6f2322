import { identifierFromKeys } from "../archive/find-keys.ts";
import { exportCohort } from "../cohort/export.ts";
import { readCohortFile } from "../cohort/read-cohort.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ExportRow, JobRecord } from "../store/records.ts";
import { neverAborted } from "../units/abort.ts";
import { archiveNamed, controlArchive, echoArchive, listArchives } from "./archives.ts";
import { readAudit, verifyAudit } from "./audit.ts";
import type { OperationsContext } from "./context.ts";
import { describeDelivery, describeExclusions, describeJob, describeRelease, isoTime } from "./describe.ts";
import { examine } from "./doctor.ts";
import type {
  CohortDocument,
  ProjectKeysDocument,
  StatusDocument,
  StudyDocument,
  SubmitDocument,
} from "./documents.ts";
import type { Operations } from "./operations.ts";
import { describeInstances, releaseStudy } from "./release.ts";
import { permitOf } from "./roles.ts";

const PAGE = 500;

/** The one implementation of what can be asked, over a store and the composed archives, for one actor. */
export function createOperations(context: OperationsContext): Operations {
  const { store, clock, actor, audit } = context;
  const permit = permitOf(actor, audit);
  /** Nothing is looked at before the permission is there. */
  async function* permitted<T>(operation: keyof Operations, items: () => AsyncIterable<T>): AsyncGenerator<T> {
    await permit(operation);
    yield* items();
  }
  async function once<T>(operation: keyof Operations, ask: () => Promise<T>): Promise<T> {
    await permit(operation);
    return await ask();
  }
  return {
    submitCohort: (file, project) => once("submitCohort", () => submitCohort(context, file, project)),
    cohortStatus: (cohort, options) =>
      once("cohortStatus", () => cohortStatus(context, cohort, options?.jobs ?? false)),
    listCohorts: () => permitted("listCohorts", () => listCohorts(context)),
    exportCohort: (cohort) => permitted("exportCohort", () => exportRows(context, cohort)),
    retryCohort: (cohort) =>
      once("retryCohort", async () => ({ retried: await store.retryJobs({ cohort }, clock.nowMs()) })),
    cancelCohort: (cohort) =>
      once("cancelCohort", async () => ({ cancelled: await store.cancelJobs({ cohort }, clock.nowMs()) })),
    listStudies: (filter) => permitted("listStudies", () => listStudies(context, filter)),
    showStudy: (id) => once("showStudy", () => showStudy(context, id)),
    retryStudy: (id) =>
      once("retryStudy", async () => ({ retried: await store.retryJobs({ job: id }, clock.nowMs()) })),
    cancelStudy: (id) =>
      once("cancelStudy", async () => ({ cancelled: await store.cancelJobs({ job: id }, clock.nowMs()) })),
    releaseStudy: (id, wish) => once("releaseStudy", () => releaseStudy(context, id, wish)),
    changeProjectKey: (project) => once("changeProjectKey", () => changeProjectKey(context, project)),
    showIdentifiedValues: ({ project, profile }) =>
      once("showIdentifiedValues", () =>
        audit.record({ event: "identified-values-shown", actor, outcome: "success", project, detail: { profile } }),
      ),
    readAudit: (page) => once("readAudit", () => readAudit(context, page)),
    verifyAudit: (noted) => once("verifyAudit", () => verifyAudit(context, noted)),
    listArchives: () => permitted("listArchives", () => listArchives(context)),
    controlArchive: (name, controls) => once("controlArchive", () => controlArchive(context, name, controls)),
    echoArchive: (name, signal = neverAborted()) => once("echoArchive", () => echoArchive(context, name, signal)),
    findInArchive: (name, keys, { level, maximumAnswers }, signal = neverAborted()) =>
      permitted("findInArchive", () =>
        archiveNamed(context, name).archive.find(identifierFromKeys(level, keys), maximumAnswers, signal),
      ),
    doctor: (signal = neverAborted()) => once("doctor", () => examine(context, signal)),
  };
}

async function changeProjectKey(
  { store, clock, projects, actor }: OperationsContext,
  name: string,
): Promise<ProjectKeysDocument> {
  const project = projects.get(name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const keyId = await project.keyId();
  const audit = { event: "project-key-changed", actor, outcome: "success", project: name, detail: { keyId } } as const;
  const use = await store.useProjectKey({ project: name, keyId, force: true, audit }, clock.nowMs());
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
  const [cohorts, events, deliveries, ledger, release] = await Promise.all([
    store.cohortsOf(id),
    store.events(id),
    store.deliveries(id),
    store.ledger(id),
    store.releaseOf(id),
  ]);
  return {
    ...describeJob(job, cohorts, events),
    deliveries: deliveries.map(describeDelivery),
    exclusions: describeExclusions(ledger),
    ...(job.state === "quarantined" ? { instances: describeInstances(ledger) } : {}),
    ...(release === undefined ? {} : { release: describeRelease(release) }),
  };
}
