import { foldedWords } from "../rules/clean-text.ts";
import { asciiDigits, transcribed } from "../rules/plain-letters.ts";
import type { Position } from "./automaton.ts";
import type { FileWindow } from "./file-window.ts";
import { fold } from "./harvest.ts";
import { type IdentifierKind, isNamingWord } from "./identifier-kinds.ts";
import type { Identifiers, Needles } from "./needles.ts";
import { integersIn } from "./plain-integer.ts";
import { kindWithin } from "./uid-numbers.ts";

/**
 * How bytes of the output are searched.
 * - `number`: integers, each as a whole; `code`: a code value, as a whole; `uid`: components of UIDs that an option keeps, each as a whole,
 *   and the long numbers that they are made of
 * - `clean`: words of a vocabulary, each as a whole
 * - `retained`: text of devices and institutions that an option keeps
 * - `technical`: technical words and short numbers, for what is written in numbers: names are within words (Philip, Toma, Shiba)
 * - `form`: text of a closed technical form; `text`: any other text
 * - `pseudonym`: a participant id, which may be any text but an identifier
 * - `binary`: numbers and tables of them; `compressed`: fragments of pixel data
 */
export type SearchedAs =
  | "number"
  | "code"
  | "uid"
  | "clean"
  | "retained"
  | "technical"
  | "form"
  | "text"
  | "pseudonym"
  | "binary"
  | "compressed";

/** A part of the output that was not proven to be ours or a term of a closed list. */
export interface Piece {
  /** Its tags, outermost first. */
  readonly place: string;
  readonly how: SearchedAs;
  /** Undefined: they are in the file. */
  readonly bytes: Buffer | undefined;
  readonly offset: number;
  readonly length: number;
}

export interface Hit {
  readonly place: string;
  readonly kind: IdentifierKind;
}

/** Read and searched at a time. */
export const CHUNK_BYTES = 2 ** 20;
/** Shorter identifiers than these are spelt by chance: in the mantissas of a few numbers, in tables, in compressed pixels. */
export const MINIMUM_BYTES = { few: 5, table: 6, compressed: 8 } as const;
const FEW_BYTES = 4096;
const LARGE_BYTES = 16 * 2 ** 20;
/** Within other text; a shorter one is found as a word of its own. */
const MINIMUM_WITHIN_TEXT = 4;
/** Text that may stay is itself text of the source. */
const NOT_IN_TEXT: ReadonlySet<IdentifierKind> = new Set(["text"]);
const NOT_IN_PRIVATE_TEXT: ReadonlySet<IdentifierKind> = new Set(["text", "private"]);
/** The last tag is of an odd group. PS3.5 7.8. */
const IN_PRIVATE_ELEMENT = /\([0-9A-F]{3}[13579BDF],[0-9A-F]{4}\)$/;
/** Technical forms are made of letters and numbers that also begin words of an institution. */
const NOT_IN_FORMS: ReadonlySet<IdentifierKind> = new Set(["text", "private", "institution"]);
/** It is what the option keeps. */
const NOT_IN_RETAINED: ReadonlySet<IdentifierKind> = new Set([...NOT_IN_FORMS, "device", "address", "ae-title"]);
const NOT_IN_PSEUDONYMS: ReadonlySet<IdentifierKind> = new Set([...NOT_IN_FORMS, "ae-title", "device", "date", "uid"]);
/** Type designations have fewer digits than these. */
const MINIMUM_WITHIN_WORDS = 6;
const NOT_IN_WORDS: ReadonlySet<IdentifierKind> = new Set([...NOT_IN_RETAINED, "name", "e-mail", "uid"]);
/** Equipment makes UIDs of its own number and of the time, which the option retains with them. */
const NOT_IN_UIDS: ReadonlySet<IdentifierKind> = new Set([...NOT_IN_FORMS, "date", "device", "ae-title", "uid"]);
/** Shorter ones are those of many a code. */
const NUMBER_IN_CODE = /[0-9]{6,}/g;
const NOT_IN_CODES: ReadonlySet<IdentifierKind> = new Set(["text", "private", "institution"]);

/** The first identifier in what is left to be searched; undefined: none. `window` is asked only for what the pieces do not hold. */
export async function searchPieces(
  pieces: readonly Piece[],
  identifiers: Identifiers,
  window: () => Promise<FileWindow>,
): Promise<Hit | undefined> {
  if (pieces.length === 0) return undefined;
  const needles = identifiers.needles();
  for (const piece of pieces) {
    const { bytes } = piece;
    const kind =
      bytes === undefined
        ? await searchFile(piece, needles, await window())
        : searchBytes(bytes, piece, identifiers, needles);
    if (kind !== undefined) return { place: piece.place, kind };
  }
  return undefined;
}

