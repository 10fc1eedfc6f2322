import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { SeriesInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement, uidOf } from "../../dicom/values.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { Association } from "../../network/dimse/service-types.ts";

interface ListedStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly files: readonly { readonly seriesInstanceUid: SeriesInstanceUid }[];
}

/** A store that lists more than this for one question about a delivery lies. */
const MAXIMUM_ANSWERS = 100_000;

/**
 * SOP Instance UIDs that the store lists of the delivery's study. Series by series, since some stores refuse an image query without
 * Series Instance UID; where that is refused, all at once. PS3.4 C.6.2.1.
 * @throws GatewayError of the last question when both are refused
 */
export async function listInstances(
  association: Association,
  delivery: ListedStudy,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const study = textElement(tags.StudyInstanceUID, delivery.studyInstanceUid);
  const ask = (level: "SERIES" | "IMAGE", keys: readonly DataElement[], wanted: Tag): Promise<ReadonlySet<string>> => {
    const identifier = dataSetOf([textElement(tags.QueryRetrieveLevel, level), study, ...keys]);
    return uidsListed(association, delivery, { identifier, wanted }, signal);
  };
  const anyInstance = textElement(tags.SOPInstanceUID, "");
  try {
    const listed = new Set<string>();
    const ours = new Set<string>(delivery.files.map((file) => file.seriesInstanceUid));
    for (const series of await ask("SERIES", [textElement(tags.SeriesInstanceUID, "")], tags.SeriesInstanceUID)) {
      if (!ours.has(series)) continue;
      const keys = [textElement(tags.SeriesInstanceUID, series), anyInstance];
      for (const uid of await ask("IMAGE", keys, tags.SOPInstanceUID)) listed.add(uid);
    }
    return listed;
  } catch (thrown) {
    if (toGatewayError(thrown).code !== "DIMSE_FAILED") throw thrown;
    return await ask("IMAGE", [textElement(tags.SeriesInstanceUID, ""), anyInstance], tags.SOPInstanceUID);
  }
}

async function uidsListed(
  association: Association,
  delivery: ListedStudy,
  question: { readonly identifier: DataSet; readonly wanted: Tag },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const uids = new Set<string>();
  const request = {
    model: "study-root",
    identifier: question.identifier,
    maximumAnswers: MAXIMUM_ANSWERS,
  } as const;
  for await (const answer of association.find(request, signal)) {
    // Stores do answer loosely: what belongs to another study proves nothing.
    if ((uidOf(answer, tags.StudyInstanceUID) ?? delivery.studyInstanceUid) !== delivery.studyInstanceUid) continue;
    const uid = uidOf(answer, question.wanted);
    if (uid !== undefined) uids.add(uid);
  }
  return uids;
}
