import { lookupElement, tagOfKeyword } from "../../dicom/dictionary/dictionary.ts";
import { formatTag, type Tag, tagOf } from "../../dicom/tag.ts";

/** What a rule speaks of: a standard attribute, or a private element by its creator. PS3.5 7.8.1. */
export type RuleTarget =
  | { readonly kind: "standard"; readonly tag: Tag }
  | { readonly kind: "private"; readonly group: number; readonly creator: string; readonly lowByte: number };

const STANDARD = /^\(?([0-9A-F]{4}),?([0-9A-F]{4})\)?$/i;
const PRIVATE = /^\(([0-9A-F]{4}),"([^"\\]{1,64})",([0-9A-F]{2})\)$/i;

/** Reads a keyword, "(gggg,eeee)" or `(gggg,"CREATOR",ee)`; undefined: PS3.6 has no such attribute. */
export function parseRuleTarget(text: string): RuleTarget | undefined {
  const compact = text.trim();
  const [, group, creator, low] = PRIVATE.exec(compact) ?? [];
  if (group !== undefined && creator !== undefined && low !== undefined) {
    const number = Number.parseInt(group, 16);
    if (number % 2 === 0 || number <= 7 || number === 0xffff || creator.trim() === "") return undefined;
    return { kind: "private", group: number, creator: creator.trimEnd(), lowByte: Number.parseInt(low, 16) };
  }
  const tag = standardTag(compact);
  return tag === undefined ? undefined : { kind: "standard", tag };
}

/** A standard attribute by keyword or number; undefined: PS3.6 has none. */
export function standardTag(text: string): Tag | undefined {
  const [, group, element] = STANDARD.exec(text) ?? [];
  const tag =
    group === undefined || element === undefined ? tagOfKeyword(text) : tagOf(Number.parseInt(group + element, 16));
  return tag === undefined || lookupElement(tag) === undefined || ((tag >>> 16) & 1) === 1 ? undefined : tag;
}

/** As profiles and reports write it. */
export function formatRuleTarget(target: RuleTarget): string {
  if (target.kind === "standard") return formatTag(target.tag);
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");
  return `(${hex(target.group, 4)},"${target.creator}",${hex(target.lowByte, 2)})`;
}
