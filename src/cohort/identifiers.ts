import { isFieldUid } from "../dicom/uid.ts";
import type { ErrorCode } from "../errors/registry.ts";

/** What archives are asked by. */
export type KeyKind = "study-uid" | "series-uid" | "accession-number" | "patient-id";

/** Longest value in characters: UI and LO 64, SH 16. PS3.5 table 6.2-1. */
const LONGEST: Readonly<Record<KeyKind, number>> = {
  "study-uid": 64,
  "series-uid": 64,
  "accession-number": 16,
  "patient-id": 64,
};

/** What C-FIND takes for a wildcard or a list, PS3.4 C.2.2.2: it would ask for more than was meant. */
const WILDCARD = /[*?\\]/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** What a spreadsheet makes of identifiers it takes for numbers or formulas: `1.2E+10`, `#NAME?`, `="00123"`. */
const SPREADSHEET_DAMAGE = [
  /^[+-]?\d+(?:[.,]\d*)?E[+-]\d+$/i,
  /^[+-]?\d+[.,]\d+E\d+$/i,
  /^#(?:#+|N\/A|REF!|NAME\?|VALUE!|NUM!|NULL!|DIV\/0!)$/i,
  /^=/,
  /"/,
];

/** A whole number that was kept with a fraction: `12345678.0`. Zeros in front of it are gone. */
const KEPT_AS_FRACTION = /^[+-]?\d+[.,]0+$/;

/** The value as it is used: blanks around it are padding. */
export function trimIdentifier(text: string): string {
  return text.trim();
}

/**
 * Whether a value may be used as a key for archives. Blank is not this function's matter.
 * @param text trimmed
 * @returns the reason why not, or undefined
 */
export function checkKey(kind: KeyKind, text: string): ErrorCode | undefined {
  if (SPREADSHEET_DAMAGE.some((pattern) => pattern.test(text))) return "KEY_DAMAGED_BY_SPREADSHEET";
  if (INVISIBLE.test(text)) return "KEY_HAS_CONTROL_CHARACTER";
  if (WILDCARD.test(text)) return "KEY_HAS_WILDCARD";
  if (kind === "study-uid" || kind === "series-uid") return isWholeUid(text) ? undefined : "UID_INVALID";
  if (KEPT_AS_FRACTION.test(text)) return "KEY_DAMAGED_BY_SPREADSHEET";
  return [...text].length > LONGEST[kind] ? "KEY_TOO_LONG" : undefined;
}

/** A UID has at least two components: a lone number is something else in the wrong column. */
function isWholeUid(text: string): boolean {
  return isFieldUid(text) && text.includes(".");
}

/** Several series are separated by backslash or semicolon; blank parts count for nothing. */
export function splitSeries(text: string): readonly string[] {
  const parts = text.split(/[\\;]/).map(trimIdentifier);
  return [...new Set(parts.filter((part) => part !== ""))];
}