function searchBytes(
  bytes: Buffer,
  { how, place }: Piece,
  identifiers: Identifiers,
  needles: Needles,
): IdentifierKind | undefined {
  switch (how) {
    case "number":
      return firstOf(
        bytes.toString("latin1").split("\\"),
        (number) => identifiers.kindOfInteger(number) ?? idOnly(identifiers.kindOf(number)),
      );
    case "code":
      return codeKind(fold(bytes.toString("latin1")), identifiers);
    case "uid":
      return firstOf(bytes.toString("latin1").split(/[.\\\0 ]/), (component) => componentKind(component, identifiers));
    case "clean":
      return firstOf(
        foldedWords(bytes.toString("utf8")),
        (word) => namingKind(word, identifiers) ?? namingKind(word.replace(/[0-9]+$/, ""), identifiers),
      );
    case "retained":
    case "form":
    case "text":
      return searchText(bytes, how, place, identifiers, needles);
    case "pseudonym":
      return needles.find(Buffer.from(fold(bytes.toString("utf8")), "utf8"), MINIMUM_WITHIN_TEXT, {
        isText: true,
        ignored: NOT_IN_PSEUDONYMS,
      });
    case "technical":
      return needles.find(Buffer.from(fold(bytes.toString("utf8")), "utf8"), MINIMUM_WITHIN_WORDS, {
        isText: true,
        isStraight: true,
        ignored: NOT_IN_WORDS,
      });
    case "binary":
      return needles.find(bytes, minimumFor(how, bytes.length));
    case "compressed":
      return needles.find(bytes, minimumFor(how, bytes.length), { isStraight: true });
  }
}

/** Folded, then as it stands; the numbers in it, however many zeros lead them; and its words, for names too short to be sought within others. */
function searchText(
  bytes: Buffer,
  how: "retained" | "form" | "text",
  place: string,
  identifiers: Identifiers,
  needles: Needles,
): IdentifierKind | undefined {
  const text = bytes.toString("utf8");
  const inText = IN_PRIVATE_ELEMENT.test(place) ? NOT_IN_PRIVATE_TEXT : NOT_IN_TEXT;
  const ignored = how === "retained" ? NOT_IN_RETAINED : how === "form" ? NOT_IN_FORMS : inText;
  const options = { isText: true, isStraight: true, ignored };
  const written = transcribed(text);
  const within =
    needles.find(Buffer.from(fold(text), "utf8"), MINIMUM_WITHIN_TEXT, options) ??
    (written === undefined
      ? undefined
      : needles.find(Buffer.from(fold(written), "utf8"), MINIMUM_WITHIN_TEXT, options)) ??
    needles.find(bytes, MINIMUM_WITHIN_TEXT, { ...options, isStraight: false });
  if (within !== undefined || how === "form") return within;
  const number = firstOf(integersIn(asciiDigits(text.normalize("NFKC"))), (plain) =>
    unlessIgnored(identifiers.kindOfInteger(plain), ignored),
  );
  if (number !== undefined) return number;
  return firstOf(text.split(/[^\p{L}\p{M}\p{N}]+/u), (word) => {
    const folded = Buffer.from(fold(word), "utf8");
    return folded.length >= MINIMUM_WITHIN_TEXT ? undefined : needles.find(folded, folded.length, options);
  });
}

/** As a whole, a shorter number of somebody's too; or a number that the component was made of beside others. */
function componentKind(component: string, identifiers: Identifiers): IdentifierKind | undefined {
  const kindOf = (digits: string): IdentifierKind | undefined =>
    unlessIgnored(identifiers.kindOfInteger(digits), NOT_IN_UIDS);
  return kindOf(component) ?? idOnly(identifiers.kindOf(component)) ?? kindWithin(component, kindOf);
}

/** Of shorter numbers, those that number somebody. */
function idOnly(kind: IdentifierKind | undefined): IdentifierKind | undefined {
  return kind === "id" ? kind : undefined;
}

/** As a whole, or the number in it; free text and institutions are spelt by codes that are nobody's. */
function codeKind(folded: string, identifiers: Identifiers): IdentifierKind | undefined {
  const whole = unlessIgnored(identifiers.kindOf(folded), NOT_IN_CODES);
  // The source has the code too: as a text it is nobody's, its number may be.
  return whole ?? firstOf(folded.match(NUMBER_IN_CODE) ?? [], (digits) => numberKind(digits, identifiers));
}

function numberKind(digits: string, identifiers: Identifiers): IdentifierKind | undefined {
  const long = firstOf(integersIn(digits), identifiers.kindOfInteger);
  return unlessIgnored(long, NOT_IN_CODES) ?? idOnly(identifiers.kindOf(digits));
}

function unlessIgnored(
  kind: IdentifierKind | undefined,
  ignored: ReadonlySet<IdentifierKind>,
): IdentifierKind | undefined {
  return kind === undefined || ignored.has(kind) ? undefined : kind;
}

function namingKind(folded: string, identifiers: Identifiers): IdentifierKind | undefined {
  const kind = identifiers.kindOf(folded);
  return isNamingWord(kind, folded) ? kind : undefined;
}

function firstOf<T>(values: readonly T[], find: (value: T) => IdentifierKind | undefined): IdentifierKind | undefined {
  for (const value of values) {
    const kind = find(value);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

function minimumFor(how: SearchedAs, length: number): number {
  if (how === "compressed" || length > LARGE_BYTES) return MINIMUM_BYTES.compressed;
  return length > FEW_BYTES ? MINIMUM_BYTES.table : MINIMUM_BYTES.few;
}

async function searchFile(piece: Piece, needles: Needles, window: FileWindow): Promise<IdentifierKind | undefined> {
  const position: Position = needles.start();
  const minimum = minimumFor(piece.how, piece.length);
  for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
    const bytes = await window.load(piece.offset + at, Math.min(CHUNK_BYTES, piece.length - at));
    const kind = needles.find(bytes, minimum, { position, isStraight: piece.how === "compressed" });
    if (kind !== undefined) return kind;
  }
  return undefined;
}
