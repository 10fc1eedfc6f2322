import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { fileBytes, listFiles, type ResourcePath, resourcePath, type XnatFile } from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { findSessionsOfStudy, isNotFound, readSession, type XnatScan } from "../../network/rest/xnat/sessions.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { SeriesCounts } from "./find.ts";

/** One series of a study that lies in the XNAT. */
export interface LandedSeries {
  /** Undefined: XNAT does not tell. */
  readonly seriesInstanceUid: string | undefined;
  readonly files: readonly (XnatFile & { readonly resource: ResourcePath })[];
}

export interface LandedStudy {
  /** The XNAT's own id, which is nobody's identifier. */
  readonly sessionId: string;
  readonly series: readonly LandedSeries[];
}

const DICOM_RESOURCES: ReadonlySet<string> = new Set(["DICOM", "secondary"]);
const PARALLEL_SCANS = 4;

/** The study in the archive of the XNAT, by its UID; labels may be anybody's. */
export async function landedStudy(
  client: HttpClient,
  project: string,
  studyInstanceUid: string,
  signal: AbortSignal,
): Promise<LandedStudy | undefined> {
  const [row] = await findSessionsOfStudy(client, project, studyInstanceUid, signal);
  return row === undefined ? undefined : await landedById(client, row.ID, signal);
}

/** @param id of a session, as the XNAT names it */
export async function landedById(client: HttpClient, id: string, signal: AbortSignal): Promise<LandedStudy> {
  const session = await readSession(client, id, signal);
  const series: LandedSeries[] = [];
  await concurrently(session.scans, PARALLEL_SCANS, async (scan) => {
    series.push({ seriesInstanceUid: scan.uid, files: await filesOfScan(client, session.id, scan, signal) });
  });
  return { sessionId: session.id, series };
}

async function filesOfScan(client: HttpClient, sessionId: string, scan: XnatScan, signal: AbortSignal) {
  const path = xnatPath("data/experiments", sessionId, "scans", scan.id);
  const files: LandedSeries["files"][number][] = [];
  for (const { label } of scan.resources) {
    if (!DICOM_RESOURCES.has(label)) continue;
    const resource = resourcePath(path, label);
    for (const file of (await listFiles(client, resource, signal)) ?? []) files.push({ ...file, resource });
  }
  return files;
}

/** Series that have fewer files than the archive counts instances; those that it gives no count of need a file at least. */
export function shortSeries({ series }: LandedStudy, wanted: SeriesCounts): readonly string[] {
  const counts = new Map<string | undefined, number>();
  for (const { seriesInstanceUid, files } of series)
    counts.set(seriesInstanceUid, (counts.get(seriesInstanceUid) ?? 0) + files.length);
  return [...wanted].flatMap(([uid, instances]) => ((counts.get(uid) ?? 0) >= (instances ?? 1) ? [] : [uid]));
}

/**
 * A catalogue may name files that are not on the disk, and then the study counts as there for everybody who asks.
 * @throws GatewayError XNAT_SESSION_EMPTY when the first file of every series is not there
 */
export async function refuseShell(client: HttpClient, { sessionId, series }: LandedStudy, signal: AbortSignal) {
  for (const { files } of series) {
    const [first] = files;
    if (first === undefined || (await isThere(client, first, signal))) return;
  }
  if (series.length > 0) throw new GatewayError("XNAT_SESSION_EMPTY", { session: sessionId });
}

async function isThere(client: HttpClient, { resource, path }: LandedSeries["files"][number], signal: AbortSignal) {
  try {
    for await (const _ of fileBytes(client, resource, path, signal)) return true;
    return false;
  } catch (thrown) {
    if (isNotFound(thrown)) return false;
    throw thrown;
  }
}
