import type { ByType, Fallback, Rule, Treatment } from "../rules/rule.ts";
import { DUMMIES, DUMMY_BYTES } from "../tables/dummies.ts";

/** What is done to a value, in words; a treatment that is not here goes by its name. */
const TREATMENTS: Readonly<Partial<Record<Treatment["kind"], string>>> = {
  uid: "new UID, made with the key; registered UIDs stay",
  shift: "date moved by the patient's days, times kept",
  date: "kept where it is a date",
  content: "content items judged one by one, by concept name and value type",
  age: "kept; over 89 years it becomes 090Y",
  pseudonym: "the patient's pseudonym",
  identifier: "pseudonym, made with the key",
  number: "kept where every value is a number",
  pixels: "as the pixel policy decides",
  words: "kept: a table of numbers",
  code: "kept where the coding scheme is public; the meaning is written anew",
  mark: "written by the engine",
  clean: "words of the vocabulary kept",
};

/** What becomes of an attribute, in one line. `vr` decides the dummy. */
export function describeRule(rule: Rule, vr: string): string {
  const fallback = describeFallback(rule, vr);
  const treatment = describeTreatment(rule.treatment);
  if (treatment === undefined) return fallback;
  return rule.treatment.kind === "mark" || rule.treatment.kind === "pixels"
    ? treatment
    : `${treatment}; else ${fallback}`;
}

function describeTreatment(treatment: Treatment): string | undefined {
  switch (treatment.kind) {
    case "none":
      return undefined;
    case "text":
      return treatment.form.kind === "words"
        ? "kept where every word is technical"
        : `kept where the whole value is ${treatment.form.pattern.source}`;
    case "identifier":
      return treatment.of === "ae-title" ? "as the site's lookup table has it" : TREATMENTS.identifier;
    case "terms":
      return `kept where it is one of ${treatment.terms.size} terms${listed(treatment.terms)}`;
    case "round":
      return `rounded to multiples of ${treatment.step}`;
    case "walk":
      return treatment.unlessOptional
        ? "sequence kept unless its Type is 3, its items judged one by one"
        : "sequence kept, its items judged one by one";
    case "numbered":
      return `${treatment.prefix} and the number`;
    case "birth-date":
      return treatment.mode === "year"
        ? "the year of birth, up to 89 years"
        : "moved by the patient's days, up to 89 years";
    default:
      return TREATMENTS[treatment.kind] ?? treatment.kind;
  }
}

const LISTED_TERMS = 8;

function listed(terms: ReadonlySet<string>): string {
  return terms.size > LISTED_TERMS ? "" : ` (${[...terms].join(", ")})`;
}

const FALLBACKS: Readonly<Partial<Record<Fallback, string>>> = { remove: "removed", empty: "emptied" };

/** Combined codes, as PS3.15 E.1.1 words them. */
function describeFallback(rule: Rule, vr: string): string {
  const words = (fallback: Fallback): string => FALLBACKS[fallback] ?? `replaced by ${dummyText(rule, vr)}`;
  const { optional, empty, required, unknown } = rule.fallback;
  if (isUniform(rule.fallback)) return words(optional);
  return `by Type: 3 ${words(optional)}, 2 ${words(empty)}, 1 ${words(required)}, unknown ${words(unknown)}`;
}

function isUniform({ optional, empty, required, unknown }: ByType): boolean {
  return optional === empty && empty === required && required === unknown;
}

function dummyText(rule: Rule, vr: string): string {
  if (rule.dummy !== undefined) return rule.dummy;
  if (vr === "UI") return "a new UID";
  if (vr === "SQ") return "a dummy item";
  return vr in DUMMY_BYTES ? "zero" : (DUMMIES[vr] ?? "a dummy");
}
