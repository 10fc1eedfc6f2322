import { lookupElement } from "../../dicom/dictionary/dictionary.ts";
import { tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";
import { termsTreatment } from "../rules/compiled-rules.ts";
import type { Treatment } from "../rules/rule.ts";
import type { ConfidentialityRow } from "../tables/confidentiality-row.ts";
import type { TextForm, TextPattern } from "../tables/text-forms.ts";
import { PatternError } from "./linear-pattern.ts";
import { patternOf } from "./pattern.ts";
import type { RuleDocument } from "./profile-document.ts";
import { type RuleFinding, RuleRefusal } from "./rule-refusal.ts";
import type { RuleWorld } from "./rule-world.ts";

const NUMBER_VRS = new Set<Vr>([
  "US",
  "SS",
  "UL",
  "SL",
  "UV",
  "SV",
  "FL",
  "FD",
  "AT",
  "OF",
  "OD",
  "OL",
  "OV",
  "IS",
  "DS",
]);
const TEXT_VRS = new Set<Vr>(["AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"]);
const DATE_VRS = new Set<Vr>(["DA", "DT", "TM"]);
/** Attributes whose UIDs name classes, syntaxes and other things that DICOM registers. */
const CLASS_UID = /(?:SOPClass|TransferSyntax|CodingScheme|Context|Mapping|Template)/;
/** Of a value whose form the profile gives: what PS3.5 6.2 lets a text hold, up to where patterns look. */
const FORM_LIMIT = 10 * 1024;
const ANY_TEXT: TextPattern = { source: "[ -~]*", test: (text) => /^[\x20-\x7e\r\n\t\f]*$/.test(text) };

/** Whether a text stays whatever it says: on somebody's word, for want of a form. */
export function isAnyText(treatment: Treatment): boolean {
  return treatment.kind === "text" && treatment.form.kind === "pattern" && treatment.form.pattern === ANY_TEXT;
}

/**
 * What `keep` does to a value, by its VR. `tag` is undefined for private elements.
 * @throws RuleRefusal
 */
export function compileKeep(
  document: RuleDocument,
  tag: number | undefined,
  vr: Vr,
  row: ConfidentialityRow | undefined,
  world: RuleWorld,
): Treatment {
  const usual = tag === undefined ? undefined : world.base.ruleOf(tag).treatment;
  const keepsAlready = usual !== undefined && keeps(usual);
  if (vr === "PN")
    throw invalid("action", "Names of people are never kept: use a pseudonym, a replacement or nothing.");
  if (row !== undefined && !keepsAlready && /[XZD]/.test(row.basic))
    needReview(document, "the confidentiality profile removes it");
  checkForm(document, vr);
  if (TEXT_VRS.has(vr)) return textTreatment(document, tag, vr, keepsAlready ? usual : undefined);
  if (keepsAlready) return usual;
  if (NUMBER_VRS.has(vr)) return { kind: "number" };
  if (vr === "SQ") return { kind: "walk", unlessOptional: false };
  if (vr === "AS") return { kind: "age" };
  if (vr === "UI") return uidTreatment(document, tag, row, world);
  if (DATE_VRS.has(vr)) {
    // One date that stayed beside others that moved would tell by how much.
    if (world.options.includes("retain-longitudinal-modified-dates"))
      throw invalid("action", "Dates move in this profile: one that stays would tell by how much.");
    return borrowed(tag, vr, "retain-longitudinal-full-dates", world);
  }
  if (vr === "OW" && document.bulk === true) {
    needReview(document, "nobody can look into binary values");
    return { kind: "words" };
  }
  throw invalid("bulk", `Binary values of VR ${vr} are kept only with \`bulk: true\`, and only of VR OW.`);
}

/** A sequence that goes unless the IOD asks for it is not kept. */
function keeps(treatment: Treatment): boolean {
  if (treatment.kind === "walk") return !treatment.unlessOptional;
  return !["none", "uid", "pseudonym", "identifier", "birth-date", "numbered", "shift"].includes(treatment.kind);
}

function checkForm({ form, terms }: RuleDocument, vr: Vr): void {
  if ((form !== undefined || terms !== undefined) && !TEXT_VRS.has(vr))
    throw invalid(form === undefined ? "terms" : "form", `The attribute is of VR ${vr}: only texts have a form.`);
  if (form !== undefined && terms !== undefined) throw invalid("terms", "Give a form or terms, not both.");
}

function textTreatment(
  document: RuleDocument,
  tag: number | undefined,
  vr: Vr,
  usual: Treatment | undefined,
): Treatment {
  const { form, terms } = document;
  if (terms !== undefined) return { kind: "terms", terms: new Set(terms), otherwise: undefined };
  if (form !== undefined) return { kind: "text", form: formOf(form) };
  if (usual !== undefined) return usual;
  // Patient's Sex is one of a few letters, whoever allows it.
  const listed = vr === "CS" && tag !== undefined ? termsTreatment(tag) : undefined;
  if (listed?.kind === "terms") return listed;
  needReview(document, vr === "CS" ? "its values are not a closed list" : "text of any form may name somebody");
  return { kind: "text", form: { kind: "pattern", pattern: ANY_TEXT, limit: FORM_LIMIT, isOpen: true } };
}

function formOf(form: string): TextForm {
  try {
    return { kind: "pattern", pattern: patternOf(form, "whole"), limit: FORM_LIMIT, isOpen: true };
  } catch (thrown) {
    if (!(thrown instanceof PatternError)) throw thrown;
    throw new RuleRefusal({
      key: "form",
      code: "PROFILE_PATTERN_UNSAFE",
      message: `Not to be used: ${thrown.message}.`,
    });
  }
}

/** What is wrong with a rule's form, whatever else is. */
export function formFindings({ form }: RuleDocument): readonly RuleFinding[] {
  try {
    if (form !== undefined) formOf(form);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof RuleRefusal)) throw thrown;
    return [thrown.finding];
  }
}

function uidTreatment(
  document: RuleDocument,
  tag: number | undefined,
  row: ConfidentialityRow | undefined,
  world: RuleWorld,
): Treatment {
  if (tag === undefined) return { kind: "uid" };
  if (row === undefined && CLASS_UID.test(lookupElement(tagOf(tag))?.keyword ?? "")) return { kind: "uid" };
  needReview(document, "UIDs lead back to the original");
  return borrowed(tag, "UI", "retain-uids", world);
}

/** What the engine does with an attribute under an option, when that is to keep it. */
function borrowed(
  tag: number | undefined,
  vr: Vr,
  option: "retain-longitudinal-full-dates" | "retain-uids",
  world: RuleWorld,
): Treatment {
  const rule = tag === undefined ? undefined : world.rulesUnder(["basic", option]).ruleOf(tag).treatment;
  const usual = vr === "UI" ? "uid" : "none";
  if (rule !== undefined && rule.kind !== usual && rule.kind !== "none") return rule;
  throw new RuleRefusal({
    key: "action",
    code: "PROFILE_NOT_SUPPORTED",
    message: vr === "UI" ? "This UID cannot be kept." : "This date cannot be kept: shift it, or leave it out.",
  });
}

function needReview({ review }: RuleDocument, why: string): void {
  if (review !== undefined) return;
  throw new RuleRefusal({
    key: "action",
    code: "PROFILE_REVIEW_MISSING",
    message: `Keeping this needs \`review\`: ${why}.`,
  });
}

function invalid(key: keyof RuleDocument, message: string): RuleRefusal {
  return new RuleRefusal({ key, code: "PROFILE_RULE_INVALID", message });
}
