import { type Automaton, buildAutomaton, type Position, SHORTEST_PATTERN } from "./automaton.ts";
import { fold, type Harvest } from "./harvest.ts";
import { type IdentifierKind, isNaming, STOP_WORDS, strongerKind } from "./identifier-kinds.ts";
import { integersIn } from "./plain-integer.ts";

/** Where an identifier comes from: folded text, text as it was spelt, or bytes as stored. */
export type IdentifierSource = "identifiers" | "spellings" | "rawValues";

/** Everything the instances of a study told, as it grows; the order in which they tell it makes no difference. */
export interface Identifiers {
  add(source: IdentifierSource, text: string, kind: IdentifierKind): void;
  /** Every text with its kind. */
  entries(source: IdentifierSource): Iterable<readonly [string, IdentifierKind]>;
  /** Of an identifier's folded form. */
  kindOf(folded: string): IdentifierKind | undefined;
  /** Of an integer as `plainInteger` writes it that an identifier is, or holds. */
  kindOfInteger(plain: string): IdentifierKind | undefined;
  /** Identifiers in every encoding they could stand in; made anew when there are more of them, or what one is is known better. @throws RangeError */
  needles(): Needles;
  readonly count: number;
}

/** What is sought, ready to be searched for in bytes. */
export interface Needles {
  start(): Position;
  /**
   * The kind of an identifier in the bytes: letters in any case, in one byte or two each, bytes exchanged or not.
   * @param minimumBytes shorter ones are left to chance
   */
  find(bytes: Uint8Array, minimumBytes: number, options?: NeedleOptions): IdentifierKind | undefined;
  readonly count: number;
}

interface NeedleOptions {
  /** Where an earlier piece of the same value ended. */
  readonly position?: Position;
  /** Bytes of words are not exchanged. @default false */
  readonly isStraight?: boolean;
  /** Text, in which rising numbers and letters are no chance. @default false */
  readonly isText?: boolean;
  readonly ignored?: ReadonlySet<IdentifierKind>;
}

const DATES: ReadonlySet<IdentifierKind> = new Set(["date", "birth-date"]);
/** Of the spellings of a date, the one that is a number: with the day or the month first many another number would be one. */
const DAY = /^(?:1[89]|2[0-9])[0-9]{6}$/;
/** Shorter ones are made up, and chance spells them. */
const SHORTEST_UID = 10;

export function createIdentifiers(): Identifiers {
  const texts: Readonly<Record<IdentifierSource, Map<string, IdentifierKind>>> = {
    identifiers: new Map(),
    spellings: new Map(),
    rawValues: new Map(),
  };
  const { identifiers: kinds, spellings, rawValues } = texts;
  const integers = new Map<string, IdentifierKind>();
  let made: Needles | undefined;
  return {
    add(source, text, kind) {
      const known = texts[source].get(text);
      const stronger = strongerKind(known, kind);
      if (stronger !== known) made = undefined;
      texts[source].set(text, stronger);
      if (!isNaming(kind) || !(source === "identifiers" || (DATES.has(kind) && DAY.test(text)))) return;
      for (const plain of integersIn(text)) integers.set(plain, strongerKind(integers.get(plain), kind));
    },
    entries: (source) => texts[source],
    kindOf: (folded) => kinds.get(folded),
    kindOfInteger: (plain) => integers.get(plain),
    needles() {
      made ??= needlesOf(kinds, spellings, rawValues);
      return made;
    },
    get count() {
      return kinds.size + spellings.size + rawValues.size;
    },
  };
}

/**
 * Visits what of a harvest is searched for.
 * @param retained kinds that the profile lets stay: they are not identifiers
 */
export function eachIdentifier(
  harvest: Harvest,
  retained: ReadonlySet<IdentifierKind>,
  visit: (source: IdentifierSource, text: string, kind: IdentifierKind) => void,
): void {
  for (const source of ["identifiers", "spellings", "rawValues"] as const) {
    for (const [text, kind] of harvest[source]) if (!retained.has(kind)) visit(source, text, kind);
  }
  eachUid(harvest, retained, visit);
}

/** The part of them that is another one in every instance. */
export function eachUid(
  { uids }: Pick<Harvest, "uids">,
  retained: ReadonlySet<IdentifierKind>,
  visit: (source: IdentifierSource, text: string, kind: IdentifierKind) => void,
): void {
  if (retained.has("uid")) return;
  for (const uid of uids) if (uid.length >= SHORTEST_UID) visit("spellings", uid, "uid");
}

type Kinds = ReadonlyMap<string, IdentifierKind>;

function needlesOf(kinds: Kinds, spellings: Kinds, rawValues: Kinds): Needles {
  const patterns: Uint8Array[] = [];
  const sought: Sought[] = [];
  const seen = new Map<string, Sought>();
  const add = (bytes: Buffer, kind: IdentifierKind): void => {
    if (bytes.length < SHORTEST_PATTERN) return;
    const key = bytes.toString("latin1").toLowerCase();
    const known = seen.get(key);
    if (known !== undefined) {
      known.kind = strongerKind(known.kind, kind);
      return;
    }
    const one = { kind, length: bytes.length, isRising: isRising(key) };
    seen.set(key, one);
    patterns.push(bytes);
    sought.push(one);
  };
  for (const [folded, kind] of kinds)
    if (!STOP_WORDS.has(folded)) for (const bytes of encodings(folded)) add(bytes, kind);
  for (const [text, kind] of spellings) {
    if (STOP_WORDS.has(fold(text))) continue;
    for (const spelt of new Set([text, text.toLowerCase(), text.toUpperCase()])) {
      for (const bytes of encodings(spelt)) add(bytes, kind);
    }
  }
  for (const [raw, kind] of rawValues) add(withoutZeros(Buffer.from(raw, "latin1")), kind);
  return searchOf(buildAutomaton(patterns), sought);
}

/** 1234567 and abcdef: a table of rising numbers spells them. */
function isRising(key: string): boolean {
  for (let at = 1; at < key.length; at += 1) if (key.charCodeAt(at) !== key.charCodeAt(at - 1) + 1) return false;
  return true;
}

/** UTF-8, Latin-1 (also for UTF-16 of the same letters: the search passes over zeros), UTF-16 of both orders. */
function encodings(text: string): readonly Buffer[] {
  const utf8 = Buffer.from(text, "utf8");
  if (utf8.length === text.length) return [utf8];
  const wide = Buffer.from(text, "utf16le");
  const isLatin = [...text].every((character) => character.charCodeAt(0) <= 0xff);
  return [
    utf8,
    ...(isLatin ? [Buffer.from(text, "latin1")] : [withoutZeros(wide), withoutZeros(Buffer.from(wide).swap16())]),
  ];
}

function withoutZeros(bytes: Buffer): Buffer {
  return bytes.includes(0) ? Buffer.from(bytes.filter((byte) => byte !== 0)) : bytes;
}

interface Sought {
  kind: IdentifierKind;
  readonly length: number;
  readonly isRising: boolean;
}

function searchOf(automaton: Automaton, sought: readonly Sought[]): Needles {
  return {
    count: sought.length,
    start: automaton.start,
    find(bytes, minimumBytes, { position = automaton.start(), isStraight = false, isText = false, ignored } = {}) {
      const accepts = (pattern: number): boolean => {
        const found = sought[pattern];
        if (found === undefined || found.length < minimumBytes) return false;
        return (isText || !found.isRising) && ignored?.has(found.kind) !== true;
      };
      const pattern = automaton.find(bytes, position, accepts, isStraight ? "straight" : "both");
      return pattern === undefined ? undefined : sought[pattern]?.kind;
    },
  };
}
