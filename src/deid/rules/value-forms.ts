import { isFieldUid } from "../../dicom/uid.ts";
import { TECHNICAL_WORDS, TEXT_FORM_LIMIT, type TextForm } from "../tables/text-forms.ts";
import type { NumberBand } from "./rule.ts";
import { standardVr } from "./standard-vr.ts";

const INTEGER_STRING = /^[+-]?[0-9]{1,12}$/;
/** PS3.5 6.2 IS. */
const LARGEST_INTEGER = 2 ** 31;
const DECIMAL_STRING = /^[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?$/;
const DECIMAL_STRING_LIMIT = 16;
const WORD_SEPARATORS = /[ \-_/.,&()+;:]+/;
const SHORT_NUMBER = /^[0-9]{1,3}[a-z]?$/;
const TIME = /^(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?$/;
const BLANK = 0x20;
const AGE = /^[0-9]{3}[DWMY]$/;

/** The values of an element whose text is of the default repertoire: NUL and what follows is cut, padding taken off. PS3.5 6.2. */
export function splitValues(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.includes("\\") ? text.split("\\").map(valueIn) : [valueIn(text)];
}

function valueIn(text: string): string {
  const nul = text.indexOf("\0");
  let end = nul < 0 ? text.length : nul;
  while (end > 0 && text.charCodeAt(end - 1) === BLANK) end -= 1;
  let start = 0;
  while (start < end && text.charCodeAt(start) === BLANK) start += 1;
  return text.slice(start, end);
}

export function isTechnicalText(value: string, form: TextForm): boolean {
  const limit = form.kind === "pattern" ? (form.limit ?? TEXT_FORM_LIMIT) : TEXT_FORM_LIMIT;
  if (value.length > limit) return false;
  if (form.kind === "pattern") return form.pattern.test(value);
  const words = value
    .toLowerCase()
    .split(WORD_SEPARATORS)
    .filter((word) => word !== "");
  return words.length > 0 && words.every(isTechnicalWord);
}

/** Whether technical words spell the patient's name: one of them may be called so by chance, two are the patient. */
export function spellsName(value: string, isPatients: (text: string) => boolean): boolean {
  return value.split(WORD_SEPARATORS).filter((word) => word !== "" && isPatients(word)).length > 1;
}

/** A word of the vocabulary, with up to 3 digits behind it or on its own. */
function isTechnicalWord(word: string): boolean {
  return (
    TECHNICAL_WORDS.has(word) || SHORT_NUMBER.test(word) || TECHNICAL_WORDS.has(word.replace(/[0-9]{1,3}[a-z]?$/, ""))
  );
}

export function isIntegerString(value: string): boolean {
  return INTEGER_STRING.test(value) && Math.abs(Number(value)) <= LARGEST_INTEGER;
}

/** Whether little endian values of VR AT name attributes of PS3.6: any other two words are text sooner than a pointer. PS3.5 6.2. */
export function arePointers(bytes: Uint8Array): boolean {
  const words = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (words.length % 4 !== 0) return false;
  for (let at = 0; at < words.length; at += 4) {
    const tag = words.readUInt16LE(at) * 0x10000 + words.readUInt16LE(at + 2);
    if (standardVr(tag) === undefined) return false;
  }
  return true;
}

/** A decimal string that fits its VR (PS3.5 6.2: 16 characters); a longer number is written shorter; undefined: not a number. */
export function decimalString(value: string): string | undefined {
  if (!DECIMAL_STRING.test(value)) return undefined;
  if (value.length <= DECIMAL_STRING_LIMIT) return value;
  const number = Number(value);
  if (!Number.isFinite(number)) return undefined;
  for (let digits = 15; digits > 0; digits -= 1) {
    const shorter = String(Number(number.toPrecision(digits)));
    if (shorter.length <= DECIMAL_STRING_LIMIT) return shorter;
  }
  return undefined;
}

/** The multiple of `step` that is nearest, written as short as its VR allows; undefined: not a number. */
export function roundedNumber(value: string, step: number): string | undefined {
  if (decimalString(value) === undefined) return undefined;
  return decimalString(String(Number((Math.round(Number(value) / step) * step).toPrecision(12))));
}

export function isWithin(band: NumberBand | undefined, value: string): boolean {
  if (band === undefined) return true;
  const number = Number(value);
  return number >= band.minimum && number <= band.maximum;
}

export function isTime(value: string): boolean {
  return TIME.test(value);
}

/** Ages over 89 years become 90: whoever is that old would stand out. Undefined: not an age. PS3.15 E.3.7 and 45 CFR 164.514. */
export function generalizedAge(value: string): string | undefined {
  if (!AGE.test(value)) return undefined;
  const daysPerUnit = { D: 1, W: 7, M: 30.4, Y: 365.25 }[value.charAt(3)] ?? 365.25;
  return (Number(value.slice(0, 3)) * daysPerUnit) / 365.25 >= 90 ? "090Y" : value;
}

/** As the field writes them, with a leading zero here and there; a number without a dot is no UID but somebody's. PS3.5 9.1. */
export function isRetainableUid(value: string): boolean {
  return isFieldUid(value) && value.includes(".");
}
