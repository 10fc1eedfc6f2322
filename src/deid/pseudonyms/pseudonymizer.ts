import { isRegisteredUid } from "../../dicom/dictionary/registered-uids.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type Pseudonym, parsePseudonym } from "../../staging/deidentified-file.ts";
import type { PseudonymLink } from "../../store/records.ts";
import { remembering } from "../../units/memo.ts";
import { type PseudonymSettings, USUAL_PSEUDONYMS } from "../profiles/profile.ts";
import { shiftDaysOf } from "./date-shift.ts";
import { type LookupKind, type LookupTable, normalizeIdentifier } from "./lookup-rows.ts";
import { PIXL_HASH_LENGTH, type PixlSecrets, pixlHash } from "./pixl-hash.ts";
import type { ProjectKey } from "./project-key.ts";

/** Who a study belongs to, as far as its objects and the cohort say. */
export interface PatientIdentity {
  readonly patientId: string;
  /** Issuer of Patient ID (0010,0021); matters where the settings include it. */
  readonly issuer?: string | undefined;
  /** From the cohort: wins over the lookup table and the Patient ID. */
  readonly participantId?: string | undefined;
  /** Stands in where there is no Patient ID: such a study is a patient of its own. */
  readonly studyInstanceUid: string;
  readonly accessionNumber?: string | undefined;
}

/** Identifiers that may be replaced by a keyed text instead of being emptied. */
export type PseudonymKind = "accession" | "id" | "device" | "ae-title";

/** Every replacement for the objects of one study. */
export interface StudyPseudonyms {
  readonly patient: Pseudonym;
  /** What Patient ID and Patient's Name become: the pseudonym, or nothing where the original has no Patient ID. */
  readonly patientText: string;
  /** It was given by the cohort or the lookup table, not made from the key. */
  readonly patientIsGiven: boolean;
  /** Whole days to add to every date. */
  readonly shiftDays: number;
  /** What patient and study became, with a digest of what they were: two originals with one replacement are told by it. */
  readonly links: readonly PseudonymLink[];
  /** As `Pseudonymizer.uid`, but for a study whose UID is looked up or shared with others. */
  uid(originalUid: string): string;
  /** Empty for an empty text. */
  identifier(kind: PseudonymKind, text: string): string;
}

/** Keyed replacements of one project: the same in every run and on every host, unrelated to any other project's. */
export interface Pseudonymizer {
  /**
   * @throws GatewayError PARTICIPANT_ID_INVALID when the participant id could not be a Patient ID and a folder name;
   * LOOKUP_ROW_MISSING where the settings require a row
   */
  ofStudy(patient: PatientIdentity): StudyPseudonyms;
  /** @throws as `ofStudy` */
  patientPseudonym(patient: PatientIdentity): Pseudonym;
  /** The UID that replaces one: `2.25.` and 128 bits as a decimal number (PS3.5 B.2). UIDs registered by DICOM stay. */
  uid(originalUid: string): string;
  /** Whole days to add to every date of the patient. */
  dateShiftDays(patient: PatientIdentity): number;
}

