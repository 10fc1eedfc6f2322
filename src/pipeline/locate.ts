import type { Archive, StudyMatch, StudyQuery } from "../archive/archive.ts";
import { isSameIdentifier } from "../dicom/same-identifier.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { StudyClaim, StudyKey } from "../store/records.ts";
import { type Absences, absencesOf } from "./absences.ts";
import type { PipelineProject } from "./services.ts";
import type { StepContext, StepResult } from "./step.ts";

/** What the archives of a project have of what a row asks for. */
export type Located<A extends Archive = Archive> =
  | { readonly kind: "absent" }
  | { readonly kind: "opted-out" }
  | {
      readonly kind: "found";
      readonly archive: A;
      readonly by: StudyQuery["by"];
      readonly studies: readonly StudyMatch[];
    };

export interface WantedStudy {
  readonly key: StudyKey;
  /** What rows that name the study by its UID say of it besides. */
  readonly claims: readonly StudyClaim[];
}

export interface LocatingRules<A extends Archive = Archive>
  extends Pick<PipelineProject, "maximumStudiesPerRequest" | "optOut"> {
  readonly archives: readonly A[];
}

/**
 * Asks the project's archives for the study, in order. An archive is passed over on a clean "not found" only; one that cannot
 * answer throws, and the job waits for it; what others answered is kept, as they may not be asked by then. Every archive is asked by
 * UID before any is asked by accession number, so that a study matched by UID is never replaced by another that only shares an
 * accession number.
 */
export async function locate(context: StepContext): Promise<StepResult> {
  const absences = absencesOf(context);
  const { job, project, services } = context;
  const wanted = { key: job, claims: await services.store.claimsOfJob(job.id) };
  const located = await findWanted(project, wanted, context.signal, absences).catch(async (thrown: unknown) => {
    await absences.keepAfter(thrown);
    throw thrown;
  });
  // An earlier try may have failed at one of them, which its record tells.
  const change = { archive: null };
  if (located.kind === "absent") return { kind: "end", state: "not-found", code: "STUDY_NOT_FOUND", change };
  if (located.kind === "opted-out") return { kind: "end", state: "excluded", code: "PATIENT_OPTED_OUT", change };
  return await accept(context, located);
}

/**
 * See `locate`.
 * @param absences what archives that may not be asked now said before
 * @throws GatewayError AMBIGUOUS_PATIENT, STUDY_KEYS_DISAGREE, TOO_MANY_STUDIES; errors of the archives
 */
export async function findWanted<A extends Archive>(
  project: LocatingRules<A>,
  { key, claims }: WantedStudy,
  signal: AbortSignal,
  absences?: Pick<Absences, "note" | "insteadOf">,
): Promise<Located<A>> {
  if (key.patientId !== undefined && project.optOut.has(key.patientId)) return { kind: "opted-out" };
  for (const query of queriesOf(key)) {
    for (const archive of project.archives) {
      const matches = await archive.findStudies(query, signal).catch((thrown: unknown) => {
        const told = signal.aborted ? thrown : naming(thrown, archive);
        if (absences === undefined) throw told;
        return absences.insteadOf(told, archive.name, query.by);
      });
      if (matches.length === 0) {
        absences?.note(archive.name, query.by);
        continue;
      }
      const studies = allowedOf(project, key, archive, matches);
      if (query.by === "study-uid") for (const match of studies) checkClaims(match, claims, archive);
      return studies.length === 0 ? { kind: "opted-out" } : { kind: "found", archive, by: query.by, studies };
    }
  }
  return { kind: "absent" };
}

const CLAIMS = [
  ["patientId", "PatientID"],
  ["accessionNumber", "AccessionNumber"],
] as const satisfies readonly (readonly [keyof StudyClaim, string])[];

/**
 * A row whose UID is one study's and whose patient or number is another's was put together wrongly: which of them is meant, nobody here knows,
 * and the one would go out under the other's participant ID. What the archive leaves empty contradicts nothing.
 */
function checkClaims(match: StudyMatch, claims: readonly StudyClaim[], archive: Archive): void {
  for (const [claimed, attribute] of CLAIMS) {
    const told = match[claimed];
    if (told !== "" && claims.some(({ [claimed]: said }) => said !== undefined && !isSameIdentifier(said, told)))
      throw new GatewayError("STUDY_KEYS_DISAGREE", { archive: archive.name, attribute });
  }
}

/** The same failure, which says of which archive it is: a job that is not located has none that would tell. */
function naming(thrown: unknown, { name }: Pick<Archive, "name">): GatewayError {
  const error = toGatewayError(thrown);
  if (error.details.archive !== undefined) return error;
  return new GatewayError(error.code, { ...error.details, archive: name }, thrown);
}

function queriesOf(job: StudyKey): readonly StudyQuery[] {
  const queries: StudyQuery[] = [];
  if (job.studyInstanceUid !== undefined) {
    queries.push({ by: "study-uid", studyInstanceUid: parseStudyInstanceUid(job.studyInstanceUid) });
  }
  if (job.accessionNumber !== undefined) {
    queries.push({ by: "accession-number", accessionNumber: job.accessionNumber, patientId: job.patientId });
  }
  return queries;
}

function allowedOf(
  project: LocatingRules,
  wanted: StudyKey,
  archive: Archive,
  matches: readonly StudyMatch[],
): readonly StudyMatch[] {
  const patients = new Set(matches.map((match) => match.patientId));
  if (wanted.patientId === undefined && patients.size > 1) {
    throw new GatewayError("AMBIGUOUS_PATIENT", { archive: archive.name, patients: patients.size });
  }
  if (matches.length > project.maximumStudiesPerRequest) {
    const { maximumStudiesPerRequest: maximum } = project;
    throw new GatewayError("TOO_MANY_STUDIES", { archive: archive.name, studies: matches.length, maximum });
  }
  return matches.filter((match) => !project.optOut.has(match.patientId));
}

async function accept(
  { services, lease }: StepContext,
  { archive, by, studies }: Located & { readonly kind: "found" },
): Promise<StepResult> {
  const detail = { archive: archive.name, by, studies: studies.length };
  const outcome = await services.store.located(
    lease,
    archive.name,
    studies.map((match) => ({
      studyInstanceUid: match.studyInstanceUid,
      patientId: match.patientId || undefined,
      accessionNumber: match.accessionNumber || undefined,
    })),
    services.clock.nowMs(),
    { stage: "retrieving", events: [{ event: "located", detail }] },
  );
  if (outcome === false) throw new GatewayError("LEASE_LOST");
  return outcome === "joined" ? { kind: "joined" } : { kind: "journalled", job: outcome };
}
