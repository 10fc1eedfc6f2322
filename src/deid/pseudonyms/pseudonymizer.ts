import { GatewayError } from "../../errors/gateway-error.ts";
import { type Pseudonym, parsePseudonym } from "../../staging/deidentified-file.ts";
import type { ProjectKey } from "./project-key.ts";

/** Who a study belongs to, as far as its objects and the cohort say. */
export interface PatientIdentity {
  readonly patientId: string;
  /** From the cohort: wins over the Patient ID. */
  readonly participantId?: string | undefined;
  /** Stands in where there is no Patient ID: such a study is a patient of its own. */
  readonly studyInstanceUid: string;
}

/** Keyed replacements of one project: the same in every run and on every host, unrelated to any other project's. */
export interface Pseudonymizer {
  /** @throws GatewayError PARTICIPANT_ID_INVALID when the participant id could not be a Patient ID and a folder name */
  patientPseudonym(patient: PatientIdentity): Pseudonym;
  /** The UID that replaces one: `2.25.` and 128 bits as a decimal number (PS3.5 B.2). UIDs registered by DICOM stay. */
  uid(originalUid: string): string;
  /** Whole days to add to every date of the patient: between -3650 and -1. */
  dateShiftDays(patient: PatientIdentity): number;
}

/** Root of every UID that DICOM registers. PS3.6 A-1. */
const REGISTERED_ROOT = "1.2.840.10008.";
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PSEUDONYM_CHARACTERS = 16;
const BITS_PER_CHARACTER = 5n;
const UID_BYTES = 16;
const MAXIMUM_SHIFT_DAYS = 3650n;

export function isRegisteredUid(uid: string): boolean {
  return uid.startsWith(REGISTERED_ROOT);
}

export function createPseudonymizer(key: ProjectKey, options: { readonly prefix?: string } = {}): Pseudonymizer {
  const prefix = options.prefix ?? "";

  return {
    patientPseudonym(patient) {
      if (patient.participantId !== undefined) return participantPseudonym(patient.participantId);
      const { domain, text } = pseudonymInput(patient);
      return parsePseudonym(prefix + crockford(key.prf(domain, text)));
    },
    uid(originalUid) {
      if (originalUid === "" || isRegisteredUid(originalUid)) return originalUid;
      const number = BigInt(`0x${key.prf("uid", originalUid).toString("hex", 0, UID_BYTES)}`);
      return `2.25.${number === 0n ? 1n : number}`;
    },
    dateShiftDays(patient) {
      const number = BigInt(`0x${key.prf("date", pseudonymInput(patient).text).toString("hex")}`);
      return -(1 + Number(number % MAXIMUM_SHIFT_DAYS));
    },
  };
}

/** Patient ID without padding, in one spelling of its characters. */
function normalizePatientId(text: string): string {
  return text.normalize("NFC").replaceAll("\0", "").trim();
}

function pseudonymInput(patient: PatientIdentity): { domain: "patient" | "patient-of-study"; text: string } {
  const text = normalizePatientId(patient.participantId ?? patient.patientId);
  return text === "" ? { domain: "patient-of-study", text: patient.studyInstanceUid } : { domain: "patient", text };
}

function participantPseudonym(participantId: string): Pseudonym {
  try {
    return parsePseudonym(participantId.trim());
  } catch (cause) {
    throw new GatewayError("PARTICIPANT_ID_INVALID", {}, cause);
  }
}

/** The first 80 bits in Crockford's base 32: no I, L, O or U, so that it survives being read aloud. */
function crockford(digest: Buffer): string {
  let number = BigInt(`0x${digest.toString("hex", 0, (PSEUDONYM_CHARACTERS * 5) / 8)}`);
  let text = "";
  for (let position = 0; position < PSEUDONYM_CHARACTERS; position += 1) {
    text = CROCKFORD.charAt(Number(number % 32n)) + text;
    number >>= BITS_PER_CHARACTER;
  }
  return text;
}
