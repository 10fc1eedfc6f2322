import { groupOf, isPrivate, type Tag, tagOf } from "../tag.ts";
import type { Vr } from "../vr.ts";
import { ELEMENT_LINES } from "./elements.generated.ts";

/** A row of PS3.6 table 6-1, 7-1 or 8-1. */
export interface DictionaryEntry {
  /** Empty where the standard gives none. */
  readonly keyword: string;
  /** As printed: "US or SS" where the standard leaves a choice, "" for delimiters. */
  readonly vr: string;
  readonly vm: string;
}

interface RepeatingEntry {
  readonly mask: number;
  readonly value: number;
  readonly entry: DictionaryEntry;
}

interface Dictionary {
  readonly byTag: ReadonlyMap<number, DictionaryEntry>;
  /** Repeating groups such as (60xx,3000): a pattern each. PS3.5 7.6. */
  readonly repeating: readonly RepeatingEntry[];
  readonly byKeyword: ReadonlyMap<string, Tag>;
}

let loaded: Dictionary | undefined;

/** Parsed on first use: programs that only print their version need not pay for it. */
function dictionary(): Dictionary {
  loaded ??= parse(ELEMENT_LINES);
  return loaded;
}

function parse(lines: string): Dictionary {
  const byTag = new Map<number, DictionaryEntry>();
  const repeating: RepeatingEntry[] = [];
  const byKeyword = new Map<string, Tag>();
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const [pattern = "", keyword = "", vr = "", vm = ""] = line.split(" ");
    const entry = { keyword, vr: vr.replaceAll("_", " "), vm };
    const value = Number.parseInt(pattern.replaceAll("x", "0"), 16);
    if (pattern.includes("x")) {
      const mask = Number.parseInt(pattern.replace(/[^x]/g, "F").replaceAll("x", "0"), 16);
      repeating.push({ mask, value, entry });
    } else byTag.set(value, entry);
    if (keyword !== "") byKeyword.set(keyword, tagOf(value));
  }
  return { byTag, repeating, byKeyword };
}

export function lookupElement(tag: Tag): DictionaryEntry | undefined {
  const { byTag, repeating } = dictionary();
  const found = byTag.get(tag);
  if (found !== undefined || isPrivate(tag)) return found;
  return repeating.find(({ mask, value }) => (tag & mask) >>> 0 === value)?.entry;
}

/** For repeating groups: the first tag of the pattern. */
export function tagOfKeyword(keyword: string): Tag | undefined {
  return dictionary().byKeyword.get(keyword);
}

/** (gggg,0000). PS3.5 7.2. */
function isGroupLength(tag: Tag): boolean {
  return (tag & 0xffff) === 0;
}

/** (gggg,0010) to (gggg,00FF) of an odd group. PS3.5 7.8.1. */
export function isPrivateCreator(tag: Tag): boolean {
  const element = tag & 0xffff;
  return isPrivate(tag) && element >= 0x10 && element <= 0xff;
}

/** Pixel Representation (0028,0103): 1 makes "US or SS" SS. */
export interface VrContext {
  readonly pixelRepresentation?: number | undefined;
}

/** The VR an element has where the file does not say, as under implicit VR. UN when it cannot be known. PS3.5 A.1, 6.2.2. */
export function vrOf(tag: Tag, context: VrContext = {}): Vr {
  if (isGroupLength(tag)) return "UL";
  if (isPrivateCreator(tag)) return "LO";
  const vr = lookupElement(tag)?.vr ?? "";
  if (vr.length === 2) return vr as Vr;
  if (vr === "") return "UN";
  if (vr.startsWith("US or SS")) return context.pixelRepresentation === 1 ? "SS" : "US";
  // "OB or OW": under implicit VR it is OW (PS3.5 A.1).
  return "OW";
}

/** The group is one that PS3.6 knows to be 16 bit words, whatever the element. */
export function isPixelData(tag: Tag): boolean {
  return groupOf(tag) === 0x7fe0 && (tag === 0x7fe00010 || tag === 0x7fe00008 || tag === 0x7fe00009);
}
