import { createHash } from "node:crypto";
import { type OptionName, type OptionSet, optionSet } from "../profiles/options.ts";
import { type PseudonymSettings, USUAL_PSEUDONYMS } from "../profiles/profile.ts";
import { AE_TITLE_TAGS, pseudonymRules } from "../pseudonyms/pseudonym-rules.ts";
import type { BasicAction, ConfidentialityRow } from "../tables/confidentiality-row.ts";
import { CONFIDENTIALITY_TABLE } from "../tables/confidentiality-table.generated.ts";
import { CONTENT_PART_SEQUENCES, CONTENT_SEQUENCES } from "../tables/content-sequences.ts";
import { CONTENT_TABLE } from "../tables/content-table.generated.ts";
import { DEFINED_TERMS } from "../tables/defined-terms.generated.ts";
import { EXTRA_TERMS } from "../tables/extra-terms.ts";
import {
  GRAPHIC_OBJECT_SEQUENCE,
  PRESENTATION_SEQUENCES,
  WAVEFORM_SEQUENCES,
} from "../tables/presentation-sequences.ts";
import { REFERENCE_SEQUENCES } from "../tables/reference-sequences.ts";
import { RETIRED_TAGS } from "../tables/retired-tags.generated.ts";
import { SAFE_PRIVATE } from "../tables/safe-private.generated.ts";
import { SAFE_SEQUENCES } from "../tables/safe-sequences.generated.ts";
import { SPECIAL_RULES, specialRule } from "../tables/special-rules.ts";
import { TECHNICAL_WORDS, TEXT_FORMS } from "../tables/text-forms.ts";
import { type Vocabulary, vocabularyOf } from "./clean-text.ts";
import { type ContentRules, compileContentRules } from "./content-rules.ts";
import { compilePrivateRules, type PrivateRules } from "./private-rules.ts";
import { type ByType, type NumberBand, optionsOfTreatment, type Rule, type Treatment } from "./rule.ts";
import { standardVr } from "./standard-vr.ts";

/** The effective rules of a profile: one rule for every tag there is, made on first use. */
export interface CompiledRules {
  /** Of the tables, forms and options in force, lower-case hexadecimal. */
  readonly hash: string;
  /** `ancestors`: the sequences around the element, the outermost first; without them rules of one place do not hold. */
  ruleOf(tag: number, ancestors?: readonly number[]): Rule;
  readonly privateRules: PrivateRules;
  readonly contentRules: ContentRules;
  /** Some dates stay as they are. */
  readonly keepsDates: boolean;
}

const NONE: Treatment = { kind: "none" };
const REMOVE: ByType = { optional: "remove", empty: "remove", required: "remove", unknown: "remove" };
const EMPTY: ByType = { optional: "empty", empty: "empty", required: "empty", unknown: "empty" };
const DUMMY: ByType = { optional: "dummy", empty: "dummy", required: "dummy", unknown: "dummy" };

/** PS3.15 E.1.1 and Table E.1-1a. */
export const BY_CODE: Readonly<Record<BasicAction, ByType>> = {
  X: REMOVE,
  Z: EMPTY,
  D: DUMMY,
  U: REMOVE,
  "Z/D": { optional: "empty", empty: "empty", required: "dummy", unknown: "dummy" },
  "X/Z": { optional: "remove", empty: "empty", required: "empty", unknown: "empty" },
  "X/D": { optional: "remove", empty: "dummy", required: "dummy", unknown: "dummy" },
  "X/Z/D": { optional: "remove", empty: "empty", required: "dummy", unknown: "dummy" },
  "X/Z/U*": { optional: "remove", empty: "empty", required: "empty", unknown: "empty" },
};

/** Default deny, but for what the IOD cannot be without: that becomes empty or a dummy. */
const UNLISTED: ByType = { optional: "remove", empty: "empty", required: "dummy", unknown: "remove" };

const NUMBER_VRS = new Set(["US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT", "OF", "OD", "OL", "OV", "IS", "DS"]);
const DATE_OPTIONS = ["retain-longitudinal-full-dates", "retain-longitudinal-modified-dates"] as const;
const RETAINING_OPTIONS = ["retain-device-identity", "retain-institution-identity", "retain-uids"] as const;
const SEQUENCE_OPTIONS = ["clean-structured-content", "clean-graphics"] as const;
/** Descriptions that table E.1-1 does not name: Segment Description, Tracking ID. */
const MORE_DESCRIPTIONS: ReadonlySet<number> = new Set([0x00620006, 0x00620020]);
/** Of a content item that may stay. PS3.3 C.17.3. */
const TEXT_VALUE = 0x0040a160;
/** A measurement that cannot be told is none: no dummy stands for it. */
const NUMERIC_VALUE = 0x0040a30a;
/** Whether an item without its value goes or has a dummy is decided with the item: of no Type it is, Type 2, so that a dummy may be there. */
const ITEM_DECIDES: ByType = { ...REMOVE, empty: "dummy" };
/** Size and weight in one number: table E.1-1 has no row for it, it goes with them. PS3.3 C.7.2.2. */
const PATIENT_BODY_MASS_INDEX = 0x00101022;
const CLEANED_VRS = new Set(["LO", "SH", "ST", "LT", "UT", "UC"]);
const DATE_VRS = new Set(["DA", "DT", "TM"]);

