import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import {
  allRequests,
  listDirectArchive,
  type PacsRequest,
  queuedRequest,
  queueImport,
  requestPage,
} from "../../network/rest/xnat/dqr.ts";
import {
  archivePrearchived,
  buildSession,
  listPrearchive,
  prearchiveFate,
} from "../../network/rest/xnat/prearchive.ts";
import type { Clock } from "../../units/clock.ts";
import type { SeriesCounts } from "./find.ts";
import { type LandedStudy, landedStudy, refuseShell, shortSeries } from "./landed.ts";
import type { Landing } from "./landing.ts";

export interface ImportWay {
  readonly client: HttpClient;
  readonly clock: Clock;
  /** The XNAT project that studies land in. */
  readonly project: string;
  readonly landing: Landing;
  /** Longest time between two looks; they come closer together after a change. */
  readonly maximumPollMs: number;
  /** So long nothing changes, and the wait is left to a later try. */
  readonly patienceMs: number;
}

interface WantedStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  /** Of the series that are wanted. */
  readonly counts: SeriesCounts;
}

/** Rows of the queue that are looked through for a request that is there already. */
const MAXIMUM_QUEUE_ROWS = 20_000;
const MAXIMUM_DIRECT_ARCHIVE_ROWS = 10_000;
/** Of the history, newest first; our request is among them as soon as it is carried out. */
const HISTORY_ROWS = 100;

const FIRST_WAIT_MS = 100;

/** How far an import is. */
type Progress =
  | { readonly at: "queue"; readonly request: PacsRequest }
  /** Objects are arriving, or have arrived and are being built and archived. */
  | { readonly at: "direct-archive" | "prearchive"; readonly status: string }
  | { readonly at: "nowhere" };

/**
 * Sees to it that the study lies in the XNAT, and gives what is there. What is there, on its way or queued already is not asked for
 * again, so that any number of tries asks once. Fewer instances than the archive counts are no failure: verification compares.
 * @throws GatewayError XNAT_IMPORT_REFUSED, XNAT_IMPORT_FAILED, XNAT_IMPORT_PENDING, XNAT_SESSION_IN_PREARCHIVE, XNAT_SESSION_EMPTY
 */
export async function importStudy(way: ImportWay, wanted: WantedStudy, signal: AbortSignal): Promise<LandedStudy> {
  const { client, clock, project, maximumPollMs, patienceMs } = way;
  let asked: PacsRequest | undefined;
  let lastSign = "";
  let changedAtMs = clock.nowMs();
  let waitMs = FIRST_WAIT_MS;
  for (;;) {
    signal.throwIfAborted();
    const before = await landedStudy(client, project, wanted.studyInstanceUid, signal);
    if (before !== undefined && shortSeries(before, wanted.counts).length === 0) return before;
    const progress = await progressOf(way, wanted.studyInstanceUid, asked, signal);
    // It goes from the queue towards the archive: who looks there last misses it nowhere.
    const landed = await landedStudy(client, project, wanted.studyInstanceUid, signal);
    if (progress.at === "nowhere") {
      const short = landed === undefined ? [...wanted.counts.keys()] : shortSeries(landed, wanted.counts);
      if (landed !== undefined && (short.length === 0 || asked !== undefined)) return landed;
      if (landed !== undefined) await refuseShell(client, landed, signal);
      if (asked === undefined) asked = await askFor(way, wanted, short, signal);
      else await refuseFailed(way, asked, signal);
    }
    const sign = JSON.stringify([progress, landed?.series.map(({ files }) => files.length), asked?.id]);
    if (sign !== lastSign) [changedAtMs, waitMs] = [clock.nowMs(), FIRST_WAIT_MS];
    lastSign = sign;
    if (clock.nowMs() - changedAtMs >= patienceMs) throw pending(progress);
    waitMs = Math.min(waitMs * 2, maximumPollMs);
    await clock.sleep(waitMs, signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      throw thrown;
    });
  }
}

