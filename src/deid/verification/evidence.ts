import type { Rule } from "../rules/rule.ts";
import { splitValues } from "../rules/value-forms.ts";
import type { Expectations } from "./check-element.ts";
import type { Harvest } from "./harvest.ts";
import { MINIMUM_BYTES, type Piece, type SearchedAs } from "./pieces.ts";
import { longNumbersOf, plainInteger, SHORTEST_DIGITS, WIDE_NUMBERS } from "./plain-integer.ts";
import { pathOf, placeOf, type Token } from "./tokenizer.ts";

/** What one output is, as it was read back: what the study's checks and its search need. */
export interface Evidence {
  readonly pseudonym: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  /** Referenced SOP Instance UIDs (0008,1155). */
  readonly references: ReadonlySet<string>;
  /** Days by which its dates were moved; undefined: none were. */
  readonly shiftDays: number | undefined;
  readonly pieces: readonly Piece[];
}

export interface EvidenceCollector {
  readonly seenAtTop: ReadonlySet<number>;
  /** @returns why the element cannot be; undefined: it can */
  add(token: Token, bytes: Buffer | undefined, rule: Rule, searched: readonly SearchedAs[]): string | undefined;
  evidence(): Evidence;
}

const SOP_INSTANCE_UID = 0x00080018;
const REFERENCED_SOP_INSTANCE_UID = 0x00081155;
const PATIENT_ID = 0x00100020;
const STUDY_INSTANCE_UID = 0x0020000d;
const SERIES_INSTANCE_UID = 0x0020000e;
const TOLD = new Set([SOP_INSTANCE_UID, PATIENT_ID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID]);
/** Longer ones, and more of them, are read from the file again. */
const HELD_PIECE_BYTES = 4096;
const HELD_BYTES = 32 * 1024;
/** Shorter pieces cannot hold an identifier that is told from chance. */
const SHORTEST: Readonly<Record<SearchedAs, number>> = {
  ...{ number: 1, code: 1, uid: 7, clean: 3, retained: 3, technical: 6, form: 4, text: 3, pseudonym: 1 },
  ...{ binary: MINIMUM_BYTES.few, compressed: MINIMUM_BYTES.compressed },
};
const DAY = /^([0-9]{4})([0-9]{2})([0-9]{2})/;
const DAY_MS = 86_400_000;
const NO_BYTES = Buffer.alloc(0);

export function createEvidence(of: {
  readonly expectations: Expectations;
  readonly harvest: Harvest;
}): EvidenceCollector {
  const told = new Map<number, string>();
  const references = new Set<string>();
  const pieces: Piece[] = [];
  const seenAtTop = new Set<number>();
  const known = new Set<string>();
  const ofPatient = shorterNumbers(of.harvest.patient);
  let held = 0;
  let shiftDays: number | undefined;

  const addPiece = (token: Token, how: SearchedAs, bytes: Buffer | undefined): void => {
    const place = placeOf(token);
    // Per-frame values repeat themselves.
    const key =
      bytes === undefined || bytes.length > HELD_PIECE_BYTES ? "" : `${how} ${place} ${bytes.toString("latin1")}`;
    if (known.has(key)) return;
    if (key !== "") known.add(key);
    const common = { place, how, offset: token.valueOffset, length: token.length };
    const isHeld = bytes !== undefined && bytes.length <= HELD_PIECE_BYTES && held + bytes.length <= HELD_BYTES;
    // Text and numbers are judged as they stand: they cannot be read again in parts.
    const mustBeHeld = bytes !== undefined && how !== "binary" && how !== "compressed";
    if (isHeld) held += bytes.length;
    pieces.push({ ...common, bytes: isHeld || mustBeHeld ? Buffer.from(bytes) : undefined });
  };
  if (of.expectations.pseudonymIsGiven) {
    const bytes = Buffer.from(of.expectations.pseudonym, "utf8");
    pieces.push({ place: "(0010,0020)", how: "pseudonym", bytes, offset: 0, length: bytes.length });
  }

  return {
    seenAtTop,
    add(token, bytes, rule, searched) {
      const isAtTop = token.parentTag === 0 && token.kind !== "fragment";
      if (isAtTop) seenAtTop.add(token.tag);
      for (const how of searched) {
        const sought = how === "number" ? numbersIn(token.vr, bytes, ofPatient) : bytes;
        if (sought === undefined || sought.length >= SHORTEST[how]) addPiece(token, how, sought);
      }
      if (bytes === undefined) return undefined;
      if (isAtTop && TOLD.has(token.tag)) told.set(token.tag, splitValues(bytes)[0] ?? "");
      if (token.tag === REFERENCED_SOP_INSTANCE_UID) for (const uid of splitValues(bytes)) references.add(uid);
      const days = isAtTop && rule.treatment.kind === "shift" ? daysMoved(token, bytes, of.harvest) : undefined;
      if (days === undefined) return undefined;
      if (shiftDays !== undefined && shiftDays !== days) return "date-shift-differs";
      shiftDays = days;
      return undefined;
    },
    evidence: () => ({
      pseudonym: told.get(PATIENT_ID) ?? "",
      studyInstanceUid: told.get(STUDY_INSTANCE_UID) ?? "",
      seriesInstanceUid: told.get(SERIES_INSTANCE_UID) ?? "",
      sopInstanceUid: told.get(SOP_INSTANCE_UID) ?? "",
      references,
      shiftDays,
      pieces,
    }),
  };
}