const PRIVATE: Rule = { treatment: NONE, fallback: REMOVE, reason: "private" };
const STRUCTURE: Rule = { treatment: NONE, fallback: REMOVE, reason: "structure" };
const DENIED: Rule = { treatment: NONE, fallback: UNLISTED, reason: "unlisted" };

export function compileRules(
  options: readonly OptionName[],
  pseudonyms: PseudonymSettings = USUAL_PSEUDONYMS,
  furtherWords: readonly string[] = [],
): CompiledRules {
  const active = new Set(options);
  const rows = new Map(CONFIDENTIALITY_TABLE.map((row) => [row.tag, row]));
  const retired = new Set(RETIRED_TAGS);
  const sequences = new Set([
    ...SAFE_SEQUENCES,
    ...CONTENT_PART_SEQUENCES,
    ...PRESENTATION_SEQUENCES,
    ...REFERENCE_SEQUENCES,
    ...WAVEFORM_SEQUENCES,
    ...(active.has("clean-graphics") ? [GRAPHIC_OBJECT_SEQUENCE] : []),
  ]);
  const replacements = pseudonymRules(pseudonyms);
  const vocabulary = active.has("clean-descriptors") ? vocabularyOf(furtherWords) : undefined;
  const compiled = new Map<number, Rule>();

  const make = (tag: number): Rule => {
    if (isPrivateTag(tag)) return PRIVATE;
    if (isStructural(tag)) return STRUCTURE;
    const special = specialRule(tag, active);
    const row = rows.get(tag);
    const rule = row === undefined ? unlistedRule(tag, active, retired, sequences) : tableRule(row, active);
    const cleaned = vocabulary === undefined ? rule : cleanedRule(tag, rule, row, vocabulary);
    const content = contentRule(tag, vocabulary);
    const made = withVocabulary({ ...cleaned, ...special, ...content, ...replacements.get(tag) }, vocabulary);
    return made.treatment === cleaned.treatment ? made : { ...made, options: optionsOfTreatment(made.treatment) };
  };

  let hash: string | undefined;
  return {
    // Rules are asked for one by one as a profile is checked: the hash of all tables only where a profile runs.
    get hash() {
      hash ??= hashOf(options, replacements, vocabulary);
      return hash;
    },
    privateRules: compilePrivateRules(active),
    contentRules: compileContentRules(active),
    keepsDates: active.has("retain-longitudinal-full-dates"),
    ruleOf(tag) {
      const known = compiled.get(tag);
      if (known !== undefined) return known;
      const rule = make(tag);
      compiled.set(tag, rule);
      return rule;
    },
  };
}

/** A treatment, and the options it comes from. */
type Decided = Pick<Rule, "treatment" | "options">;

function tableRule(row: ConfidentialityRow, active: ReadonlySet<OptionName>): Rule {
  return { ...tableTreatment(row, active), fallback: BY_CODE[row.basic], reason: "table" };
}

function decidedBy(options: OptionSet, treatment: Treatment): Decided {
  return treatment.kind === "none" ? { treatment } : { treatment, options };
}

/** Whether there is content to judge, the object and its profile say; without, the table's row holds. */
function contentRule(tag: number, vocabulary: Vocabulary | undefined): Partial<Rule> | undefined {
  if (CONTENT_SEQUENCES.has(tag)) return { treatment: { kind: "content" } };
  if (tag === NUMERIC_VALUE) return { fallback: REMOVE };
  if (tag !== TEXT_VALUE) return undefined;
  const treatment: Treatment = vocabulary === undefined ? NONE : { kind: "clean", vocabulary };
  return { treatment, fallback: ITEM_DECIDES };
}

/** A label of the vocabulary's words need not be numbered anew. */
function withVocabulary(rule: Rule, vocabulary: Vocabulary | undefined): Rule {
  if (vocabulary === undefined || rule.treatment.kind !== "numbered") return rule;
  return { ...rule, treatment: { ...rule.treatment, vocabulary } };
}