export interface PseudonymizerOptions {
  /** The project's prefix; one of the settings wins. */
  readonly prefix?: string | undefined;
  readonly settings?: PseudonymSettings | undefined;
  readonly lookup?: LookupTable | undefined;
  /** Makes pseudonyms of patients as PIXL does, and one study of all that share Patient ID and Accession Number. */
  readonly pixl?: PixlSecrets | undefined;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS_PER_CHARACTER = 5;
const PATIENT_CHARACTERS = 16;
/** SH has room for 16, PS3.5 6.2; a device needs to be told from few others only. */
const IDENTIFIER_CHARACTERS: Readonly<Record<Exclude<PseudonymKind, "ae-title">, number>> = {
  accession: 16,
  id: 16,
  device: 12,
};
const UID_BYTES = 16;
/** Of a study of thousands of instances most are asked for again: by the filter, by what verifies it, by the next instance. */
const REMEMBERED_UIDS = 20_000;
const REMEMBERED_STUDIES = 100;
/** Between the parts of what is hashed: no identifier holds it. */
const UNIT_SEPARATOR = "\x1f";

interface Maker {
  readonly key: ProjectKey;
  readonly settings: PseudonymSettings;
  readonly prefix: string;
  readonly lookup: LookupTable | undefined;
  readonly pixl: PixlSecrets | undefined;
  /** As `Pseudonymizer.uid`. */
  readonly uid: (originalUid: string) => string;
}

/** @throws GatewayError PSEUDONYM_SOURCE_MISSING when the settings ask for a lookup table or PIXL's secrets and none is given */
export function createPseudonymizer(key: ProjectKey, options: PseudonymizerOptions = {}): Pseudonymizer {
  const settings = options.settings ?? USUAL_PSEUDONYMS;
  const { lookup, pixl } = options;
  if (settings.lookup === "required" && lookup === undefined) throw missing("lookup-table");
  if (settings.mode === "pixl" && pixl === undefined) throw missing("pixl-secrets");
  const uid = remembering(REMEMBERED_UIDS, (originalUid: string) => replacedUid({ key, lookup }, originalUid));
  const maker: Maker = { key, settings, prefix: settings.prefix ?? options.prefix ?? "", lookup, pixl, uid };
  const ofStudies = new Map<string, StudyPseudonyms>();
  const ofStudy = (patient: PatientIdentity): StudyPseudonyms => {
    const { patientId, issuer, participantId, studyInstanceUid, accessionNumber } = patient;
    const key = JSON.stringify([patientId, issuer, participantId, studyInstanceUid, accessionNumber]);
    const known = ofStudies.get(key) ?? studyPseudonyms(maker, patient);
    if (ofStudies.size >= REMEMBERED_STUDIES) ofStudies.clear();
    ofStudies.set(key, known);
    return known;
  };
  return {
    ofStudy,
    patientPseudonym: (patient) => patientOf(maker, patient).pseudonym,
    uid,
    dateShiftDays: (patient) => shiftOf(maker, patientOf(maker, patient).shiftInput),
  };
}

function studyPseudonyms(maker: Maker, patient: PatientIdentity): StudyPseudonyms {
  const { pseudonym, isGiven, shiftInput } = patientOf(maker, patient);
  const { key } = maker;
  const { studyInstanceUid } = patient;
  const studyUid = studyUidOf(maker, patient);
  return {
    patient: pseudonym,
    patientText: isGiven || normalizeIdentifier(patient.patientId) !== "" ? pseudonym : "",
    patientIsGiven: isGiven,
    shiftDays: shiftOf(maker, shiftInput),
    links: linksOf(maker, patient, pseudonym, studyUid),
    uid: (originalUid) => (originalUid === studyInstanceUid ? studyUid : maker.uid(originalUid)),
    identifier(kind, text) {
      const normalized = normalizeIdentifier(text);
      if (normalized === "") return "";
      if (kind === "ae-title") return knownAeTitles(maker, normalized);
      const given = kind === "accession" ? lookedUp(maker, "accession", normalized) : undefined;
      return given ?? crockford(key.prf(kind, normalized), IDENTIFIER_CHARACTERS[kind]);
    },
  };
}

/** Each as the site's table has it: the others are emptied. PS3.15 E.3.8. */
function knownAeTitles({ lookup }: Maker, titles: string): string {
  const known = titles.split("\\").map((title) => lookup?.replacementOf("ae-title", title) ?? "");
  return known.every((title) => title === "") ? "" : known.join("\\");
}

/** PIXL makes one study of several on purpose. A study without a Patient ID says nothing that could be compared. */
function linksOf(
  maker: Maker,
  patient: PatientIdentity,
  pseudonym: string,
  studyUid: string,
): readonly PseudonymLink[] {
  const { key, pixl } = maker;
  const link = (kind: PseudonymLink["kind"], replacement: string, original: string): PseudonymLink => ({
    kind,
    replacement,
    digest: key.prf(`link-of-${kind}`, original).toString("hex"),
  });
  const id = normalizeIdentifier(patient.patientId);
  const accession = normalizeIdentifier(patient.accessionNumber ?? "");
  const isShared = pixl !== undefined && id !== "" && accession !== "";
  return [
    ...(id === "" ? [] : [link("patient", pseudonym, withIssuer(maker, id, patient.issuer))]),
    link("study", studyUid, isShared ? id + UNIT_SEPARATOR + accession : patient.studyInstanceUid),
  ];
}

interface PatientPseudonym {
  readonly pseudonym: Pseudonym;
  readonly isGiven: boolean;
  /** What the shift is made of: the same for all that become one patient. */
  readonly shiftInput: string;
}

function patientOf(maker: Maker, patient: PatientIdentity): PatientPseudonym {
  const { key, prefix, pixl } = maker;
  if (patient.participantId !== undefined) {
    const pseudonym = participantPseudonym(patient.participantId);
    return { pseudonym, isGiven: true, shiftInput: normalizeIdentifier(patient.participantId) };
  }
  const id = normalizeIdentifier(patient.patientId);
  const given = lookedUp(maker, "patient", id);
  if (given !== undefined) return { pseudonym: parsePseudonym(given), isGiven: true, shiftInput: given };
  if (id === "") {
    const digest = key.prf("patient-of-study", patient.studyInstanceUid);
    return made(prefix + crockford(digest, PATIENT_CHARACTERS), patient.studyInstanceUid);
  }
  if (pixl !== undefined) return made(pixlHash(pixl, id, PIXL_HASH_LENGTH), id);
  const input = withIssuer(maker, id, patient.issuer);
  return made(prefix + crockford(key.prf("patient", input), PATIENT_CHARACTERS), input);
}

function made(text: string, shiftInput: string): PatientPseudonym {
  return { pseudonym: parsePseudonym(text), isGiven: false, shiftInput };
}

function withIssuer({ settings }: Maker, id: string, issuer = ""): string {
  const normalized = normalizeIdentifier(issuer);
  return settings.issuer === "include" && normalized !== "" ? id + UNIT_SEPARATOR + normalized : id;
}

function shiftOf({ key, settings }: Maker, input: string): number {
  const { dateShift } = settings;
  const keyed = dateShift.per === "project" ? key.prf("date-of-project", "") : key.prf("date", input);
  return shiftDaysOf(keyed, dateShift);
}

/** PIXL delivers all studies of one patient and accession number as one. */
function studyUidOf(maker: Maker, patient: PatientIdentity): string {
  const given = lookedUp(maker, "study", patient.studyInstanceUid);
  if (given !== undefined) return given;
  const id = normalizeIdentifier(patient.patientId);
  const accessionNumber = normalizeIdentifier(patient.accessionNumber ?? "");
  if (maker.pixl === undefined || id === "" || accessionNumber === "") return maker.uid(patient.studyInstanceUid);
  return uidOfDigest(maker.key.prf("study-of-accession", id + UNIT_SEPARATOR + accessionNumber));
}

function replacedUid({ key, lookup }: Pick<Maker, "key" | "lookup">, originalUid: string): string {
  if (originalUid === "" || isRegisteredUid(originalUid)) return originalUid;
  return lookup?.replacementOf("study", originalUid) ?? uidOfDigest(key.prf("uid", originalUid));
}

function uidOfDigest(digest: Buffer): string {
  const number = BigInt(`0x${digest.toString("hex", 0, UID_BYTES)}`);
  return `2.25.${number === 0n ? 1n : number}`;
}

/** A patient's row is required always, others where the table has rows of their kind. */
function lookedUp({ lookup, settings }: Maker, kind: LookupKind, original: string): string | undefined {
  const found = lookup?.replacementOf(kind, original);
  const isRequired = settings.lookup === "required" && (kind === "patient" || lookup?.has(kind) === true);
  if (found === undefined && isRequired) throw new GatewayError("LOOKUP_ROW_MISSING", { kind });
  return found;
}

function participantPseudonym(participantId: string): Pseudonym {
  try {
    return parsePseudonym(participantId.trim());
  } catch (cause) {
    throw new GatewayError("PARTICIPANT_ID_INVALID", {}, cause);
  }
}

/** The first bits in Crockford's base 32: no I, L, O or U, so that it survives being read aloud. */
function crockford(digest: Buffer, characters: number): string {
  const bits = characters * BITS_PER_CHARACTER;
  const bytes = Math.ceil(bits / 8);
  let number = BigInt(`0x${digest.toString("hex", 0, bytes)}`) >> BigInt(bytes * 8 - bits);
  let text = "";
  for (let position = 0; position < characters; position += 1) {
    text = CROCKFORD.charAt(Number(number % 32n)) + text;
    number >>= BigInt(BITS_PER_CHARACTER);
  }
  return text;
}

function missing(what: "lookup-table" | "pixl-secrets"): GatewayError {
  return new GatewayError("PSEUDONYM_SOURCE_MISSING", { what });
}
