import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobRecord } from "../store/records.ts";
import type { PipelineServices } from "./services.ts";
import type { StepContext } from "./step.ts";

/** Who the study is of wants no part in the project. */
const LEFT_OUT: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>(["PATIENT_OPTED_OUT", "PATIENT_WITHDRAWN"]);

/** By the lists the job began with, and by those of now. */
export function hasOptedOut({ project, services }: StepContext, patientId: string | undefined): boolean {
  const lists = [project.optOut, services.projects.get(project.name)?.optOut];
  return patientId !== undefined && lists.some((list) => list?.has(patientId));
}

/**
 * Why one of those whom the images themselves name is left out. Archives may leave out whose a study is, or have the images of several in it: whom
 * they tell is looked at before anything is asked for, and here the others.
 * @throws what the list of the withdrawn throws
 */
export async function whyLeftOut(context: StepContext, patientIds: Iterable<string>): Promise<ErrorCode | undefined> {
  const { services, job } = context;
  for (const patientId of patientIds) {
    if (patientId === "" || patientId === job.patientId) continue;
    if (hasOptedOut(context, patientId)) return "PATIENT_OPTED_OUT";
    if (await services.isWithdrawn(job.project, patientId)) return "PATIENT_WITHDRAWN";
  }
  return undefined;
}

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
