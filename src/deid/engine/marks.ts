import type { DataElement } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { ENGINE } from "../engine-version.ts";
import { hasOption, OPTION_NAMES, OPTIONS, type OptionName, type OptionSet } from "../profiles/options.ts";
import type { Profile } from "../profiles/profile.ts";
import { type AttributeTypes, TOP_LEVEL } from "../rules/attribute-type.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { codedElements, textElement } from "./coded-entry.ts";
import { textBytes } from "./element-bytes.ts";

const PATIENT_IDENTITY_REMOVED = tagOf(0x00120062);
const DEIDENTIFICATION_METHOD = tagOf(0x00120063);
const DEIDENTIFICATION_METHOD_CODES = tagOf(0x00120064);
const LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED = tagOf(0x00280303);
const METHOD_LIMIT = 64;
const HASH_DIGITS = 12;

/** Type 2 attributes of the Patient, General Study, Series and Image modules: added empty where they are missing. PS3.3 C.7. */
export const ADDED_WHEN_MISSING = [
  0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00200010,
  0x00200011, 0x00200013,
].map(tagOf);
const PSEUDONYM_TAGS: ReadonlySet<number> = new Set([0x00100010, 0x00100020]);

/** Text values the engine writes into every object, by tag. PS3.15 E.1.1. */
export function markTexts(profile: Pick<Profile, "name" | "hash">): ReadonlyMap<number, string> {
  const [before, after] = [`${ENGINE} profile `, ` ${profile.hash.slice(0, HASH_DIGITS)}`];
  // A long name is cut: the hash tells which profile it was.
  const method = before + profile.name.slice(0, METHOD_LIMIT - before.length - after.length) + after;
  return new Map<number, string>([
    [PATIENT_IDENTITY_REMOVED, "YES"],
    [DEIDENTIFICATION_METHOD, method],
  ]);
}

/** What became of the dates of this object, whether an option or a rule of the profile spoke of them. PS3.3 C.12.1. */
function datesMark(applied: OptionSet): string {
  if (hasOption(applied, "retain-longitudinal-full-dates")) return "UNMODIFIED";
  return hasOption(applied, "retain-longitudinal-modified-dates") ? "MODIFIED" : "REMOVED";
}

/** The basic profile and what was applied of its options, in the order of CID 7050. Pixels are claimed to be clean where they were cleaned. */
export function appliedOptions({ options }: Profile, applied: OptionSet, isMasked: boolean): readonly OptionName[] {
  return OPTION_NAMES.filter((option) => {
    if (option === "basic") return true;
    return option === "clean-pixel-data" ? isMasked : options.includes(option) && hasOption(applied, option);
  });
}

/** The marks as elements, method codes included. */
export function markElements(
  profile: Profile,
  applied: OptionSet,
  options: readonly OptionName[],
): [Tag, DataElement][] {
  const marks = [...markTexts(profile), [LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, datesMark(applied)] as const];
  const texts = marks.map(([tag, text]) => textElement(tagOf(tag), standardVr(tag) ?? "LO", text));
  const items = options.map((option) => {
    const { code, meaning } = OPTIONS[option];
    return { dataSet: new Map(codedElements({ value: code, scheme: "DCM", meaning })), undefinedLength: false };
  });
  const tag = DEIDENTIFICATION_METHOD_CODES;
  return [...texts, [tag, { tag, vr: "SQ", value: { kind: "sequence", items }, undefinedLength: false }]];
}

/** What a reader of the IOD counts on, where the source had nothing. */
export function missingElements(
  kept: ReadonlyMap<Tag, DataElement>,
  types: AttributeTypes,
  pseudonym: string,
): [Tag, DataElement][] {
  return ADDED_WHEN_MISSING.flatMap((tag): [Tag, DataElement][] => {
    const vr = standardVr(tag);
    if (kept.has(tag) || vr === undefined) return [];
    const text = PSEUDONYM_TAGS.has(tag) ? pseudonym : "";
    if (text === "" && types(TOP_LEVEL, tag).startsWith("1")) return [];
    return [[tag, { tag, vr, value: { kind: "bytes", bytes: textBytes(vr, text) }, undefinedLength: false }]];
  });
}
