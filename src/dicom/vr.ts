/** Value representations. PS3.5 6.2, table 6.2-1. */
const VRS = [
  "AE",
  "AS",
  "AT",
  "CS",
  "DA",
  "DS",
  "DT",
  "FD",
  "FL",
  "IS",
  "LO",
  "LT",
  "OB",
  "OD",
  "OF",
  "OL",
  "OV",
  "OW",
  "PN",
  "SH",
  "SL",
  "SQ",
  "SS",
  "ST",
  "SV",
  "TM",
  "UC",
  "UI",
  "UL",
  "UN",
  "UR",
  "US",
  "UT",
  "UV",
] as const;

export type Vr = (typeof VRS)[number];

/** VRs whose explicit header has two reserved bytes and a length of 32 bits. PS3.5 7.1.2. */
const LONG_FORM: ReadonlySet<string> = new Set([
  "OB",
  "OD",
  "OF",
  "OL",
  "OV",
  "OW",
  "SQ",
  "SV",
  "UC",
  "UN",
  "UR",
  "UT",
  "UV",
]);

/** VRs whose text follows Specific Character Set. PS3.5 6.1.2.3. */
const CHARACTER_SET: ReadonlySet<string> = new Set(["LO", "LT", "PN", "SH", "ST", "UC", "UT"]);

/** VRs in which a backslash is a character of the text. PS3.5 6.2. */
const SINGLE_VALUED: ReadonlySet<string> = new Set(["LT", "ST", "UT", "UR"]);

const TEXT: ReadonlySet<string> = new Set([
  ...CHARACTER_SET,
  "AE",
  "AS",
  "CS",
  "DA",
  "DS",
  "DT",
  "IS",
  "TM",
  "UI",
  "UR",
]);

/** Index of a pair of letters: 26 x 26. Looked up for every element, so an array and not a map. */
function pairIndex(first: number, second: number): number {
  return first >= 0x41 && first <= 0x5a && second >= 0x41 && second <= 0x5a ? (first - 0x41) * 26 + second - 0x41 : -1;
}

/** What the two letters of an explicit header say. PS3.5 7.1.2. */
export interface HeaderForm {
  readonly vr: Vr;
  readonly isLongForm: boolean;
}

const FORMS: readonly (HeaderForm | undefined)[] = formsByPair();

function formsByPair(): readonly (HeaderForm | undefined)[] {
  const forms = new Array<HeaderForm | undefined>(26 * 26).fill(undefined);
  for (const vr of VRS) forms[pairIndex(vr.charCodeAt(0), vr.charCodeAt(1))] = { vr, isLongForm: LONG_FORM.has(vr) };
  return forms;
}

/** The form of the VR whose two letters these are, the first in the upper byte; undefined when there is none. */
export function headerFormOf(code: number): HeaderForm | undefined {
  const index = pairIndex(code >>> 8, code & 0xff);
  return index < 0 ? undefined : FORMS[index];
}

/** The VR whose two letters these are, the first in the upper byte; undefined when there is none. */
export function vrOfCode(code: number): Vr | undefined {
  return headerFormOf(code)?.vr;
}

export function isLongForm(vr: Vr): boolean {
  return LONG_FORM.has(vr);
}

export function isText(vr: Vr): boolean {
  return TEXT.has(vr);
}

export function followsCharacterSet(vr: Vr): boolean {
  return CHARACTER_SET.has(vr);
}

export function isSingleValued(vr: Vr): boolean {
  return SINGLE_VALUED.has(vr);
}

/** Bytes of one binary number, for changing byte order; 1 where there is nothing to swap. AT is two 16 bit words. PS3.5 7.3. */
export const WORD_BYTES: { readonly [V in Vr]?: number } = {
  AT: 2,
  FD: 8,
  FL: 4,
  OD: 8,
  OF: 4,
  OL: 4,
  OV: 8,
  OW: 2,
  SL: 4,
  SS: 2,
  SV: 8,
  UL: 4,
  US: 2,
  UV: 8,
};
