import type { DataSet } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { readPart10File } from "../dicom/reader.ts";
import { type Tag, tagOf } from "../dicom/tag.ts";
import { characterSetOf, textElement, textOf, uidOf } from "../dicom/values.ts";
import { concurrently } from "../units/concurrently.ts";
import type { StudyInputs } from "./folder-inputs.ts";
import { normalizeIdentifier } from "./pseudonyms/lookup-rows.ts";

/** What objects say of their study; empty where they say nothing. */
export interface StudyFacts {
  readonly studyDate: string;
  readonly studyTime: string;
  readonly studyDescription: string;
}

interface DatedStudy extends StudyFacts {
  readonly studyInstanceUid: string;
}

interface StudyHead extends DatedStudy {
  readonly study: StudyInputs;
  /** Patient ID and Accession Number; undefined where one is missing. */
  readonly sharedBy: string | undefined;
}

const PARALLEL_READS = 8;
const BEHIND_STUDY_UID = tagOf(0x0020000e);
const WINDOW_BYTES = 8 * 1024;
const ASCII = /^[\x20-\x7e]*$/;
const UTF_8 = "ISO_IR 192";

/**
 * Of original studies that become one, as PIXL has those of one Patient ID and Accession Number: what the earliest says, by its date and UID.
 * Of a study that stays alone: nothing.
 */
export async function factsOfSharedStudies(
  studies: readonly StudyInputs[],
  signal: AbortSignal,
): Promise<ReadonlyMap<StudyInputs, StudyFacts>> {
  const groups = new Map<string, StudyHead[]>();
  await concurrently(studies, PARALLEL_READS, async (study) => {
    signal.throwIfAborted();
    const head = await headOf(study);
    if (head?.sharedBy !== undefined) groups.set(head.sharedBy, [...(groups.get(head.sharedBy) ?? []), head]);
  });
  const facts = new Map<StudyInputs, StudyFacts>();
  for (const group of groups.values()) {
    const earliest = factsOfEarliest(group);
    if (earliest !== undefined) for (const { study } of group) facts.set(study, earliest);
  }
  return facts;
}

/** Of studies that become one, what the earliest says, by its date and UID; of one alone, nothing. */
export function factsOfEarliest(studies: readonly DatedStudy[]): StudyFacts | undefined {
  const [earliest] = [...studies].sort(byDate);
  if (earliest === undefined || studies.length === 1) return undefined;
  const { studyDate, studyTime, studyDescription } = earliest;
  return { studyDate, studyTime, studyDescription };
}

/** A study without a date is the last. */
function byDate(a: DatedStudy, b: DatedStudy): number {
  const [first, second] = [a, b].map(({ studyDate, studyInstanceUid }) => `${studyDate || "9"} ${studyInstanceUid}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}

async function headOf(study: StudyInputs): Promise<StudyHead | undefined> {
  const [first] = study.inputs;
  if (first === undefined || !study.isStudy) return undefined;
  await using file = await readPart10File(first.path, { stopBefore: BEHIND_STUDY_UID, windowBytes: WINDOW_BYTES });
  const read = (tag: Tag): string => textOf(file.dataSet, tag) ?? "";
  const shared = [read(tags.PatientID), read(tags.AccessionNumber)].map(normalizeIdentifier);
  return {
    study,
    studyInstanceUid: uidOf(file.dataSet, tags.StudyInstanceUID) ?? "",
    sharedBy: shared.includes("") ? undefined : JSON.stringify(shared),
    studyDate: read(tags.StudyDate),
    studyTime: read(tags.StudyTime),
    studyDescription: read(tags.StudyDescription),
  };
}

/** The object as one of the study that these facts are of. */
export function withStudyFacts(dataSet: DataSet, facts: StudyFacts | undefined): DataSet {
  if (facts === undefined) return dataSet;
  const { studyDate, studyTime, studyDescription } = facts;
  // Another character set would make other letters of it.
  const isSpelt = ASCII.test(studyDescription) || characterSetOf(dataSet) === UTF_8;
  return new Map([
    ...dataSet,
    [tags.StudyDate, textElement(tags.StudyDate, studyDate)],
    [tags.StudyTime, textElement(tags.StudyTime, studyTime)],
    [tags.StudyDescription, textElement(tags.StudyDescription, isSpelt ? studyDescription : "")],
  ]);
}
