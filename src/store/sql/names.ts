import { randomBytes } from "node:crypto";
import type { StudyKey } from "../records.ts";

/** Unit separator: in no identifier, as control characters are refused. */
const SEPARATOR = "\x1f";

/** Crockford's base 32: no letter that is taken for another. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Random, so that an id says nothing of what it names. */
function randomName(characters: number): string {
  return Array.from(randomBytes(characters), (byte) => ALPHABET[byte & 31]).join("");
}

export function newJobId(): string {
  return `job-${randomName(12)}`;
}

export function newCohortId(): string {
  return `cohort-${randomName(8)}`;
}

/** Of the cohort that a run made: it says whose it is, and is nobody else's, also when the name is used again. */
export function newStandingCohortId(standing: string, run: number): string {
  return `${standing}-${run}-${randomName(4)}`;
}

export function newTaskId(): string {
  return `task-${randomName(12)}`;
}

export function newInboxId(): string {
  return `message-${randomName(12)}`;
}

export function newTokenId(): string {
  return `token-${randomName(8)}`;
}

export function newIntakeId(): string {
  return `intake-${randomName(12)}`;
}

export function newNoticeId(): string {
  return `notice-${randomName(12)}`;
}

export function uidKey(studyInstanceUid: string): string {
  return `uid:${studyInstanceUid}`;
}

/** By what a row's study is known within its project: its UID if the row has one, else the accession number and what is said of the patient. */
export function keyOf({ studyInstanceUid, patientId, accessionNumber }: StudyKey): string {
  if (studyInstanceUid !== undefined) return uidKey(studyInstanceUid);
  return `accession:${patientId ?? ""}${SEPARATOR}${accessionNumber ?? ""}`;
}