/** Clean beats keep, and keep beats remove. */
function cleanedRule(tag: number, rule: Rule, row: ConfidentialityRow | undefined, vocabulary: Vocabulary): Rule {
  const cleaned: Rule = { ...rule, ...decidedBy(optionSet("clean-descriptors"), { kind: "clean", vocabulary }) };
  if (MORE_DESCRIPTIONS.has(tag)) return cleaned;
  if (row?.options["clean-descriptors"] !== "C") return rule;
  if (CLEANED_VRS.has(row.vr)) return cleaned;
  return row.vr === "SQ" ? { ...cleaned, treatment: { kind: "walk", unlessOptional: false } } : rule;
}

function tableTreatment(row: ConfidentialityRow, active: ReadonlySet<OptionName>): Decided {
  const among = (options: readonly OptionName[], action: "C" | "K" | undefined): OptionSet =>
    optionSet(...options.filter((option) => active.has(option) && isOpinion(row.options[option], action)));
  // The rows of both are the same, but for device dates. PS3.15 E.3.6, E.3.8.
  if (DATE_VRS.has(row.vr) && DATE_OPTIONS.some((option) => option in row.options)) {
    const dates = dateTreatment(active);
    if (dates !== undefined) return dates;
  }
  // Of what goes with dates, Timezone Offset From UTC: it says as much as the times that stay.
  const form = TEXT_FORMS.get(row.tag);
  const dating = among(DATE_OPTIONS, undefined);
  if (form !== undefined && dating !== 0) return decidedBy(dating, { kind: "text", form });
  const ofPatients = among(["retain-patient-characteristics"], "K");
  if (ofPatients !== 0) return decidedBy(ofPatients, characteristicTreatment(row));
  const cleaning = among(SEQUENCE_OPTIONS, "C");
  if (cleaning !== 0 && row.vr === "SQ") return decidedBy(cleaning, { kind: "walk", unlessOptional: false });
  const retaining = among(RETAINING_OPTIONS, "K");
  const retained = retaining === 0 ? undefined : retainedTreatment(row);
  if (retained !== undefined) return decidedBy(retaining, retained);
  if (active.has("retain-device-identity") && AE_TITLE_TAGS.has(row.tag))
    return decidedBy(optionSet("retain-device-identity"), { kind: "identifier", of: "ae-title" });
  // A dummy UID is a replaced one: PS3.15 E.1.1 leaves the choice, and references stay whole.
  if (row.basic === "U" || (row.basic === "D" && row.vr === "UI")) return { treatment: { kind: "uid" } };
  if (row.basic === "X/Z/U*") return { treatment: { kind: "walk", unlessOptional: true } };
  return { treatment: NONE };
}

/** A blank cell is none. */
function isOpinion(cell: string | undefined, action: "C" | "K" | undefined): boolean {
  return action === undefined ? cell !== undefined : cell === action;
}

function retainedTreatment({ vr }: ConfidentialityRow): Treatment | undefined {
  if (vr === "UI") return { kind: "kept-uid" };
  if (vr === "SQ") return { kind: "walk", unlessOptional: false };
  if (CLEANED_VRS.has(vr) || vr === "CS") return { kind: "as-is" };
  if (NUMBER_VRS.has(vr)) return { kind: "number" };
  return DATE_VRS.has(vr) ? { kind: "date" } : undefined;
}

function dateTreatment(active: ReadonlySet<OptionName>): Decided | undefined {
  const kind = active.has("retain-longitudinal-full-dates") ? "date" : "shift";
  if (kind === "shift" && !active.has("retain-longitudinal-modified-dates")) return undefined;
  return decidedBy(optionsOfTreatment({ kind }), { kind });
}

function characteristicTreatment(row: ConfidentialityRow): Treatment {
  if (row.vr === "AS") return { kind: "age" };
  const band = PLAUSIBLE.get(row.tag);
  if (NUMBER_VRS.has(row.vr)) return band === undefined ? { kind: "number" } : { kind: "number", band };
  return row.vr === "CS" ? termsTreatment(row.tag) : NONE;
}

/** Patient's Size in metres and Patient's Weight in kilograms, PS3.3 C.7.2.2: 0 is what many a console writes for unknown. */
const PLAUSIBLE: ReadonlyMap<number, NumberBand> = new Map([
  [0x00101020, { minimum: 0, maximum: 2.8 }],
  [0x00101030, { minimum: 0, maximum: 650 }],
  [PATIENT_BODY_MASS_INDEX, { minimum: 0, maximum: 250 }],
]);