function pending(progress: Progress): GatewayError {
  // Carried out, and nothing came: it is asked for anew.
  if (progress.at === "nowhere") return new GatewayError("XNAT_IMPORT_FAILED", { at: "receiver" });
  const status = progress.at === "queue" ? progress.request.status : progress.status;
  return new GatewayError("XNAT_IMPORT_PENDING", { at: progress.at, status });
}

async function progressOf(
  way: ImportWay,
  study: StudyInstanceUid,
  asked: PacsRequest | undefined,
  signal: AbortSignal,
): Promise<Progress> {
  const { client, project } = way;
  const request =
    asked === undefined ? await queuedFor(way, study, signal) : await queuedRequest(client, asked.id, signal);
  if (request !== undefined) return { at: "queue", request };
  const direct = (await listDirectArchive(client, MAXIMUM_DIRECT_ARCHIVE_ROWS, signal)).find(
    (each) => each.project === project && each.tag === study,
  );
  if (direct?.status === "ERROR") throw new GatewayError("XNAT_IMPORT_FAILED", { at: "direct-archive" });
  if (direct !== undefined) return { at: "direct-archive", status: direct.status };
  return await prearchiveProgress(way, study, signal);
}

/**
 * Of any project: DQR tells what arrives by the study alone, and two imports of one study would end where the later one wants. Whose ever
 * it is, it is waited for.
 */
async function queuedFor({ client }: ImportWay, study: StudyInstanceUid, signal: AbortSignal) {
  for await (const row of allRequests(client, "queue", MAXIMUM_QUEUE_ROWS, signal)) {
    if (row.studyInstanceUid === study) return row;
  }
  return undefined;
}

/** A session that could be archived is archived; one that a person must look at is named. */
async function prearchiveProgress(
  { client, project }: ImportWay,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<Progress> {
  const session = (await listPrearchive(client, project, signal)).find(({ tag }) => tag === study);
  if (session === undefined) return { at: "nowhere" };
  const { status } = session;
  const fate = prearchiveFate(status);
  if (fate === "stuck") throw new GatewayError("XNAT_SESSION_IN_PREARCHIVE", { status });
  if (fate === "ready" && (await buildSession(client, session, signal)) === "built") {
    const outcome = await archivePrearchived(client, session, "append", signal);
    if (outcome === "conflict") throw new GatewayError("XNAT_SESSION_IN_PREARCHIVE", { status: "CONFLICT" });
  }
  return { at: "prearchive", status };
}

/** @param series all, or those that lack instances. @throws GatewayError XNAT_IMPORT_REFUSED when it is not queued */
async function askFor(
  { client, project, landing }: ImportWay,
  { studyInstanceUid, counts }: WantedStudy,
  series: readonly string[],
  signal: AbortSignal,
): Promise<PacsRequest> {
  if (counts.size === 0) throw new GatewayError("XNAT_IMPORT_REFUSED");
  const { pacsId, receiver } = landing;
  const studies = [{ studyInstanceUid, seriesInstanceUids: series }];
  const [queued] = await queueImport(client, { pacsId, projectId: project, ...receiver, studies }, signal);
  if (queued === undefined) throw new GatewayError("XNAT_IMPORT_REFUSED");
  return queued;
}

/** Whether the last attempt of what we asked for failed for good: it is queued no more. */
async function refuseFailed({ client, project }: ImportWay, asked: PacsRequest, signal: AbortSignal): Promise<void> {
  const rows = await requestPage(client, "history", { pageSize: HISTORY_ROWS }, signal);
  const attempts = rows.filter(
    ({ studyInstanceUid, xnatProject, id }) =>
      studyInstanceUid === asked.studyInstanceUid && xnatProject === project && id > asked.id,
  );
  const [last] = attempts.sort((one, other) => other.id - one.id);
  // Its text may name the patient.
  if (last?.status === "FAILED")
    throw new GatewayError("XNAT_IMPORT_FAILED", { at: "archive", attempts: attempts.length });
}
