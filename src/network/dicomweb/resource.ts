import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";

/** What WADO-RS gives: a study, a series or an instance. PS3.18 10.4. */
export interface WadoTarget {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid?: SeriesInstanceUid | undefined;
  /** Only with its series. */
  readonly sopInstanceUid?: SopInstanceUid | undefined;
}

export type QueryLevel = "STUDY" | "SERIES" | "IMAGE";

/** Where a search looks: everywhere, or within a study or series. PS3.18 table 10.6.1-5. */
export interface SearchScope {
  readonly level: QueryLevel;
  readonly studyInstanceUid?: StudyInstanceUid | undefined;
  readonly seriesInstanceUid?: SeriesInstanceUid | undefined;
}

const RESOURCES: { readonly [L in QueryLevel]: string } = { STUDY: "studies", SERIES: "series", IMAGE: "instances" };

/** The path below the base URL. UIDs are digits and dots: nothing is to be escaped. */
export function targetPath({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: WadoTarget): string {
  const series = seriesInstanceUid === undefined ? "" : `/series/${seriesInstanceUid}`;
  const instance = series === "" || sopInstanceUid === undefined ? "" : `/instances/${sopInstanceUid}`;
  return `studies/${studyInstanceUid}${series}${instance}`;
}

export function searchPath({ level, studyInstanceUid, seriesInstanceUid }: SearchScope): string {
  if (studyInstanceUid === undefined || level === "STUDY") return RESOURCES[level];
  const series = level === "IMAGE" ? seriesInstanceUid : undefined;
  return `${targetPath({ studyInstanceUid, seriesInstanceUid: series })}/${RESOURCES[level]}`;
}
