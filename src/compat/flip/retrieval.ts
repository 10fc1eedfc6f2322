import { errorRegistry } from "../../errors/registry.ts";
import type { PacsRequest } from "../../network/rest/xnat/dqr.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Semaphore } from "../../units/semaphore.ts";
import { type AccessionStatus, accessionStatuses } from "./buckets.ts";
import type { DataAccess } from "./data-access.ts";
import { CohortRefusedError } from "./errors.ts";
import { type AccessionProblem, findStudies } from "./find-studies.ts";
import { queryDigest } from "./hygiene.ts";
import { type ImportRows, readImportRows } from "./import-rows.ts";
import { QUEUED, requestImport, type SubjectNames, type WantedStudy } from "./imports.ts";
import { checkPacs, type PacsChoice, type PacsStudy } from "./pacs.ts";
import { getProject, type XnatProject } from "./projects.ts";
import type { FlipSettings } from "./settings.ts";
import type { Xnat } from "./xnat.ts";

export interface RetrievalServices {
  readonly settings: FlipSettings;
  readonly dataAccess: DataAccess;
  readonly pacs: PacsChoice;
  /** Queries of the PACS take turns, whichever retrieval they belong to. */
  readonly pacsTurns: Semaphore;
  readonly subjectNames: SubjectNames;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a retrieval did. Accession numbers are for the caller alone. */
export interface RetrievalReport {
  /** FLIP's answer: everything that could be asked for is in XNAT's queue, or further. */
  readonly queued: boolean;
  readonly accessions: number;
  /** Studies that XNAT put into its queue now. */
  readonly queuedNow: number;
  /** Studies that were there already, or on their way. */
  readonly present: number;
  readonly problems: readonly AccessionProblem[];
}

export interface RetrievalRequest {
  readonly xnat: Xnat;
  readonly projectId: string;
  readonly query: string;
  /** Only what failed is asked for again: there being none is success. */
  readonly isRetry: boolean;
  readonly signal: AbortSignal;
  /** Told before anything is sent to the queue: a worker that lost its task stops here. */
  readonly beforeQueueing?: () => Promise<void>;
}

/** One request holds so many studies: for each of them XNAT asks the PACS while the caller waits. */
const STUDIES_PER_REQUEST = 500;

/**
 * Has XNAT draw a project's cohort from its PACS. What is there, on its way or in the queue is not asked for again, so a retrieval may be
 * done twice, or broken off and begun anew.
 * @throws HttpError 404 when there is no such project; GatewayError of XNAT and the data-access API
 */
export async function retrieve(services: RetrievalServices, request: RetrievalRequest): Promise<RetrievalReport> {
  const { settings, pacs, logger } = services;
  const { xnat, projectId, query, signal } = request;
  const project = await getProject(xnat, projectId, signal);
  const accessions = await accessionsOf(services, { project, query, signal });
  if (accessions === undefined) return { queued: false, accessions: 0, queuedNow: 0, present: 0, problems: [] };
  const rows = await rowsOf(services, request, accessions);
  const statuses = statusesOf(services, accessions, rows);
  const missing = missingOf(statuses, request.isRetry);
  const present = accessions.length - missing.length;
  if (missing.length === 0) {
    return {
      queued: request.isRetry || accessions.length > 0,
      accessions: accessions.length,
      queuedNow: 0,
      present,
      problems: [],
    };
  }
  const pacsId = await pacs.id(xnat, signal);
  const { atOnce, timeoutMs } = settings.pacsQueries;
  const found = await findStudies(missing, {
    xnat,
    pacsId,
    turns: services.pacsTurns,
    atOnce,
    timeoutMs,
    logger,
    signal,
  });
  const { free, waiting, problems: busy } = withoutQueued(found.studies, rows);
  const outcome = await queue(services, request, { pacsId, studies: free });
  const problems = [...found.problems, ...busy, ...outcome.problems];
  const report = {
    queued: waiting + outcome.queuedNow > 0 && busy.length === 0 && outcome.problems.length === 0,
    accessions: accessions.length,
    queuedNow: outcome.queuedNow,
    present: present + waiting,
    problems,
  };
  logger.info("retrieval requested", {
    query: queryDigest(query),
    accessions: report.accessions,
    studies: report.queuedNow,
    ok: report.queued,
    failed: problems.length,
  });
  return report;
}

/** What became of each accession number of a project's cohort. @throws CohortRefusedError, and as `retrieve` */
export async function importStatuses(
  services: RetrievalServices,
  request: Pick<RetrievalRequest, "xnat" | "projectId" | "query" | "signal">,
): Promise<readonly AccessionStatus[]> {
  const { xnat, projectId, query, signal } = request;
  const project = await getProject(xnat, projectId, signal);
  const accessions = await services.dataAccess.accessions(sealedId(services, project), query, signal);
  if (accessions.length === 0) return [];
  return statusesOf(services, accessions, await rowsOf(services, request, accessions));
}

/** Undefined when the cohort may not be known: why is in the log. */
async function accessionsOf(
  services: RetrievalServices,
  { project, query, signal }: { readonly project: XnatProject; readonly query: string; readonly signal: AbortSignal },
): Promise<readonly string[] | undefined> {
  try {
    return await services.dataAccess.accessions(sealedId(services, project), query, signal);
  } catch (thrown) {
    if (!(thrown instanceof CohortRefusedError)) throw thrown;
    services.logger.warn("cohort refused by the data-access api", { code: thrown.code, query: queryDigest(query) });
    return undefined;
  }
}

/** The data-access API looks cohorts up by the hub's id, which XNAT keeps as the secondary one. */
function sealedId({ settings }: RetrievalServices, { ID, secondary_ID }: XnatProject): string {
  return settings.sealedProjectId === "hub" && secondary_ID !== "" ? secondary_ID : ID;
}

function rowsOf(
  { logger }: RetrievalServices,
  { xnat, projectId, signal }: Pick<RetrievalRequest, "xnat" | "projectId" | "signal">,
  accessions: readonly string[],
): Promise<ImportRows> {
  // They come newest first: once every accession number was met, older tries say nothing new.
  const unmet = new Set(accessions);
  const isEnough = ({ accessionNumber }: PacsRequest): boolean => {
    unmet.delete(accessionNumber ?? "");
    return unmet.size === 0;
  };
  return readImportRows(xnat, projectId, { logger, signal, isEnough });
}

function statusesOf(
  { settings, clock }: RetrievalServices,
  accessions: readonly string[],
  rows: ImportRows,
): readonly AccessionStatus[] {
  return accessionStatuses(accessions, rows, { nowMs: clock.nowMs(), staleMs: settings.staleMs });
}

/** In the order in which FLIP asks for them: a retry begins with what failed. */
function missingOf(statuses: readonly AccessionStatus[], isRetry: boolean): readonly string[] {
  const isMissing = ({ bucket, isInQueue }: AccessionStatus): boolean =>
    (bucket === "failed" || bucket === "queueFailed") && !isInQueue;
  const missing = statuses.filter(isMissing);
  const ordered = isRetry
    ? [...missing.filter(({ bucket }) => bucket === "failed"), ...missing.filter(({ bucket }) => bucket !== "failed")]
    : missing;
  return ordered.map(({ accession }) => accession);
}

/** XNAT keys what it imports on the study alone: a study that is in its queue is not asked for again, for whatever project. */
function withoutQueued(studies: readonly PacsStudy[], { queued, busyElsewhere }: ImportRows) {
  const own = new Set(queued.map(({ studyInstanceUid }) => studyInstanceUid));
  const busy = studies.filter(
    ({ studyInstanceUid }) => !own.has(studyInstanceUid) && busyElsewhere.has(studyInstanceUid),
  );
  const free = studies.filter(
    ({ studyInstanceUid }) => !own.has(studyInstanceUid) && !busyElsewhere.has(studyInstanceUid),
  );
  const problems = busy.map(({ accessionNumber }) => ({
    accession: accessionNumber,
    code: "FLIP_STUDY_BUSY" as const,
  }));
  return { free, waiting: studies.length - free.length - busy.length, problems };
}

interface Queued {
  readonly queuedNow: number;
  readonly problems: readonly AccessionProblem[];
}

async function queue(
  services: RetrievalServices,
  { xnat, projectId, signal, beforeQueueing }: RetrievalRequest,
  { pacsId, studies }: { readonly pacsId: number; readonly studies: readonly PacsStudy[] },
): Promise<Queued> {
  const { settings, subjectNames } = services;
  if (studies.length === 0) return { queuedNow: 0, problems: [] };
  await checkPacs(xnat, pacsId, signal);
  const { aeTitle, port } = settings.xnat;
  const wanted = studies.map(
    ({ studyInstanceUid, accessionNumber, patient }): WantedStudy => ({
      studyInstanceUid,
      accessionNumber,
      relabelMap: { Subject: subjectNames(projectId, patient.id, studyInstanceUid), Session: accessionNumber },
    }),
  );
  let queuedNow = 0;
  const problems: AccessionProblem[] = [];
  for (let at = 0; at < wanted.length; at += STUDIES_PER_REQUEST) {
    const part = wanted.slice(at, at + STUDIES_PER_REQUEST);
    await beforeQueueing?.();
    const rows = await requestImport(xnat, { pacsId, aeTitle, port, projectId }, part, signal);
    const inQueue = new Set(
      rows.filter(({ status }) => status === QUEUED).map((row) => row.studyInstanceUid || row.accessionNumber),
    );
    const named = new Set(rows.map((row) => row.studyInstanceUid || row.accessionNumber));
    for (const { studyInstanceUid, accessionNumber } of part) {
      const isIn = (set: ReadonlySet<string>): boolean => set.has(studyInstanceUid) || set.has(accessionNumber);
      if (isIn(inQueue)) queuedNow += 1;
      else
        problems.push({ accession: accessionNumber, code: isIn(named) ? "FLIP_IMPORT_FAILED" : "FLIP_IMPORT_DROPPED" });
    }
  }
  return { queuedNow, problems };
}

/** Whether time alone may mend something of it. */
export function transientProblem({ problems }: RetrievalReport): AccessionProblem | undefined {
  return problems.find(({ code }) => errorRegistry[code].class !== "permanent");
}
