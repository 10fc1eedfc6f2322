import { seededRandom } from "../../src/units/random.ts";

/** Where an identifier hides. */
export type Place =
  | "named attribute"
  | "description"
  | "any text attribute"
  | "nested sequence"
  | "private block"
  | "UN or other VR"
  | "other character set"
  | "padding"
  | "preamble and meta"
  | "overlay, curve, icon"
  | "compressed frame"
  | "behind the data"
  | "structured content"
  | "graphics and labels"
  | "document"
  | "UID";

/** Something that tells who a patient is, and nothing else in the set is spelt like it. */
export interface Token {
  readonly text: string;
  readonly place: Place;
  /** In every encoding it may be found in. */
  readonly needles: readonly Buffer[];
}

export interface ForeignWord {
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Tokens {
  readonly all: readonly Token[];
  /** A word of ten capital letters. */
  word(place: Place): string;
  /** Twelve digits. */
  number(place: Place): string;
  uid(): string;
  /** Letters of a character set, with their bytes in it. */
  foreign(set: ForeignSet): ForeignWord;
  /** A whole number from 0 to below the limit. */
  upTo(limit: number): number;
}

/** How the letters of a Specific Character Set are made: a decoder of its bytes, and bytes of letters. PS3.3 C.12.1.1.2. */
interface LetterBytes {
  readonly encoding: string;
  readonly from: readonly [lead: number, trail: number];
  readonly to: readonly [lead: number, trail: number];
  /** Code extension: what stands before and behind the letters. */
  readonly escapes?: readonly [before: string, behind: string];
  /** Seven bits of each byte: JIS X 0208 as ISO 2022 invokes it. */
  readonly isSevenBit?: true;
}

const LETTERS = {
  "ISO_IR 100": { encoding: "iso-8859-1", from: [0xc0, 0], to: [0xd6, 0] },
  "ISO_IR 101": { encoding: "iso-8859-2", from: [0xc0, 0], to: [0xd6, 0] },
  "ISO_IR 144": { encoding: "iso-8859-5", from: [0xb0, 0], to: [0xcf, 0] },
  "ISO_IR 126": { encoding: "iso-8859-7", from: [0xc1, 0], to: [0xd1, 0] },
  GB18030: { encoding: "gb18030", from: [0xb0, 0xa1], to: [0xd6, 0xfe] },
  "\\ISO 2022 IR 149": {
    encoding: "euc-kr",
    from: [0xb0, 0xa1],
    to: [0xc8, 0xfe],
    escapes: ["\x1b$)C", ""],
  },
  "\\ISO 2022 IR 87": {
    encoding: "euc-jp",
    from: [0xb0, 0xa1],
    to: [0xce, 0xfe],
    escapes: ["\x1b$B", "\x1b(B"],
    isSevenBit: true,
  },
} as const satisfies Readonly<Record<string, LetterBytes>>;

export type ForeignSet = keyof typeof LETTERS;

export const FOREIGN_SETS: readonly ForeignSet[] = [
  "ISO_IR 100",
  "ISO_IR 101",
  "ISO_IR 144",
  "ISO_IR 126",
  "GB18030",
  "\\ISO 2022 IR 149",
  "\\ISO 2022 IR 87",
];

const CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ";
const VOWELS = "AEIOU";
const SYLLABLES = 5;
const NUMBER_DIGITS = 12;
const UID_DIGITS = 20;
const FOREIGN_LETTERS = 8;
/** Of an organisation that gives them away. */
const UID_ROOT = "1.2.826.0.1.3680043.8.498.";

export function createTokens(seed: number): Tokens {
  const random = seededRandom(seed);
  const taken = new Set<string>();
  const all: Token[] = [];
  const upTo = (limit: number): number => Math.floor(random.next() * limit);
  const pick = (letters: string): string => letters.charAt(upTo(letters.length));
  const digits = (count: number): string => Array.from({ length: count }, () => upTo(10)).join("");
  const fresh = (make: () => string): string => {
    let text = make();
    while (taken.has(text)) text = make();
    taken.add(text);
    return text;
  };
  const add = (text: string, place: Place, extra: readonly Buffer[] = []): string => {
    all.push({ text, place, needles: needlesOf(text, extra) });
    return text;
  };
  return {
    all,
    upTo,
    word: (place) =>
      add(
        fresh(() => Array.from({ length: SYLLABLES }, () => pick(CONSONANTS) + pick(VOWELS)).join("")),
        place,
      ),
    number: (place) =>
      add(
        fresh(() => `7${digits(NUMBER_DIGITS - 1)}`),
        place,
      ),
    uid: () =>
      add(
        fresh(() => `${UID_ROOT}7${digits(UID_DIGITS - 1)}`),
        "UID",
      ),
    foreign(set) {
      const { text, bytes, letters } = foreignWord(LETTERS[set], upTo);
      add(text, "other character set", [letters]);
      return { text, bytes };
    },
  };
}

/** UTF-8, which is Latin-1 for most; UTF-16 in both orders; bytes swapped in pairs, from an even and from an odd place. */
function needlesOf(text: string, extra: readonly Buffer[]): readonly Buffer[] {
  const wide = Buffer.from(text, "utf16le");
  const plain = [Buffer.from(text, "utf8"), ...extra];
  const latin = Buffer.from(text, "latin1");
  if (latin.toString("latin1") === text && !plain.some((one) => one.equals(latin))) plain.push(latin);
  const swapped = plain.flatMap((bytes) => [swap(bytes), swap(bytes.subarray(1))]);
  return [...plain, ...swapped, wide, Buffer.from(wide).swap16()];
}

function swap(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).swap16();
}

function foreignWord(
  { encoding, from, to, escapes, isSevenBit }: LetterBytes,
  upTo: (limit: number) => number,
): ForeignWord & { readonly letters: Buffer } {
  const between = (low: number, high: number): number => low + upTo(high - low + 1);
  const raw = Buffer.from(
    Array.from({ length: FOREIGN_LETTERS }, () => {
      const lead = between(from[0], to[0]);
      return from[1] === 0 ? [lead] : [lead, between(from[1], to[1])];
    }).flat(),
  );
  const text = new TextDecoder(encoding).decode(raw);
  const letters = isSevenBit === true ? Buffer.from(raw.map((byte) => byte & 0x7f)) : raw;
  const [before, behind] = escapes ?? ["", ""];
  return { text, letters, bytes: Buffer.concat([Buffer.from(before), letters, Buffer.from(behind)]) };
}
