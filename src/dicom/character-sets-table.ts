/** A row of the tables of PS3.3 C.12.1.1.2: what (0008,0005) Specific Character Set may name. */
interface CharacterSet {
  /** "ISO_IR 100"; absent where the set may only be reached by escape sequences. Table C.12-2, C.12-5. */
  readonly term?: string;
  /** "ISO 2022 IR 100"; absent where the set knows no code extensions. Tables C.12-3, C.12-4. */
  readonly extensionTerm?: string;
  readonly description: string;
  /** Of one byte: the WHATWG label of its upper half, from which writing is derived. */
  readonly encoding?: string;
}

export const CHARACTER_SETS: readonly CharacterSet[] = [
  { term: "ISO_IR 6", extensionTerm: "ISO 2022 IR 6", description: "Default repertoire" },
  latin("100", "Latin alphabet No. 1", "iso-8859-1"),
  latin("101", "Latin alphabet No. 2", "iso-8859-2"),
  latin("109", "Latin alphabet No. 3", "iso-8859-3"),
  latin("110", "Latin alphabet No. 4", "iso-8859-4"),
  latin("144", "Cyrillic", "iso-8859-5"),
  latin("127", "Arabic", "iso-8859-6"),
  latin("126", "Greek", "iso-8859-7"),
  latin("138", "Hebrew", "iso-8859-8"),
  latin("148", "Latin alphabet No. 5", "windows-1254"),
  latin("203", "Latin alphabet No. 9", "iso-8859-15"),
  latin("13", "Japanese, katakana and romaji (JIS X 0201)", "shift-jis"),
  latin("166", "Thai (TIS 620-2533)", "windows-874"),
  { extensionTerm: "ISO 2022 IR 87", description: "Japanese, kanji (JIS X 0208)" },
  { extensionTerm: "ISO 2022 IR 159", description: "Japanese, supplementary kanji (JIS X 0212)" },
  { extensionTerm: "ISO 2022 IR 149", description: "Korean (KS X 1001)" },
  { extensionTerm: "ISO 2022 IR 58", description: "Simplified Chinese (GB 2312)" },
  { term: "ISO_IR 192", description: "Unicode in UTF-8" },
  { term: "GB18030", description: "Chinese (GB 18030)" },
  { term: "GBK", description: "Simplified Chinese (GBK)" },
];

function latin(number: string, description: string, encoding: string): CharacterSet {
  return { term: `ISO_IR ${number}`, extensionTerm: `ISO 2022 IR ${number}`, description, encoding };
}

export const UTF_8 = "ISO_IR 192";
export const DEFAULT_EXTENSION = "ISO 2022 IR 6";

const OF_TERM: ReadonlyMap<string, CharacterSet> = new Map(
  CHARACTER_SETS.flatMap((set) => [set.term, set.extensionTerm].flatMap((term) => (term ? [[term, set]] : []))),
);

/** Every set that has escape sequences. PS3.3 tables C.12-3, C.12-4. */
export const EXTENSION_TERMS: readonly string[] = CHARACTER_SETS.flatMap(({ extensionTerm }) => extensionTerm ?? []);

/** Spellings seen in the field: "ISO-IR 100", "ISO_IR_192", "ISO 2022 IR 192", "UTF-8". */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^ISO[ _-]?2022[ _-]?IR[ _-]?192$/i, UTF_8],
  [/^ISO[ _-]?2022[ _-]?(GB18030|GBK)$/i, "$1"],
  [/^ISO[ _-]?IR[ _-]?(\d+)$/i, "ISO_IR $1"],
  [/^ISO[ _-]?2022[ _-]?(?:IR[ _-]?)?(\d+)$/i, "ISO 2022 IR $1"],
  [/^(?:UTF-?8|unicode-1-1-utf-8)$/i, UTF_8],
  [/^(?:latin-?1|iso[ _-]?8859-1)$/i, "ISO_IR 100"],
  [/^(GB18030|GBK)$/i, "$1"],
];

