import { GatewayError } from "../../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { StudyDelivery } from "../destination.ts";

/** Project names that are folder names and nothing else. */
const PROJECT_FOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Where the report is while another takes its place, on servers that replace no file: a delivery that was cut short left it there. */
export const REPORT_ASIDE = ".report.old";

type OfStudy = Pick<StudyDelivery, "project" | "pseudonym" | "studyInstanceUid">;

/** @throws GatewayError USAGE_INVALID for a project that is no folder name */
export function projectFolderOf(path: string, { project }: Pick<StudyDelivery, "project">): string {
  if (!PROJECT_FOLDER.test(project)) {
    throw new GatewayError("USAGE_INVALID", {
      problem: "a project is a folder name of letters, digits, '.', '_' and '-'",
    });
  }
  return path === "" ? project : `${path.replace(/\/+$/, "")}/${project}`;
}

/** `<path>/<project>/<pseudonym>/<study>`: research staff rely on it. @throws as `projectFolderOf` */
export function studyFolderOf(path: string, study: OfStudy): string {
  return `${projectFolderOf(path, study)}/${study.pseudonym}/${study.studyInstanceUid}`;
}

/** `<series>/<instance>.dcm`, below the study's folder. */
export function fileNameOf({
  seriesInstanceUid,
  sopInstanceUid,
}: Pick<DeidentifiedFile, "seriesInstanceUid" | "sopInstanceUid">): string {
  return `${seriesInstanceUid}/${sopInstanceUid}.dcm`;
}
