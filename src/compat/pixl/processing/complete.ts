import type { Archive, ListedInstance, RetrieveRequest } from "../../../archive/archive.ts";
import type { SeriesInstanceUid, StudyInstanceUid } from "../../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import type { HttpClient } from "../../../network/http-client/types.ts";
import { withHeadersTimeout } from "../../../network/http-client/with-headers-timeout.ts";
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

/** Retrievals in a row that bring nothing new: one of whole series, one of single instances. */
const MAXIMUM_FUTILE = 2;
/** Retrievals that each bring something. */
const MAXIMUM_ROUNDS = 20;
/** Missing instances that are named in the log, each for itself. */
const LOGGED = 100;

/**
 * Has orthanc-raw hold all that the archive lists of a study, and looks whether it does after every retrieval, whatever the archive said
 * of how that went.
 * @throws GatewayError INSTANCES_MISSING with `missing` when the rest does not come; what kept a retrieval from being made
 */
export async function completeStudy(study: WantedStudy, options: CompleteOptions): Promise<Completion> {
  const { seriesInstanceUids, transferTimeoutMs, signal } = options;
  // Orthanc reads the files of a large study for its list.
  const raw = withHeadersTimeout(options.raw, transferTimeoutMs);
  let futile = 0;
  let reason: ErrorCode | undefined;
  let held = await holdings(raw, study.studyInstanceUid, seriesInstanceUids, signal);
  const atFirst = held.length;
  for (let round = 1; ; round += 1) {
    const missing = missingOf(study, held);
    // An archive that does not say what a study holds is asked for it in any case, and has to say that it sent all.
    const isKnown = study.listing.kind === "instances" || (round > 1 && reason === undefined);
    if (isKnown && isComplete(study, held, missing)) return { held: held.length, retrieved: held.length - atFirst };
    if (futile === MAXIMUM_FUTILE || round > MAXIMUM_ROUNDS) {
      const counts = { missing: missing.length, received: held.length };
      throw new GatewayError("INSTANCES_MISSING", { ...counts, ...(reason && { reason }) });
    }
    if (held.length > 0) tellMissing(study.studyInstanceUid, missing, options);
    reason = await retrieveMissing({ study, held, missing, byInstance: futile > 0 }, options);
    const before = broughtOf(study, held);
    held = await holdings(raw, study.studyInstanceUid, seriesInstanceUids, signal);
    futile = broughtOf(study, held) <= before ? futile + 1 : 0;
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

/** How many of the wanted instances are there. */
function broughtOf(study: WantedStudy, held: readonly HeldInstance[]): number {
  const { listing } = study;
  return listing.kind === "instances" ? listing.instances.length - missingOf(study, held).length : held.length;
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

interface Lack {
  readonly study: WantedStudy;
  readonly held: readonly HeldInstance[];
  readonly missing: readonly ListedInstance[];
  /** One instance that cannot be sent may stop a whole series: each is asked for by itself. */
  readonly byInstance: boolean;
}

/** What came is looked up afterwards, however it went. @returns why it ended early */
async function retrieveMissing(
  lack: Lack,
  { archive, seriesInstanceUids, transferTimeoutMs, logger, signal }: CompleteOptions,
): Promise<ErrorCode | undefined> {
  let reason: ErrorCode | undefined;
  for (const request of requestsFor(lack, seriesInstanceUids)) {
    try {
      using limited = abortAfter(transferTimeoutMs, signal);
      await archive.retrieve(request, limited);
    } catch (thrown) {
      signal.throwIfAborted();
      const { code } = toGatewayError(thrown);
      if (!MAY_BE_PARTIAL.has(code)) throw thrown;
      logger.warn("retrieval ended early", { code, missing: lack.missing.length });
      reason = code;
    }
  }
  return reason;
}

/** After these something may have come, and the rest may come by itself. */
const MAY_BE_PARTIAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ARCHIVE_UNABLE",
  "ORTHANC_JOB_FAILED",
  "ORTHANC_JOB_LOST",
  "TIMED_OUT",
]);

/** The study or the series as a whole where nothing of it is held, else the missing instances by their UIDs. */
function requestsFor(
  { study, held, missing, byInstance }: Lack,
  wantedSeries: readonly string[],
): readonly RetrieveRequest[] {
  const { studyInstanceUid, listing } = study;
  const isWhole = listing.kind !== "instances" || (held.length === 0 && !byInstance);
  if (isWhole) {
    const seriesInstanceUids = wantedSeries as readonly SeriesInstanceUid[];
    return [{ studyInstanceUid, ...(wantedSeries.length > 0 && { seriesInstanceUids }) }];
  }
  const begun = new Set(held.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const isNamed = ({ seriesInstanceUid }: ListedInstance): boolean => byInstance || begun.has(seriesInstanceUid);
  const instances = missing.filter(isNamed);
  const rest = missing.filter((instance) => !isNamed(instance));
  const seriesInstanceUids = [...new Set(rest.map(({ seriesInstanceUid }) => seriesInstanceUid))];
  return [
    ...(seriesInstanceUids.length > 0 ? [{ studyInstanceUid, seriesInstanceUids }] : []),
    ...(instances.length > 0 ? [{ studyInstanceUid, instances }] : []),
  ];
}
