import type { Archive, ListedInstance, RetrieveRequest } from "../../../archive/archive.ts";
import type { SeriesInstanceUid, StudyInstanceUid } from "../../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { HttpClient } from "../../../network/http-client/types.ts";
import { type HeldInstance, heldInstances } from "../../../network/rest/orthanc/held-instances.ts";
import { abortAfter } from "../../../units/abort.ts";
import type { Logger } from "../../../units/logger.ts";
import type { WantedStudy } from "./locate.ts";
import type { Reference } from "./references.ts";

export interface CompleteOptions {
  readonly archive: Archive;
  /** Orthanc-raw. */
  readonly raw: HttpClient;
  /** Empty: the whole study. */
  readonly seriesInstanceUids: readonly string[];
  /** Of each retrieval. */
  readonly transferTimeoutMs: number;
  readonly reference: Reference;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface Completion {
  /** Instances of the wanted series that orthanc-raw holds. */
  readonly held: number;
  /** Those among them that were retrieved now. */
  readonly retrieved: number;
}

/** Retrievals in a row that bring nothing new. */
const MAXIMUM_FUTILE = 2;
/** Retrievals that each bring something. */
const MAXIMUM_ROUNDS = 20;
/** Missing instances that are named in the log, each for itself. */
const LOGGED = 100;

/**
 * Has orthanc-raw hold all that the archive lists of a study, and looks whether it does after every retrieval, whatever the archive said
 * of how that went.
 * @throws GatewayError INSTANCES_MISSING with `missing` when the rest does not come; what the last retrieval failed with, if it did
 */
export async function completeStudy(study: WantedStudy, options: CompleteOptions): Promise<Completion> {
  const { raw, seriesInstanceUids, signal } = options;
  let futile = 0;
  let before = await holdings(raw, study.studyInstanceUid, seriesInstanceUids, signal);
  const atFirst = before.length;
  for (let round = 1; ; round += 1) {
    const missing = missingOf(study, before);
    if (isComplete(study, before, missing)) return { held: before.length, retrieved: before.length - atFirst };
    if (futile === MAXIMUM_FUTILE || round > MAXIMUM_ROUNDS) {
      throw new GatewayError("INSTANCES_MISSING", { missing: missing.length, received: before.length });
    }
    if (before.length > 0) tellMissing(study.studyInstanceUid, missing, options);
    const failure = await retrieveMissing(study, before, missing, options);
    const after = await holdings(raw, study.studyInstanceUid, seriesInstanceUids, signal);
    const isFutile = after.length <= before.length;
    if (isFutile && failure !== undefined) throw failure;
    futile = isFutile ? futile + 1 : 0;
    before = after;
  }
}

async function holdings(
  raw: HttpClient,
  study: StudyInstanceUid,
  seriesInstanceUids: readonly string[],
  signal: AbortSignal,
): Promise<readonly HeldInstance[]> {
  const held = await heldInstances(raw, study, signal);
  if (seriesInstanceUids.length === 0) return held;
  return held.filter(({ seriesInstanceUid }) => seriesInstanceUids.includes(seriesInstanceUid));
}

/** Listed and not held, by UID: as many are not the same ones. */
function missingOf({ listing }: WantedStudy, held: readonly HeldInstance[]): readonly ListedInstance[] {
  if (listing.kind !== "instances") return [];
  const uids = new Set<string>(held.map(placeOf));
  return listing.instances.filter((instance) => !uids.has(placeOf(instance)));
}

/** An instance counts in its own series only. */
function placeOf({ seriesInstanceUid, sopInstanceUid }: Omit<ListedInstance, "sopClassUid">): string {
  return `${seriesInstanceUid} ${sopInstanceUid}`;
}

function isComplete(
  { listing }: WantedStudy,
  held: readonly HeldInstance[],
  missing: readonly ListedInstance[],
): boolean {
  // A study that lists nothing is none that could be handed over.
  if (held.length === 0) return false;
  if (listing.kind === "instances") return missing.length === 0;
  return listing.kind === "unknown" || held.length >= listing.count;
}

function tellMissing(
  study: StudyInstanceUid,
  missing: readonly ListedInstance[],
  { logger, reference }: CompleteOptions,
): void {
  for (const { sopInstanceUid } of missing.slice(0, LOGGED)) {
    logger.debug(`Instance ${reference(sopInstanceUid)} is missing from study ${reference(study)}`);
  }
  if (missing.length > LOGGED) logger.debug("further instances are missing", { missing: missing.length - LOGGED });
}

/** @returns what kept it from being done; what came is looked up either way */
async function retrieveMissing(
  study: WantedStudy,
  held: readonly HeldInstance[],
  missing: readonly ListedInstance[],
  { archive, seriesInstanceUids, transferTimeoutMs, logger, signal }: CompleteOptions,
): Promise<GatewayError | undefined> {
  try {
    for (const request of requestsFor(study, held, missing, seriesInstanceUids)) {
      using limited = abortAfter(transferTimeoutMs, signal);
      const { status, failed } = await archive.retrieve(request, limited);
      if (failed) logger.warn("archive reports failed sub-operations", { status, failed });
    }
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    const failure = toGatewayError(thrown);
    logger.warn("retrieval failed", { code: failure.code, missing: missing.length });
    return failure;
  }
}

/** The study or the series as a whole where nothing of it is held, else the missing instances by their UIDs. */
function requestsFor(
  { studyInstanceUid, listing }: WantedStudy,
  held: readonly HeldInstance[],
  missing: readonly ListedInstance[],
  wantedSeries: readonly string[],
): readonly RetrieveRequest[] {
  if (listing.kind !== "instances" || (held.length === 0 && wantedSeries.length === 0)) {
    const seriesInstanceUids = wantedSeries as readonly SeriesInstanceUid[];
    return [{ studyInstanceUid, ...(wantedSeries.length > 0 && { seriesInstanceUids }) }];
  }
  const begun = new Set(held.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const instances = missing.filter(({ seriesInstanceUid }) => begun.has(seriesInstanceUid));
  const rest = missing.filter(({ seriesInstanceUid }) => !begun.has(seriesInstanceUid));
  const seriesInstanceUids = [...new Set(rest.map(({ seriesInstanceUid }) => seriesInstanceUid))];
  return [
    ...(seriesInstanceUids.length > 0 ? [{ studyInstanceUid, seriesInstanceUids }] : []),
    ...(instances.length > 0 ? [{ studyInstanceUid, instances }] : []),
  ];
}
