import {
  isFieldUid,
  type SeriesInstanceUid,
  type SopInstanceUid,
  type StudyInstanceUid,
  trimUid,
} from "../../../dicom/uid.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { findOrthancStudies, instancesOfStudy, seriesOfStudy } from "./resources.ts";

/** An instance that an Orthanc holds, and what it calls it. */
export interface HeldInstance {
  readonly orthancId: string;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
}

export interface HeldStudy {
  readonly instances: readonly HeldInstance[];
  /** Held under names that are no UIDs. */
  readonly unnamed: number;
}

/** One study has as many resources as it has Patient IDs. */
const MAXIMUM_RESOURCES = 1_000;

/** See `heldStudy`. */
export async function heldInstances(
  client: HttpClient,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<readonly HeldInstance[]> {
  return (await heldStudy(client, study, signal)).instances;
}

/**
 * All instances of a study, in one request and two for each of its resources, however many they are. A search
 * for instances would be one request less, and cut short without a word where LimitFindInstances is set.
 */
export async function heldStudy(client: HttpClient, study: StudyInstanceUid, signal: AbortSignal): Promise<HeldStudy> {
  let unnamed = 0;
  const found = new Map<string, HeldInstance>();
  const query = { StudyInstanceUID: study };
  for (const resource of await findOrthancStudies(client, query, { limit: MAXIMUM_RESOURCES }, signal)) {
    // Orthanc matches loosely where it is set so.
    if (trimUid(resource.MainDicomTags.StudyInstanceUID ?? "") !== study) continue;
    const [series, instances] = await Promise.all([
      seriesOfStudy(client, resource.ID, signal),
      instancesOfStudy(client, resource.ID, signal),
    ]);
    const uidOfSeries = new Map(series.map(({ ID, MainDicomTags }) => [ID, MainDicomTags.SeriesInstanceUID ?? ""]));
    for (const { ID, ParentSeries, MainDicomTags } of instances) {
      const sopInstanceUid = trimUid(MainDicomTags.SOPInstanceUID ?? "");
      const seriesInstanceUid = trimUid(uidOfSeries.get(ParentSeries) ?? "");
      if (!isFieldUid(sopInstanceUid) || !isFieldUid(seriesInstanceUid)) {
        unnamed += 1;
        continue;
      }
      found.set(sopInstanceUid, {
        orthancId: ID,
        seriesInstanceUid: seriesInstanceUid as SeriesInstanceUid,
        sopInstanceUid: sopInstanceUid as SopInstanceUid,
      });
    }
  }
  return { instances: [...found.values()], unnamed };
}
