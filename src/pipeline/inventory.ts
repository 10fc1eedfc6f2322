import type { Archive, ListedInstance, RetrieveRequest, StudyListing } from "../archive/archive.ts";
import type { SeriesInstanceUid } from "../dicom/uid.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { costsItselfAlone } from "../network/instance-files/instance-error.ts";
import type { StagedInstance } from "../staging/staging-area.ts";
import type { LedgerChange } from "../store/records.ts";
import { archiveOf, type StepContext, studyOf } from "./step.ts";

/** What the archive says there is of the wanted series, beside what staging holds of them. */
export interface Inventory {
  readonly archive: Archive;
  readonly listing: StudyListing;
  readonly listedAtMs: number;
  readonly staged: readonly StagedInstance[];
  /** Listed, not staged. Empty when the archive does not list UIDs. */
  readonly missing: readonly ListedInstance[];
  /** Wanted series of which the archive lists nothing; 0 where it does not list UIDs. */
  readonly absentSeries: number;
  readonly seriesInstanceUids: readonly SeriesInstanceUid[] | undefined;
}

/** @param known what the archive listed a moment ago; undefined: it is asked */
export async function takeInventory(
  context: StepContext,
  known?: Pick<Inventory, "listing" | "listedAtMs">,
): Promise<Inventory> {
  const archive = archiveOf(context);
  const study = studyOf(context.job);
  const seriesInstanceUids = context.job.seriesInstanceUids as readonly SeriesInstanceUid[] | undefined;
  const isWanted = ({ seriesInstanceUid }: { readonly seriesInstanceUid: SeriesInstanceUid }): boolean =>
    seriesInstanceUids?.includes(seriesInstanceUid) ?? true;

  const listedAtMs = known?.listedAtMs ?? context.services.clock.nowMs();
  const listing =
    known?.listing ?? narrow(await archive.listStudy(study, context.signal), seriesInstanceUids, isWanted);
  const inStaging = (await context.services.staging.list(study)).filter(isWanted);
  const taken = { archive, listing, listedAtMs, seriesInstanceUids };
  if (listing.kind !== "instances") return { ...taken, staged: inStaging, missing: [], absentSeries: 0 };

  // An instance that the archive does not list is not this account's: it is left where it is.
  const listed = new Set(listing.instances.map((instance) => instance.sopInstanceUid));
  const staged = inStaging.filter((instance) => listed.has(instance.sopInstanceUid));
  const held = new Set(staged.map((instance) => instance.sopInstanceUid));
  const missing = listing.instances.filter((instance) => !held.has(instance.sopInstanceUid));
  const present = new Set(listing.instances.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const absentSeries = new Set(seriesInstanceUids?.filter((uid) => !present.has(uid))).size;
  return { ...taken, staged, missing, absentSeries };
}

/** A count is the whole study's, as is that of instances nobody listed: neither says anything when only some series are wanted. */
function narrow(
  listing: StudyListing,
  series: readonly SeriesInstanceUid[] | undefined,
  isWanted: (instance: ListedInstance) => boolean,
): StudyListing {
  if (series === undefined) return listing;
  if (listing.kind !== "instances" || (listing.unlisted ?? 0) > 0) return { kind: "unknown" };
  return { kind: "instances", instances: listing.instances.filter(isWanted) };
}

export function expectedCount(listing: StudyListing): number | undefined {
  if (listing.kind === "instances") return listing.instances.length + (listing.unlisted ?? 0);
  return listing.kind === "count" ? listing.count : undefined;
}

/**
 * Fetches what is missing, and no more, where the archive lists UIDs; else the wanted series or the study. What is to be written into the ledger of it.
 * @param by `study` may ask for everything at once where nothing is staged; `instance` names every missing instance
 */
export async function fetchMissing(
  context: StepContext,
  inventory: Inventory,
  by: "study" | "instance",
): Promise<readonly LedgerChange[]> {
  const study = studyOf(context.job);
  const { archive, listing, staged, missing, seriesInstanceUids } = inventory;
  if (listing.kind !== "instances" || missing.length > 0) {
    const whole = listing.kind !== "instances" || (by === "study" && staged.length === 0);
    const request: RetrieveRequest = {
      studyInstanceUid: study,
      // What is staged already will not come again: the wait ends with the last of the missing.
      ...(listing.kind === "instances" ? { wanted: new Set(missing.map((instance) => instance.sopInstanceUid)) } : {}),
      sopClassUids: missing.flatMap(({ sopClassUid }) => sopClassUid ?? []),
      job: context.job.id,
    };
    const wholeStudy = { ...request, ...(seriesInstanceUids === undefined ? {} : { seriesInstanceUids }) };
    await archive
      .retrieve(whole ? wholeStudy : { ...request, instances: missing }, context.signal)
      .catch((thrown: unknown) => {
        // One instance that cannot be sent may have stopped the study: verification asks for what is missing by UID, and tells what never came.
        const { code } = toGatewayError(thrown);
        const isOfInstances =
          code === "ARCHIVE_UNABLE" ? whole || staged.length > 0 : staged.length > 0 && isWithheld(thrown);
        const isToldLater = listing.kind === "instances" && isOfInstances;
        if (!isToldLater && !isOwnRefusal(context, thrown, missing)) throw thrown;
      });
  }
  return await account(context, inventory);
}

/** An archive may say of its whole request that it failed when it was we who did not take what it sent. */
const FAILED_SUB_OPERATIONS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ARCHIVE_UNABLE",
  "ARCHIVE_OUT_OF_RESOURCES",
]);

