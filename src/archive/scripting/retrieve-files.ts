import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StagedInstance } from "../../staging/staging-area.ts";
import type { Archive, ListedInstance, RetrieveRequest, StudyListing } from "../archive.ts";
import type { FolderStorage } from "./folder-storage.ts";

/** A study, a series or an instance, as found or by its UIDs. */
export interface Retrievable {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid?: SeriesInstanceUid;
  readonly sopInstanceUid?: SopInstanceUid;
}

export interface RetrievedFiles {
  /** Written by this retrieval. */
  readonly files: readonly StagedInstance[];
  /** Whether all that the archive has of it has come; `unknown` when it would not say. Of what it has nothing, nothing is complete. */
  readonly verdict: "complete" | "partial" | "unknown";
  /** Listed, asked for twice, and not sent. */
  readonly missing: readonly ListedInstance[];
}

/** Times that what is missing is asked for by itself. */
const MAXIMUM_ROUNDS = 3;

/** Retrieves, compares with what the archive lists, and asks for the missing only. @throws GatewayError of the archive */
export async function retrieveFiles(
  archive: Archive,
  what: Retrievable,
  storage: FolderStorage,
  signal: AbortSignal,
): Promise<RetrievedFiles> {
  const before = storage.written.length;
  const listing = await archive.listStudy(what.studyInstanceUid, signal);
  const listed = listedOf(listing, what);
  await archive.retrieve(requestOf(what, listed), signal);
  const arrived = (): ReadonlySet<string> => new Set(storage.written.map(({ sopInstanceUid }) => sopInstanceUid));
  const missing = (): readonly ListedInstance[] => {
    const here = arrived();
    return listed?.filter(({ sopInstanceUid }) => !here.has(sopInstanceUid)) ?? [];
  };
  let left = missing();
  for (let round = 0; round < MAXIMUM_ROUNDS && left.length > 0; round += 1) {
    const instances = left;
    await archive.retrieve({ ...requestOf(what, listed), instances }, signal);
    left = missing();
    if (left.length === instances.length) break;
  }
  // Others may be retrieved into the same storage meanwhile.
  const isAsked = isOf(what);
  const files = storage.written.slice(before).filter(isAsked);
  const here = new Set(storage.written.filter(isAsked).map(({ sopInstanceUid }) => sopInstanceUid)).size;
  const verdict = left.length > 0 ? "partial" : verdictOf(listing, what, { listed: listed?.length, here });
  return { files, verdict, missing: left };
}

/** Of what misses nothing by name. What is told of a whole study says nothing of one series. */
function verdictOf(
  listing: StudyListing,
  { seriesInstanceUid, sopInstanceUid }: Retrievable,
  of: { readonly listed: number | undefined; readonly here: number },
): RetrievedFiles["verdict"] {
  const isWhole = seriesInstanceUid === undefined;
  if (listing.kind === "count" && isWhole) return of.here > 0 && of.here >= listing.count ? "complete" : "partial";
  if (listing.kind !== "instances") return "unknown";
  const isUnlisted = (listing.unlisted ?? 0) > 0 && sopInstanceUid === undefined;
  if (isUnlisted) return isWhole ? "partial" : "unknown";
  return of.listed === 0 ? "partial" : "complete";
}

/** Undefined: the archive does not list instances. */
function listedOf(listing: StudyListing, what: Retrievable): readonly ListedInstance[] | undefined {
  return listing.kind === "instances" ? listing.instances.filter(isWithin(what)) : undefined;
}

function isOf({ studyInstanceUid, ...within }: Retrievable): (each: StagedInstance) => boolean {
  const isInside = isWithin(within);
  return (each) => each.studyInstanceUid === studyInstanceUid && isInside(each);
}

function isWithin({ seriesInstanceUid, sopInstanceUid }: Omit<Retrievable, "studyInstanceUid">) {
  return (each: Pick<ListedInstance, "seriesInstanceUid" | "sopInstanceUid">): boolean =>
    (seriesInstanceUid === undefined || each.seriesInstanceUid === seriesInstanceUid) &&
    (sopInstanceUid === undefined || each.sopInstanceUid === sopInstanceUid);
}

function requestOf(what: Retrievable, listed: readonly ListedInstance[] | undefined): RetrieveRequest {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = what;
  if (sopInstanceUid !== undefined && seriesInstanceUid === undefined) {
    throw new GatewayError("USAGE_INVALID", { problem: "an instance is retrieved with its series" });
  }
  const classes = listed?.flatMap(({ sopClassUid }) => (sopClassUid === undefined ? [] : [sopClassUid])) ?? [];
  return {
    studyInstanceUid,
    ...(listed === undefined ? {} : { wanted: new Set(listed.map((each) => each.sopInstanceUid)) }),
    ...(classes.length === 0 ? {} : { sopClassUids: [...new Set(classes)] }),
    ...(seriesInstanceUid === undefined ? {} : { seriesInstanceUids: [seriesInstanceUid] }),
    ...(sopInstanceUid === undefined || seriesInstanceUid === undefined
      ? {}
      : { instances: [{ seriesInstanceUid, sopInstanceUid, sopClassUid: classes[0] }] }),
  };
}
