import type { DataSet } from "../../dicom/data-set.ts";
import { vrOf } from "../../dicom/dictionary/dictionary.ts";
import { fromDicomJson } from "../../dicom/json-read.ts";
import { tagOf } from "../../dicom/tag.ts";

/** VRs whose values are JSON numbers. PS3.18 table F.2.3-1; DS and IS may be either. */
const NUMBERS: ReadonlySet<string> = new Set(["FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"]);
const TEXTS: ReadonlySet<string> = new Set("AE AS CS DA DT LO LT SH ST TM UC UI UR UT".split(" "));
const TAG = /^[0-9A-Fa-f]{8}$/;
const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/**
 * A match of a search as servers really send it: numbers as texts and texts as numbers, a value outside of its array, a VR left out.
 * Attributes that cannot be made sense of are passed over: a search is not refused for one odd description.
 */
export function dataSetOfMatch(match: unknown): DataSet {
  const usual = usualForm(match, 0);
  return understood(usual) ?? understood(Object.fromEntries(Object.entries(usual).filter(isUnderstood))) ?? new Map();
}

/** Undefined when something of it cannot be: a number beyond its VR, say. */
function understood(json: Readonly<Record<string, unknown>>): DataSet | undefined {
  try {
    return fromDicomJson(json);
  } catch {
    return undefined;
  }
}

function isUnderstood([key, attribute]: readonly [string, unknown]): boolean {
  return understood({ [key]: attribute }) !== undefined;
}

/** Matches hold a sequence or two at most. */
const MAXIMUM_DEPTH = 16;

function usualForm(json: unknown, depth: number): Readonly<Record<string, unknown>> {
  if (!isObject(json) || depth > MAXIMUM_DEPTH) return {};
  const attributes = new Map<string, unknown>();
  for (const [name, attribute] of Object.entries(json)) {
    const key = name.toUpperCase();
    if (!TAG.test(key) || !isObject(attribute) || attributes.has(key)) continue;
    const vr = typeof attribute.vr === "string" ? attribute.vr : vrOf(tagOf(Number.parseInt(key, 16)));
    if (!isKnownVr(vr) || "BulkDataURI" in attribute) continue;
    const { Value: value } = attribute;
    const values = value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
    const usual = values.map((each: unknown) => usualValue(each, vr, depth)).filter((each) => each !== undefined);
    attributes.set(key, usual.length === 0 ? { vr } : { vr, Value: usual });
  }
  return Object.fromEntries(attributes);
}

function isKnownVr(vr: string): boolean {
  return NUMBERS.has(vr) || TEXTS.has(vr) || ["AT", "DS", "IS", "PN", "SQ"].includes(vr);
}

/** Undefined: it is left out. */
function usualValue(value: unknown, vr: string, depth: number): unknown {
  if (value === null) return undefined;
  if (vr === "SQ") return usualForm(value, depth + 1);
  if (vr === "PN") return usualName(value);
  if (NUMBERS.has(vr)) {
    const number = typeof value === "string" && NUMBER.test(value.trim()) ? Number(value) : value;
    return typeof number === "number" ? number : undefined;
  }
  if (vr === "AT") return typeof value === "string" && TAG.test(value) ? value : undefined;
  if (vr === "DS" || vr === "IS") {
    const isNumeric = typeof value === "number" || (typeof value === "string" && NUMBER.test(value.trim()));
    return isNumeric ? value : undefined;
  }
  return typeof value === "number" ? `${value}` : typeof value === "string" ? value : undefined;
}

/** Component groups of a name, or the name itself where a server does without them. */
function usualName(value: unknown): unknown {
  if (typeof value === "string") return { Alphabetic: value };
  if (!isObject(value)) return undefined;
  const groups = ["Alphabetic", "Ideographic", "Phonetic"].flatMap((group) =>
    typeof value[group] === "string" ? [[group, value[group]]] : [],
  );
  return groups.length === 0 ? undefined : Object.fromEntries(groups);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
