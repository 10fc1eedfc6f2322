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

interface Repeating {
  readonly mask: number;
  readonly value: number;
  readonly line: string;
}

interface Dictionary {
  /** A line of the table until it is first looked up, its entry from then on: most are never asked for. */
  readonly byTag: Map<number, string | DictionaryEntry>;
  /** Repeating groups such as (60xx,3000): a pattern each. PS3.5 7.6. */
  readonly repeating: readonly Repeating[];
}

let loaded: Dictionary | undefined;
let keywords: ReadonlyMap<string, Tag> | undefined;

/** Indexed on first use: programs that only print their version need not pay for it. */
function dictionary(): Dictionary {
  loaded ??= indexed(ELEMENT_LINES);
  return loaded;
}

function indexed(table: string): Dictionary {
  const byTag = new Map<number, string | DictionaryEntry>();
  const repeating: Repeating[] = [];
  for (const line of table.split("\n")) {
    const pattern = line.slice(0, 8);
    if (pattern === "") continue;
    if (pattern.includes("x")) {
      const mask = Number.parseInt(pattern.replace(/[^x]/g, "F").replaceAll("x", "0"), 16);
      repeating.push({ mask, value: firstOf(pattern), line });
    } else byTag.set(firstOf(pattern), line);
  }
  return { byTag, repeating };
}

/** The first tag of a pattern. */
function firstOf(pattern: string): number {
  return Number.parseInt(pattern.replaceAll("x", "0"), 16);
}

function entryOf(line: string): DictionaryEntry {
  const [, keyword = "", vr = "", vm = ""] = line.split(" ");
  return { keyword, vr: vr.replaceAll("_", " "), vm };
}

export function lookupElement(tag: Tag): DictionaryEntry | undefined {
  const { byTag, repeating } = dictionary();
  const found = byTag.get(tag);
  if (typeof found === "object") return found;
  const line =
    found ?? (isPrivate(tag) ? undefined : repeating.find(({ mask, value }) => (tag & mask) >>> 0 === value)?.line);
  if (line === undefined) return undefined;
  const entry = entryOf(line);
  byTag.set(tag, entry);
  return entry;
}

/** For repeating groups: the first tag of the pattern. */
export function tagOfKeyword(keyword: string): Tag | undefined {
  keywords ??= new Map(
    ELEMENT_LINES.split("\n").map((line) => [line.split(" ", 2)[1] ?? "", tagOf(firstOf(line.slice(0, 8)))]),
  );
  return keyword === "" ? undefined : keywords.get(keyword);
}

/** (gggg,0000). PS3.5 7.2. */
function isGroupLength(tag: Tag): boolean {
  return (tag & 0xffff) === 0;
}

/** (gggg,0010) to (gggg,00FF) of an odd group. PS3.5 7.8.1. */
function isPrivateCreator(tag: Tag): boolean {
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
