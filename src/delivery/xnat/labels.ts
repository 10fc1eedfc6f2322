import { createHash } from "node:crypto";
import type { StudyDelivery } from "../destination.ts";

/** Of SHA-256 in hexadecimal: 40 bits keep the studies of one patient apart. */
const STUDY_LENGTH = 10;

export interface DeliveryLabels {
  readonly subject: string;
  readonly session: string;
}

/** The patient's pseudonym, and for each of its studies one more name that follows from the new UID: the same whenever it is delivered. */
export function labelsOf({
  pseudonym,
  studyInstanceUid,
}: Pick<StudyDelivery, "pseudonym" | "studyInstanceUid">): DeliveryLabels {
  const study = createHash("sha256").update(studyInstanceUid).digest("hex").slice(0, STUDY_LENGTH);
  return { subject: pseudonym, session: `${pseudonym}_${study}` };
}
