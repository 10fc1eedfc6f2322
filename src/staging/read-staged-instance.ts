import type { DataSet } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { readPart10File } from "../dicom/reader.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { textOf, uidOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { StagedInstance } from "./staging-area.ts";

/** Longer values are skipped, not read: only the header matters here. */
const HELD_BYTES = 4_096;

/**
 * Reads the UIDs of a file and walks its elements to the end, so that what is cut short is not taken for whole.
 * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_MISMATCH when a UID is missing or no UID
 */
export async function readStagedInstance(path: string): Promise<StagedInstance> {
  return (await readStagedHeader(path)).instance;
}

/** The same, and what else its header says; longer values are not in it. */
export async function readStagedHeader(
  path: string,
): Promise<{ readonly instance: StagedInstance; readonly dataSet: DataSet }> {
  const file = await readPart10File(path, { bulkThresholdBytes: HELD_BYTES }).catch((thrown: unknown) => {
    throw thrown instanceof GatewayError
      ? new GatewayError("INSTANCE_UNREADABLE", { ...thrown.details, because: thrown.code }, thrown)
      : thrown;
  });
  await using opened = file;
  const { dataSet, transferSyntaxUid, source } = opened;
  try {
    const instance = {
      studyInstanceUid: parseStudyInstanceUid(uidOf(dataSet, tags.StudyInstanceUID) ?? ""),
      seriesInstanceUid: parseSeriesInstanceUid(uidOf(dataSet, tags.SeriesInstanceUID) ?? ""),
      sopInstanceUid: parseSopInstanceUid(uidOf(dataSet, tags.SOPInstanceUID) ?? ""),
      sopClassUid: uidOf(dataSet, tags.SOPClassUID) ?? "",
      transferSyntaxUid,
      modality: textOf(dataSet, tags.Modality) ?? "",
      sizeBytes: source.sizeBytes,
      path,
    };
    return { instance, dataSet };
  } catch (thrown) {
    throw new GatewayError("INSTANCE_MISMATCH", { what: "UIDs of the data set" }, thrown);
  }
}