const RISING = "0123456789";
const SHORTER_NUMBER = /^\p{L}*0*([1-9][0-9]{5})\p{L}*$/u;

/** Numbers of the patient's that are told from chance in a number string alone, as its whole value; 123456 is what made-up objects have anywhere. */
function shorterNumbers(patient: ReadonlySet<string>): ReadonlySet<number> {
  const numbers = [...patient].flatMap((text) => SHORTER_NUMBER.exec(text)?.slice(1) ?? []);
  return new Set(numbers.filter((digits) => !RISING.includes(digits)).map(Number));
}

/** The integers that may be identifiers, by backslash, each as `plainInteger` writes it. */
function numbersIn(vr: string, bytes: Buffer | undefined, ofPatient: ReadonlySet<number>): Buffer {
  if (bytes === undefined) return NO_BYTES;
  const wide = WIDE_NUMBERS.get(vr);
  if (wide === undefined && ofPatient.size === 0 && !mayHoldLong(bytes, SHORTEST_DIGITS)) return NO_BYTES;
  const numbers = wide === undefined ? splitValues(bytes) : longNumbersOf(bytes, wide);
  const plain = (text: string): string | undefined => {
    const number = wide === undefined && ofPatient.size > 0 ? Number(text) : 0;
    return ofPatient.has(number) ? String(number) : plainInteger(text);
  };
  return Buffer.from(numbers.flatMap((number) => plain(number) ?? []).join("\\"), "latin1");
}

/** As many digits in a row, or an exponent. */
function mayHoldLong(bytes: Buffer, count: number): boolean {
  let inRow = 0;
  for (let index = 0; index < bytes.length && inRow < count; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte === 0x45 || byte === 0x65) return true;
    inRow = byte >= 0x30 && byte <= 0x39 ? inRow + 1 : 0;
  }
  return inRow >= count;
}

/** Whole days between the date of an element and that of the same element in the source; undefined where either is no single day. */
function daysMoved(token: Token, bytes: Buffer, harvest: Harvest): number | undefined {
  if (token.vr !== "DA" && token.vr !== "DT") return undefined;
  const original = harvest.dates.get(pathOf(token)) ?? "";
  const [value = "", ...others] = splitValues(bytes);
  if (others.length > 0 || original.includes("\\") || original.includes("-") || value.includes("-")) return undefined;
  const before = dayOf(original);
  const after = dayOf(value);
  return before === undefined || after === undefined ? undefined : after - before;
}

function dayOf(value: string): number | undefined {
  const [, year, month, day] = DAY.exec(value.replaceAll(".", "")) ?? [];
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day)) / DAY_MS;
}