/**
 * What an archive of which other instances came answers to requests for those that it lists and does not give. Of one of which nothing came the
 * same may be said of the whole archive: its address is wrong, or it is broken.
 */
const WITHHOLDING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "HTTP_CONTENT_UNEXPECTED",
  "HTTP_NOT_FOUND",
  "HTTP_REFUSED",
  "HTTP_SERVER_FAILED",
  "RAD69_FAULT_RECEIVER",
  "RAD69_FAULT_SENDER",
  "RAD69_LIMIT_EXCEEDED",
  "RAD69_REPOSITORY_FAILED",
  "RAD69_REQUEST_REFUSED",
  "RAD69_SERVER_ERROR",
  "RAD69_TRANSFER_SYNTAX_REFUSED",
]);

function isWithheld(thrown: unknown): boolean {
  return WITHHOLDING.has(toGatewayError(thrown).code) || costsItselfAlone(thrown);
}

function isOwnRefusal({ services, job }: StepContext, thrown: unknown, missing: readonly ListedInstance[]): boolean {
  const uids = [...missing.map(({ sopInstanceUid }) => sopInstanceUid), studyOf(job)];
  const isPossible = FAILED_SUB_OPERATIONS.has(toGatewayError(thrown).code) || costsItselfAlone(thrown);
  return isPossible && services.refusals.isRefused(uids);
}

/** Whole instances under their names count as received: the ledger's lines. What a power cut takes is fetched again. */
export async function account(context: StepContext, { listing }: Inventory): Promise<readonly LedgerChange[]> {
  const study = studyOf(context.job);
  const { staging } = context.services;
  context.recall.fetched = study;
  const listed =
    listing.kind === "instances" ? new Set(listing.instances.map((instance) => instance.sopInstanceUid)) : undefined;
  const wantedSeries = context.job.seriesInstanceUids;
  const received = (await staging.list(study)).filter(
    (instance) =>
      (listed?.has(instance.sopInstanceUid) ?? true) && (wantedSeries?.includes(instance.seriesInstanceUid) ?? true),
  );
  return received.map(({ sopInstanceUid, seriesInstanceUid }) => ({
    kind: "received",
    sopInstanceUid,
    seriesInstanceUid,
  }));
}
