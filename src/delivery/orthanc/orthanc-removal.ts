import { trimUid } from "../../dicom/uid.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { deleteStudy, findOrthancStudies, type OrthancStudy } from "../../network/rest/orthanc/resources.ts";
import type { DeliveredStudy } from "../inspection/inspection.ts";
import type { StudyRemoval } from "../removal/removal.ts";

/** One study has as many resources as it has Patient IDs. */
const MAXIMUM_RESOURCES = 1_000;

/** Takes studies out of an Orthanc. Where UIDs are kept, the original may be a resource of the same UID: its Patient ID tells them apart. */
export function orthancRemoval(client: HttpClient): StudyRemoval {
  return {
    async remains(study, signal) {
      const { ours = [], others = [] } = await resourcesOf(client, study, signal);
      return { ours: ours.length, others: others.length };
    },
    async remove(study, signal) {
      const { ours = [] } = await resourcesOf(client, study, signal);
      for (const { ID } of ours) await deleteStudy(client, ID, signal);
    },
  };
}

async function resourcesOf(
  client: HttpClient,
  { studyInstanceUid, pseudonym }: DeliveredStudy,
  signal: AbortSignal,
): Promise<{ readonly ours?: readonly OrthancStudy[]; readonly others?: readonly OrthancStudy[] }> {
  const query = { StudyInstanceUID: studyInstanceUid };
  const found = await findOrthancStudies(client, query, { limit: MAXIMUM_RESOURCES }, signal);
  // Orthanc matches loosely where it is set so.
  const same = found.filter(({ MainDicomTags }) => trimUid(MainDicomTags.StudyInstanceUID ?? "") === studyInstanceUid);
  return Object.groupBy(same, ({ PatientMainDicomTags: { PatientID = "" } }) =>
    [pseudonym, ""].includes(PatientID.trim()) ? "ours" : "others",
  );
}
