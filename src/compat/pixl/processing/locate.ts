import type { Archive, StudyListing, StudyMatch, StudyQuery } from "../../../archive/archive.ts";
import { parseStudyInstanceUid, type StudyInstanceUid } from "../../../dicom/uid.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Logger } from "../../../units/logger.ts";
import type { MessageKeys } from "../messages/keys.ts";
import { type ArchiveName, DiscardError, StudyNotInPrimaryArchiveError } from "./errors.ts";
import type { Reference } from "./references.ts";

/** An archive behind orthanc-raw, and by which name that knows it. */
export interface Source {
  readonly archive: Archive;
  readonly modality: string;
}

/** A study that is wanted, and what its archive lists of it. */
export interface WantedStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly listing: StudyListing;
}

export interface LocateOptions {
  readonly source: Source;
  /** Of the studies that one MRN and accession number lead to. */
  readonly maximumStudies: number;
  /** Whether the patient was withdrawn from the message's project. */
  readonly isWithdrawn?: IsWithdrawn | undefined;
  readonly reference: Reference;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** @throws GatewayError while that cannot be told */
export type IsWithdrawn = (patientId: string) => Promise<boolean>;

/**
 * The studies that an archive has for a message: the one of its UID, else all that match MRN and accession number exactly. Where series
 * are wanted, a study without any of them is none.
 * @returns empty when there is none
 * @throws GatewayError TOO_MANY_STUDIES; PATIENT_WITHDRAWN where one is of such a patient, and what the archive throws
 */
export async function locate(keys: MessageKeys, options: LocateOptions): Promise<readonly WantedStudy[]> {
  const { source, reference, logger } = options;
  const { studyInstanceUid: uid, mrn: patientId, accessionNumber } = keys;
  if (uid !== undefined) {
    const found = await ask({ by: "study-uid", studyInstanceUid: parseStudyInstanceUid(uid) }, keys, options);
    // Nothing takes the place of a study that is there, not even where it lacks the wanted series.
    if (found !== undefined) return found;
  }
  const named = uid === undefined ? "" : reference(uid);
  logger.info(`No study found in modality ${source.modality} with UID '${named}', trying MRN and accession number`);
  // Either of them alone, or blank, would match studies of others.
  if (patientId === "" || accessionNumber === "") return [];
  return (await ask({ by: "accession-number", accessionNumber, patientId }, keys, options)) ?? [];
}

/** Undefined: no study matches. Empty: none of those that do has any of the wanted series. */
async function ask(
  query: StudyQuery,
  keys: MessageKeys,
  options: LocateOptions,
): Promise<readonly WantedStudy[] | undefined> {
  const { source, maximumStudies, logger, signal } = options;
  const matches = await source.archive.findStudies(query, signal);
  if (matches.length === 0) return undefined;
  if (matches.length > maximumStudies) {
    throw new GatewayError("TOO_MANY_STUDIES", { studies: matches.length, maximum: maximumStudies });
  }
  for (const match of matches) await refuseWithdrawn(match, keys, options);
  const wanted: WantedStudy[] = [];
  for (const { studyInstanceUid } of matches) {
    const listing = narrowed(await source.archive.listStudy(studyInstanceUid, signal), keys.seriesInstanceUids);
    tellAbsentSeries(listing, keys.seriesInstanceUids, logger);
    if (listing.kind !== "instances" || listing.instances.length > 0 || keys.seriesInstanceUids.length === 0) {
      wanted.push({ studyInstanceUid, listing });
    }
  }
  return wanted;
}

/** A message may name a study by its UID, and only the archive tells whose it is. Of the message's own patient it is known. */
async function refuseWithdrawn({ patientId }: StudyMatch, { mrn }: MessageKeys, { isWithdrawn }: LocateOptions) {
  if (patientId === "" || patientId === mrn) return;
  if ((await isWithdrawn?.(patientId)) === true) throw new DiscardError("PATIENT_WITHDRAWN");
}

/** The others are retrieved, as PIXL does. */
function tellAbsentSeries(listing: StudyListing, wanted: readonly string[], logger: Logger): void {
  if (listing.kind !== "instances") return;
  const listed = new Set<string>(listing.instances.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const missing = wanted.filter((series) => !listed.has(series)).length;
  if (missing > 0) logger.warn("wanted series are not in the archive", { series: wanted.length, missing });
}

/** A count is the whole study's: it says nothing where only some series are wanted. What cannot be asked for by its name comes with the study, or not at all. */
function narrowed(listing: StudyListing, seriesInstanceUids: readonly string[]): StudyListing {
  const unlisted = listing.kind === "instances" ? (listing.unlisted ?? 0) : 0;
  if (listing.kind === "instances" && unlisted > 0 && seriesInstanceUids.length === 0)
    return { kind: "count", count: listing.instances.length + unlisted };
  if (seriesInstanceUids.length === 0) return listing;
  if (listing.kind !== "instances" || unlisted > 0) return { kind: "unknown" };
  const series = new Set<string>(seriesInstanceUids);
  return {
    kind: "instances",
    instances: listing.instances.filter(({ seriesInstanceUid }) => series.has(seriesInstanceUid)),
  };
}

/** What it means that an archive does not have the study of a message. */
export function notFoundIn(archive: ArchiveName, isSecondaryPrimary: boolean): GatewayError {
  if (archive === "secondary") return new DiscardError("PIXL_STUDY_NOT_FOUND");
  return isSecondaryPrimary ? new DiscardError("PIXL_SECONDARY_IS_PRIMARY") : new StudyNotInPrimaryArchiveError();
}
