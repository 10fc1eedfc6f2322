import type { Archive, StudyMatch, StudyQuery } from "../archive/archive.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { JobRecord } from "../store/records.ts";
import type { StepContext, StepResult } from "./step.ts";

/**
 * Asks the project's archives for the study, in order. An archive is passed over on a clean "not found" only; one that cannot
 * answer throws, and the job waits for it. Every archive is asked by UID before any is asked by accession number, so that a study
 * matched by UID is never replaced by another that only shares an accession number.
 */
export async function locate(context: StepContext): Promise<StepResult> {
  const { job, project } = context;
  if (job.patientId !== undefined && project.optOut.has(job.patientId)) return optedOut;
  for (const query of queriesOf(job)) {
    for (const archive of project.archives) {
      const matches = await archive.findStudies(query, context.signal);
      if (matches.length > 0) return await accept(context, archive, query, matches);
    }
  }
  return { kind: "end", state: "not-found", code: "STUDY_NOT_FOUND" };
}

const optedOut: StepResult = { kind: "end", state: "excluded", code: "PATIENT_OPTED_OUT" };

function queriesOf(job: JobRecord): readonly StudyQuery[] {
  const queries: StudyQuery[] = [];
  if (job.studyInstanceUid !== undefined) {
    queries.push({ by: "study-uid", studyInstanceUid: parseStudyInstanceUid(job.studyInstanceUid) });
  }
  if (job.accessionNumber !== undefined) {
    queries.push({ by: "accession-number", accessionNumber: job.accessionNumber, patientId: job.patientId });
  }
  return queries;
}

async function accept(
  { job, project, services, lease, write }: StepContext,
  archive: Archive,
  query: StudyQuery,
  matches: readonly StudyMatch[],
): Promise<StepResult> {
  const patients = new Set(matches.map((match) => match.patientId));
  if (job.patientId === undefined && patients.size > 1) {
    throw new GatewayError("AMBIGUOUS_PATIENT", { archive: archive.name, patients: patients.size });
  }
  if (matches.length > project.maximumStudiesPerRequest) {
    throw new GatewayError("TOO_MANY_STUDIES", { studies: matches.length, maximum: project.maximumStudiesPerRequest });
  }
  const allowed = matches.filter((match) => !project.optOut.has(match.patientId));
  if (allowed.length === 0) return optedOut;

  await write({
    events: [{ event: "located", detail: { archive: archive.name, by: query.by, studies: allowed.length } }],
  });
  const outcome = await services.store.located(
    lease,
    archive.name,
    allowed.map((match) => ({
      studyInstanceUid: match.studyInstanceUid,
      patientId: match.patientId || undefined,
      accessionNumber: match.accessionNumber || undefined,
    })),
    services.clock.nowMs(),
  );
  if (outcome === false) throw new GatewayError("LEASE_LOST");
  return outcome === "joined" ? { kind: "joined" } : { kind: "next", stage: "retrieving" };
}
