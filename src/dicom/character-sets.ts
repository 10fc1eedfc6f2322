import { isUtf8 } from "node:buffer";
import { convertBytes } from "dicom-character-set";
import { DEFAULT_EXTENSION, type DeclaredSets, declaredSets, EXTENSION_TERMS, UTF_8 } from "./character-sets-table.ts";
import { trimPadding } from "./values-trim.ts";
import { followsCharacterSet, isSingleValued, type Vr } from "./vr.ts";

const ASCII_ONLY = /^[\0-\x7f]*$/;
/** What a decoder puts where bytes are none of the character set. */
const REPLACEMENT = "\ufffd";
const ESCAPE = 0x1b;
/** 02/13, 02/09 or 02/04 02/09 behind an escape: it names a set for the upper bytes. PS3.3 tables C.12-3, C.12-4. */
const DESIGNATES_UPPER = /^(?:-|\)|\$\))/;

/**
 * What is wrong with a text that is shown all the same.
 * - `TEXT_UNDECLARED`: in a character set, or with an escape sequence, that (0008,0005) does not name.
 * - `TEXT_UNDECODABLE`: bytes that are no text in the character set, shown as Latin-1.
 */
export type TextProblem = "TEXT_UNDECLARED" | "TEXT_UNDECODABLE";

interface DecodedText {
  readonly text: string;
  readonly problem?: TextProblem;
}

/**
 * Text of a value, padding included. Values outside the character-set VRs are of the default repertoire; what is not is shown as Latin-1,
 * which keeps every byte. PS3.3 C.12.1.1.2, PS3.5 6.1.
 * @param specificCharacterSet the value of (0008,0005), all values joined by backslashes
 */
export function decodeText(bytes: Uint8Array, vr: Vr, specificCharacterSet: string | undefined): string {
  return decodeWithProblem(bytes, vr, specificCharacterSet).text;
}

/** As `decodeText`, and whether the text is what it should be. */
export function decodeWithProblem(bytes: Uint8Array, vr: Vr, specificCharacterSet: string | undefined): DecodedText {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const isAscii = ASCII_ONLY.test(latin);
  if (!followsCharacterSet(vr)) return isAscii ? { text: latin } : { text: latin, problem: "TEXT_UNDECODABLE" };
  if (isAscii && !latin.includes("\x1b"))
    return { text: isAsciiRomaji(latin, specificCharacterSet) ? romaji(latin, vr) : latin };
  const declared = declaredSets(specificCharacterSet);
  if (declared.terms.length === 0) return decodeUndeclared(bytes, vr, latin);
  const text = decoded(bytes, vr, declared.terms);
  if (text !== undefined && isPlausible(text, latin, declared)) return { text };
  if (declared.first?.extensionTerm !== undefined || declared.hasExtensions) {
    const withAll = latin.includes("\x1b") ? decoded(bytes, vr, withAllExtensions(declared)) : undefined;
    if (withAll !== undefined) return { text: withAll, problem: "TEXT_UNDECLARED" };
  }
  return { text: decodedUpToCut(bytes, vr, declared, latin), problem: "TEXT_UNDECODABLE" };
}

/** ISO-IR 14 has a yen sign and an overline where ASCII has backslash and tilde. PS3.3 table C.12-2. */
function isAsciiRomaji(latin: string, specificCharacterSet: string | undefined): boolean {
  return /[\\~]/.test(latin) && /IR[ _-]?13(?:\\|\s*$)/i.test(specificCharacterSet?.split("\\")[0] ?? "");
}

/** A backslash that separates values stays one. PS3.18 F.2.4. */
function romaji(latin: string, vr: Vr): string {
  const withOverlines = latin.replaceAll("~", "\u203e");
  return isSingleValued(vr) ? withOverlines.replaceAll("\\", "\u00a5") : withOverlines;
}

/** Nothing was declared: UTF-8 where it is, else escape sequences, else Latin-1, which such files mostly hold. */
function decodeUndeclared(bytes: Uint8Array, vr: Vr, latin: string): DecodedText {
  if (latin.includes("\x1b")) {
    const text = decoded(bytes, vr, EXTENSION_TERMS);
    return text === undefined ? { text: latin, problem: "TEXT_UNDECODABLE" } : { text, problem: "TEXT_UNDECLARED" };
  }
  return { text: isUtf8(bytes) ? utf8Of(bytes) : latin, problem: "TEXT_UNDECLARED" };
}

