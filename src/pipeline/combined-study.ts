import { factsOfEarliest, type StudyFacts } from "../deid/study-facts.ts";
import type { StepContext } from "./step.ts";

/**
 * What the study that a job's study becomes part of says of itself: what the archive says of the earliest that has the same Patient ID and
 * Accession Number, whatever other jobs there are and in which order they run. Undefined: the study stays alone, or the archive cannot tell.
 */
export async function factsOfCombinedStudy({ job, project, signal }: StepContext): Promise<StudyFacts | undefined> {
  const { patientId = "", accessionNumber = "" } = job;
  if (!project.combinesStudies || patientId === "" || accessionNumber === "") return undefined;
  const archive = project.archives.find(({ name }) => name === job.archive);
  const query = { by: "accession-number", accessionNumber, patientId, described: true } as const;
  const matches = (await archive?.findStudies(query, signal)) ?? [];
  const dated = matches.flatMap(({ studyInstanceUid, described }) =>
    described === undefined || described.studyDate === "" ? [] : [{ studyInstanceUid, ...described }],
  );
  // Of a study without a date nobody knows whether it was the first.
  return dated.length === matches.length ? factsOfEarliest(dated) : undefined;
}
