import type { StudyInstanceUid } from "../../../dicom/uid.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { HttpClient } from "../../../network/http-client/types.ts";
import { watchJob } from "../../../network/rest/orthanc/jobs.ts";
import { storeToModality } from "../../../network/rest/orthanc/modalities.ts";
import { findOrthancSeries, findOrthancStudies, type OrthancStudy } from "../../../network/rest/orthanc/resources.ts";
import type { Clock } from "../../../units/clock.ts";
import type { Handover } from "../settings.ts";

export interface HandOverOptions {
  readonly raw: HttpClient;
  readonly anon: HttpClient;
  /** What orthanc-raw calls orthanc-anon. */
  readonly anonModality: string;
  readonly transferTimeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What is handed over. */
export interface HandedOver {
  readonly studyInstanceUids: readonly StudyInstanceUid[];
  /** Empty: the studies whole. */
  readonly seriesInstanceUids: readonly string[];
  /** The project's slug. C-STORE cannot carry it. */
  readonly projectName: string;
}

/** One study has as many resources as it has Patient IDs; a series as many as its studies. */
const MAXIMUM_RESOURCES = 10_000;

const HANDOVERS: Readonly<
  Record<Handover, (work: HandedOver, studies: readonly OrthancStudy[], options: HandOverOptions) => Promise<void>>
> = { rest: tell, "c-store": send };

/**
 * Gives studies that orthanc-raw holds to orthanc-anon, all together.
 * @throws GatewayError INSTANCES_MISSING when orthanc-raw holds none of one of them any more; what refuses it
 */
export async function handOver(by: Handover, work: HandedOver, options: HandOverOptions): Promise<void> {
  const { raw, signal } = options;
  const wanted = new Set<string>(work.studyInstanceUids);
  const query = { StudyInstanceUID: work.studyInstanceUids.join("\\") };
  const found = await findOrthancStudies(raw, query, { limit: MAXIMUM_RESOURCES }, signal);
  const studies = found.filter((study) => wanted.has(uidOf(study)));
  const missing = wanted.difference(new Set(studies.map(uidOf)));
  // Storage that is full gives the oldest patients away.
  if (missing.size > 0) throw new GatewayError("INSTANCES_MISSING", { studies: missing.size });
  await HANDOVERS[by](work, studies, options);
}

function uidOf({ MainDicomTags }: OrthancStudy): string {
  return MainDicomTags.StudyInstanceUID ?? "";
}

/** Has orthanc-anon fetch the studies. Its answer says that it will. */
async function tell(
  { seriesInstanceUids, projectName }: HandedOver,
  studies: readonly OrthancStudy[],
  { anon, signal }: HandOverOptions,
): Promise<void> {
  const body = {
    ResourceIDs: studies.map(({ ID }) => ID),
    StudyInstanceUIDs: studies.map(uidOf),
    SeriesInstanceUIDs: seriesInstanceUids,
    ProjectName: projectName,
  };
  await using _ = await anon.request({
    method: "POST",
    path: "import-from-raw",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
}

/** Has orthanc-raw send the studies, or their wanted series, by C-STORE. */
async function send(
  { studyInstanceUids, seriesInstanceUids }: HandedOver,
  studies: readonly OrthancStudy[],
  { raw, anonModality, transferTimeoutMs: timeoutMs, clock, signal }: HandOverOptions,
): Promise<void> {
  const query = {
    StudyInstanceUID: studyInstanceUids.join("\\"),
    SeriesInstanceUID: seriesInstanceUids.join("\\"),
  };
  const resources =
    seriesInstanceUids.length === 0
      ? studies
      : await findOrthancSeries(raw, query, { limit: MAXIMUM_RESOURCES }, signal);
  const job = await storeToModality(
    raw,
    anonModality,
    resources.map(({ ID }) => ID),
    signal,
  );
  await watchJob(raw, job, { clock, timeoutMs, signal });
}