function unlistedRule(
  tag: number,
  active: ReadonlySet<OptionName>,
  retired: ReadonlySet<number>,
  sequences: ReadonlySet<number>,
): Rule {
  const vr = standardVr(tag);
  if (vr === undefined || retired.has(tag)) return DENIED;
  const keep = (treatment: Treatment, options?: OptionSet): Rule => ({
    ...(options === undefined ? { treatment } : decidedBy(options, treatment)),
    ...{ fallback: UNLISTED, reason: "unlisted" },
  });
  const form = TEXT_FORMS.get(tag);
  if (form !== undefined) return keep({ kind: "text", form });
  const band = PLAUSIBLE.get(tag);
  if (band !== undefined)
    return active.has("retain-patient-characteristics")
      ? keep({ kind: "number", band }, optionSet("retain-patient-characteristics"))
      : DENIED;
  if (NUMBER_VRS.has(vr)) return keep({ kind: "number" });
  if (vr === "CS") return keep(termsTreatment(tag));
  if (vr === "UI") return keep({ kind: "uid" });
  if (vr === "SQ") {
    const options = tag === GRAPHIC_OBJECT_SEQUENCE ? optionSet("clean-graphics") : undefined;
    return sequences.has(tag) ? keep({ kind: "walk", unlessOptional: false }, options) : DENIED;
  }
  const dates = DATE_VRS.has(vr) ? dateTreatment(active) : undefined;
  if (dates !== undefined) return keep(dates.treatment, dates.options);
  if (vr === "AS" && active.has("retain-patient-characteristics"))
    return keep({ kind: "age" }, optionSet("retain-patient-characteristics"));
  return DENIED;
}

/** Of a code string whose terms PS3.3 lists: these, and no others. */
export function termsTreatment(tag: number): Treatment {
  const key = tag.toString(16).toUpperCase().padStart(8, "0");
  const texts = [DEFINED_TERMS[key], EXTRA_TERMS[key]].filter((text) => text !== undefined);
  if (texts.length === 0) return NONE;
  return { kind: "terms", terms: new Set(texts.join("\\").split("\\")), otherwise: POSITIONAL_TERMS.get(tag) };
}

/** Values of these mean something by their place: a term that may not stay is replaced, not dropped. PS3.3 C.7.6.1.1.2, C.8.16.1. */
const POSITIONAL_TERMS: ReadonlyMap<number, string> = new Map([
  [0x00080008, "OTHER"],
  [0x00089007, "OTHER"],
]);

/** Odd groups are private or illegal. PS3.5 7.8.1. */
function isPrivateTag(tag: number): boolean {
  return ((tag >>> 16) & 1) === 1;
}

/** Groups and elements of the encoding, of retired repeating groups, of signatures and of graphics: never copied. */
function isStructural(tag: number): boolean {
  const group = tag >>> 16;
  const element = tag & 0xffff;
  if (group < 0x0008 || element === 0 || tag === 0x00080001) return true;
  if ((group & 0xff00) === 0x5000 || (group & 0xff00) === 0x6000) return true;
  if ((group & 0xff00) === 0x7f00 && group !== 0x7fe0) return true;
  if (group === 0x1000 || group === 0x1010 || group >= 0xfff0 || group === 0x4ffe) return true;
  if (group === 0x0020 && element >= 0x3100 && element <= 0x31ff) return true;
  return group === 0x0028 && ((element >= 0x0400 && element <= 0x04ff) || (element >= 0x0800 && element <= 0x08ff));
}

/** Everything the rules are made of, in an order that does not depend on how the tables are written down. */
function hashOf(
  options: readonly OptionName[],
  replacements: ReadonlyMap<number, unknown>,
  vocabulary: Vocabulary | undefined,
): string {
  const parts: unknown[] = [
    [...options].sort(),
    [...CONFIDENTIALITY_TABLE]
      .sort((a, b) => a.tag - b.tag)
      .map((row) => [row.tag, row.basic, Object.entries(row.options).sort()]),
    Object.entries(DEFINED_TERMS).sort(),
    Object.entries(EXTRA_TERMS).sort(),
    [...SAFE_SEQUENCES].sort((a, b) => a - b),
    [...RETIRED_TAGS].sort((a, b) => a - b),
    [...TEXT_FORMS]
      .sort(([a], [b]) => a - b)
      .map(([tag, form]) => [tag, form.kind === "words" ? [form.kind, form.isWritten === true] : form.pattern.source]),
    [...TECHNICAL_WORDS].sort(),
    [...SPECIAL_RULES].sort(([a], [b]) => a - b),
    Object.entries(SAFE_PRIVATE).sort(),
    [...replacements],
    vocabulary?.hash,
    CONTENT_TABLE,
    CONTENT_PART_SEQUENCES,
    PRESENTATION_SEQUENCES,
    REFERENCE_SEQUENCES,
    WAVEFORM_SEQUENCES,
    [...CONTENT_SEQUENCES],
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
