import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobRecord } from "../store/records.ts";
import type { PipelineServices } from "./services.ts";

/** Who the study is of wants no part in the project. */
const LEFT_OUT: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>(["PATIENT_OPTED_OUT", "PATIENT_WITHDRAWN"]);

/** Once its job has ended so, nobody has a use for the study's images: what was sent to us unasked, and what is staged for nobody else. */
export async function forgetLeftOut(
  { store, staging, logger }: Pick<PipelineServices, "store" | "staging" | "logger">,
  { id: job, project, studyInstanceUid }: Pick<JobRecord, "id" | "project" | "studyInstanceUid">,
  code: ErrorCode | undefined,
): Promise<void> {
  if (!LEFT_OUT.has(code) || studyInstanceUid === undefined) return;
  try {
    await store.discardUnasked(project, studyInstanceUid);
    if (!(await store.studyIsNeeded(studyInstanceUid)))
      await staging.removeStudy(parseStudyInstanceUid(studyInstanceUid));
  } catch (thrown) {
    // Retention takes it.
    logger.warn("images of a patient who is left out stay for a while", { job, code: toGatewayError(thrown).code });
  }
}