/** The decoder would leave out a byte order mark. */
function utf8Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Undefined when some bytes are not text, or an escape sequence is not of these sets. */
function decoded(bytes: Uint8Array, vr: Vr, terms: readonly string[]): string | undefined {
  if (terms[0] === UTF_8) return isUtf8(bytes) ? utf8Of(bytes) : undefined;
  const { bytes: known, terms: knownTerms } = withoutLatin9(bytes, vr, terms);
  try {
    const text = convertBytes(knownTerms.join("\\"), known, { vr });
    return text.includes(REPLACEMENT) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Where escapes mean something, one that is left is no text; upper bytes need a set that was designated. PS3.5 6.1.2.5.1. */
function isPlausible(text: string, latin: string, { terms, first }: DeclaredSets): boolean {
  const isAlone = first !== undefined && first.extensionTerm === undefined;
  if (isAlone) return true;
  if (text.includes("\x1b")) return false;
  return terms[0] !== DEFAULT_EXTENSION || !/[\x80-\xff]/.test(latin) || designatesUpperHalf(latin);
}

function designatesUpperHalf(latin: string): boolean {
  return latin.split("\x1b").some((rest, index) => index > 0 && DESIGNATES_UPPER.test(rest));
}

function withAllExtensions({ terms, first }: DeclaredSets): readonly string[] {
  const initial = first?.extensionTerm === undefined ? terms : [first.extensionTerm];
  return [...new Set([...initial, ...terms.filter((term) => EXTENSION_TERMS.includes(term)), ...EXTENSION_TERMS])];
}

/** Longest rest of a character or escape sequence that was cut. */
const MAXIMUM_CUT_BYTES = 4;

/** A text cut within a character, as fields of fixed width do, is decoded up to there; otherwise all of it is shown as Latin-1. */
function decodedUpToCut(bytes: Uint8Array, vr: Vr, declared: DeclaredSets, latin: string): string {
  const end = trimPadding(latin).length;
  for (let cut = 1; cut <= Math.min(MAXIMUM_CUT_BYTES, end); cut += 1) {
    const text = decoded(bytes.subarray(0, end - cut), vr, declared.terms);
    if (text !== undefined && isPlausible(text, latin, declared)) return text + latin.slice(end - cut);
  }
  return latin;
}

/** Where Latin-9 differs from Latin-1, and where windows-1252, by which the package decodes Latin-1, has the same character. */
const LATIN_9 = new Map([
  [0xa4, 0x80],
  [0xa6, 0x8a],
  [0xa8, 0x9a],
  [0xb4, 0x8e],
  [0xb8, 0x9e],
  [0xbc, 0x8c],
  [0xbd, 0x9c],
  [0xbe, 0x9f],
]);

interface Decodable {
  readonly bytes: Uint8Array;
  readonly terms: readonly string[];
}

/** The package does not know ISO_IR 203 (Latin-9): such text is given to it as Latin-1. PS3.3 tables C.12-2, C.12-3. */
function withoutLatin9(bytes: Uint8Array, vr: Vr, terms: readonly string[]): Decodable {
  const isLatin9 = (term: string): boolean => term.endsWith(" 203");
  if (!terms.some(isLatin9)) return { bytes, terms };
  const known = terms.map((term) => term.replace(/ 203$/, " 100"));
  const changed = Uint8Array.from(bytes);
  const delimiters = delimitersOf(vr);
  const isInitial = isLatin9(terms[0] ?? "");
  let isActive = isInitial;
  for (const [at, byte] of bytes.entries()) {
    if (byte === ESCAPE) {
      const designation = Buffer.from(bytes.subarray(at + 1, at + 3)).toString("latin1");
      // ESC 02/13 06/02 is Latin-9, ESC 02/13 04/01 Latin-1.
      if (designation === "-b") changed[at + 2] = 0x41;
      if (DESIGNATES_UPPER.test(designation)) isActive = designation === "-b";
    } else if (delimiters.has(byte)) isActive = isInitial;
    else if (isActive && byte >= 0x80) changed[at] = LATIN_9.get(byte) ?? byte;
  }
  return { bytes: changed, terms: [...new Set(known)] };
}

/** After these the initial sets are in force again. PS3.5 6.1.2.5.3. */
function delimitersOf(vr: Vr): ReadonlySet<number> {
  const control = [0x09, 0x0a, 0x0c, 0x0d];
  if (isSingleValued(vr)) return new Set(control);
  return new Set(vr === "PN" ? [...control, 0x5c, 0x5e, 0x3d] : [...control, 0x5c]);
}

export function isAscii(text: string): boolean {
  return ASCII_ONLY.test(text);
}
