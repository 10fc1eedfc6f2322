import type { DeliveredFile, DeliveredStudy } from "../../delivery/inspection/inspection.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { parsePseudonym } from "../../staging/deidentified-file.ts";
import type { KeptReport } from "../study-reports.ts";

const PATH = /^(?<series>[^/]+)\/(?<instance>[^/]+)\.dcm$/;

/** What a kept report says was delivered; undefined: it does not tell of a delivery. @throws GatewayError STORE_DAMAGED */
export function deliveredStudyOf(report: KeptReport): DeliveredStudy | undefined {
  const { project, pseudonym, studyInstanceUid, files } = report;
  if (pseudonym === undefined || studyInstanceUid === undefined || files === undefined) return undefined;
  try {
    return {
      project,
      pseudonym: parsePseudonym(pseudonym),
      studyInstanceUid: parseStudyInstanceUid(studyInstanceUid),
      files: files.map(fileOf),
    };
  } catch (thrown) {
    throw new GatewayError("STORE_DAMAGED", {}, thrown);
  }
}

function fileOf({ path, sha256, sizeBytes }: NonNullable<KeptReport["files"]>[number]): DeliveredFile {
  const { series = "", instance = "" } = PATH.exec(path)?.groups ?? {};
  return {
    seriesInstanceUid: parseSeriesInstanceUid(series),
    sopInstanceUid: parseSopInstanceUid(instance),
    sha256,
    sizeBytes,
  };
}