/** Sets of two bytes below 80H. PS3.3 table C.12-4. */
const REPLACES_ASCII: ReadonlySet<string> = new Set(["ISO 2022 IR 87", "ISO 2022 IR 159"]);

interface Term {
  readonly term: string;
  readonly set: CharacterSet;
}

function termOf(spelling: string): Term | undefined {
  const known = SPELLINGS.find(([pattern]) => pattern.test(spelling));
  const respelt = known === undefined ? spelling : spelling.replace(known[0], known[1]);
  const term = respelt.toUpperCase();
  const set = OF_TERM.get(term);
  if (set !== undefined) return { term, set };
  // "ISO_IR 87" can only mean the set that has escape sequences alone.
  const extensionTerm = term.replace("ISO_IR", "ISO 2022 IR");
  const extension = OF_TERM.get(extensionTerm);
  return extension === undefined ? undefined : { term: extensionTerm, set: extension };
}

/** What a value of (0008,0005) says, once mistakes in it are worked round. */
export interface DeclaredSets {
  /** Known terms, the initial one first; empty when nothing is declared. */
  readonly terms: readonly string[];
  /** The set that the text begins in. */
  readonly first: CharacterSet | undefined;
  readonly hasExtensions: boolean;
  /** False when a term is unknown, misspelt, or not where it may be. */
  readonly isSound: boolean;
}

const NOTHING: DeclaredSets = { terms: [], first: undefined, hasExtensions: false, isSound: true };

let last: { readonly value: string; readonly declared: DeclaredSets } | undefined;

/**
 * Reads the defined terms of PS3.3 C.12.1.1.2. Unknown terms are passed over; what may not be combined gives way to the first that may.
 * @param value all values of (0008,0005), joined by backslashes
 */
export function declaredSets(value: string | undefined): DeclaredSets {
  if (value === undefined || value.trim() === "") return NOTHING;
  // Nearly every text follows the same value as the one before it.
  if (last?.value !== value) last = { value, declared: readTerms(value.split("\\").map((term) => term.trim())) };
  return last.declared;
}

function readTerms(values: readonly string[]): DeclaredSets {
  const isExtended = values.length > 1;
  // An empty first value is the default repertoire; an empty later one says nothing.
  const named = isExtended && values[0] === "" ? [DEFAULT_EXTENSION, ...values.slice(1)] : values;
  const known = named.flatMap((value) => termOf(value) ?? []);
  const [first] = known;
  if (first === undefined) return { ...NOTHING, isSound: false };
  const isSpeltRight = known.length === named.length && known.every(({ term }, index) => term === named[index]);
  if (first.set.extensionTerm === undefined) return alone(first, isSpeltRight && !isExtended);
  const usable = known.filter(({ set }) => set.extensionTerm !== undefined);
  const terms = isExtended ? usable.map(({ set }) => set.extensionTerm ?? "") : [first.term];
  const isMultiByte = first.set.term === undefined;
  const isInPlace =
    usable.length === known.length && usable.every(({ term, set }) => !isExtended || term === set.extensionTerm);
  const isSound = isSpeltRight && isInPlace && !isMultiByte;
  // Sets of several bytes may not come first. Those of the lower bytes would make nonsense of names in ASCII.
  const initial = REPLACES_ASCII.has(first.term) ? [DEFAULT_EXTENSION, ...terms] : terms;
  const hasExtensions = initial.length > 1 || initial[0] === first.set.extensionTerm;
  return { terms: [...new Set(initial)], first: isMultiByte ? undefined : first.set, hasExtensions, isSound };
}

/** UTF-8, GB18030 and GBK stand without others. PS3.3 table C.12-5. */
function alone({ term, set }: Term, isSound: boolean): DeclaredSets {
  return { terms: [term], first: set, hasExtensions: false, isSound };
}
