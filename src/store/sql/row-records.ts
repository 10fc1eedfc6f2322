import { errorRegistry } from "../../errors/registry.ts";
import { JOB_STATES, STAGES } from "../job-states.ts";
import type { CohortRecord, DeliveryRecord, JobEvent, JobRecord, LedgerEntry } from "../records.ts";
import { integer, keyOf, list, oneOf, optional, recordReader, text } from "./columns.ts";
import type { Row } from "./session.ts";

export function parseList(value: unknown): readonly string[] | undefined {
  return optional(list)(value);
}

const optionalText = optional(text);
const optionalInteger = optional(integer);
/** A code of another version, which this one does not know, must not hide its row. */
const optionalCode = optional(keyOf(errorRegistry, "INTERNAL"));

/** Of a row with JOB_COLUMNS. */
export const jobRecord = recordReader<JobRecord>({
  id: text,
  project: text,
  studyInstanceUid: optionalText,
  patientId: optionalText,
  accessionNumber: optionalText,
  seriesInstanceUids: optional(list),
  participantId: optionalText,
  priority: integer,
  stage: oneOf(STAGES),
  state: keyOf(JOB_STATES),
  code: optionalCode,
  verdict: optional(oneOf(["complete", "partial", "unknown"])),
  archive: optionalText,
  expected: optionalInteger,
  received: integer,
  excluded: integer,
  delivered: integer,
  attempts: integer,
  waitingUntilMs: optionalInteger,
  pseudonym: optionalText,
  pseudoStudyInstanceUid: optionalText,
  createdAtMs: integer,
  finishedAtMs: optionalInteger,
});

export const cohortRecord = recordReader<CohortRecord>({
  cohort: text,
  project: text,
  rows: integer,
  accepted: integer,
  joined: integer,
  submittedAtMs: integer,
});

export const ledgerEntry = recordReader<LedgerEntry>({
  sopInstanceUid: text,
  seriesInstanceUid: text,
  expectedAtMs: optionalInteger,
  receivedAtMs: optionalInteger,
  excludedAtMs: optionalInteger,
  reason: optionalText,
  reasonDetail: optionalText,
  deidentifiedAtMs: optionalInteger,
  pseudoSopInstanceUid: optionalText,
  sha256: optionalText,
  deliveredAtMs: optionalInteger,
});

export const deliveryRecord = recordReader<DeliveryRecord>({
  destination: text,
  state: oneOf(["sending", "sent", "confirmed", "failed"]),
  instances: integer,
  code: optionalCode,
  proof: optionalText,
  changedAtMs: integer,
});

export function jobEvent({ atMs, event, detail }: Row): JobEvent {
  return { atMs: Number(atMs), event: String(event), detail: JSON.parse(String(detail)) };
}
