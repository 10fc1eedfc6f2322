import { type Vr, vrOfCode } from "../../dicom/vr.ts";
import { ADDED_WHEN_MISSING } from "../engine/marks.ts";
import { IDENTIFIER_TAGS } from "../pseudonyms/pseudonym-rules.ts";
import { BY_CODE } from "../rules/compiled-rules.ts";
import type { ProfileRule } from "../rules/profile-rules.ts";
import { isIdentifyingUid, isOfEngine, isPixelDescription } from "../rules/profile-rules-limits.ts";
import { type ByType, optionsOfTreatment, type Rule, type Treatment } from "../rules/rule.ts";
import { standardVr } from "../rules/standard-vr.ts";
import type { ConfidentialityRow } from "../tables/confidentiality-row.ts";
import { CONFIDENTIALITY_TABLE } from "../tables/confidentiality-table.generated.ts";
import { compileKeep, formFindings } from "./compile-keep.ts";
import { optionSet } from "./options.ts";
import type { RuleDocument } from "./profile-document.ts";
import { parseRulePath, type RulePath } from "./rule-path.ts";
import { type RuleFinding, RuleRefusal } from "./rule-refusal.ts";
import { formatRuleTarget, parseRuleTarget, type RuleTarget } from "./rule-target.ts";
import type { RuleWorld } from "./rule-world.ts";

export type CompiledRule =
  | { readonly ok: true; readonly rule: ProfileRule }
  | { readonly ok: false; readonly findings: readonly RuleFinding[] };

const MISSING_IS_ADDED: ReadonlySet<number> = new Set(ADDED_WHEN_MISSING);
const PATIENT_NAME = 0x00100010;
const PIXEL_DATA = 0x7fe00010;
const PATIENT_ID = 0x00100020;
const NONE: Treatment = { kind: "none" };
const rows: ReadonlyMap<number, ConfidentialityRow> = new Map(CONFIDENTIALITY_TABLE.map((row) => [row.tag, row]));

/** The keys that mean something with each action, beside `tag`, `action`, `path` and `review`. */
const KEYS: Readonly<Record<RuleDocument["action"], readonly (keyof RuleDocument)[]>> = {
  keep: ["form", "terms", "vr", "bulk", "may_repeat"],
  remove: [],
  empty: [],
  replace: ["with"],
  clean: [],
  uid: [],
  pseudonym: [],
  shift: [],
  round: ["to"],
  mask: [],
  "by-type": ["code"],
};
const COMMON_KEYS: ReadonlySet<string> = new Set(["tag", "action", "path", "review"]);

export function compileRule(document: RuleDocument, world: RuleWorld): CompiledRule {
  const findings: RuleFinding[] = strayKeys(document);
  const target = parseRuleTarget(document.tag);
  if (target === undefined) return { ok: false, findings: [...findings, { key: "tag", ...unknownTag(document.tag) }] };
  try {
    const compiled =
      target.kind === "private" ? privateRule(document, target, world) : standardRule(document, target.tag, world);
    const path = pathOf(document, target);
    const canonical = { ...document, tag: formatRuleTarget(target), review: undefined };
    const vr = target.kind === "private" ? vrOf(document) : undefined;
    if (findings.length === 0)
      return { ok: true, rule: { target, path, rule: compiled, vr, canonical: sortedKeys(canonical) } };
  } catch (thrown) {
    if (!(thrown instanceof RuleRefusal)) throw thrown;
    findings.push(thrown.finding, ...(thrown.finding.key === "form" ? [] : formFindings(document)));
  }
  return { ok: false, findings };
}

export function unknownTag(tag: string): Pick<RuleFinding, "code" | "message"> {
  return {
    code: "PROFILE_TAG_UNKNOWN",
    message: `${tag} is no attribute of PS3.6, nor a private element by its creator.`,
  };
}

/** The row of PS3.15 Table E.1-1 of an attribute. */
export function tableRow(tag: number): ConfidentialityRow | undefined {
  return rows.get(tag);
}

function strayKeys(document: RuleDocument): RuleFinding[] {
  const known = KEYS[document.action];
  return Object.keys(document)
    .filter((key): key is keyof RuleDocument => !COMMON_KEYS.has(key) && !known.some((each) => each === key))
    .map((key) => ({ key, code: "PROFILE_RULE_INVALID", message: `${key} means nothing with ${document.action}.` }));
}

function pathOf(document: RuleDocument, target: RuleTarget): RulePath | undefined {
  if (document.path === undefined) return undefined;
  const path = target.kind === "standard" ? parseRulePath(document.path, target.tag) : undefined;
  if (path !== undefined) return path;
  const message =
    "A path names sequences and their items in turn and ends with the rule's standard tag: 0040A730/*/0040A160.";
  throw new RuleRefusal({ key: "path", code: "PROFILE_RULE_INVALID", message });
}

function standardRule(document: RuleDocument, tag: number, world: RuleWorld): Rule {
  const vr = standardVr(tag);
  const base = world.base.ruleOf(tag);
  if (vr === undefined || base.reason === "structure" || isOfEngine(tag)) {
    throw invalid("tag", "The engine writes or drops this itself: no rule can change that.");
  }
  checkNeeded(document, tag);
  const of = (treatment: Treatment, fallback: ByType): Rule => {
    const options = treatment === base.treatment ? base.options : optionsOfTreatment(treatment);
    return { treatment, fallback, reason: "profile", options };
  };
  switch (document.action) {
    case "keep":
      return { ...of(compileKeep(document, tag, vr, tableRow(tag), world), base.fallback), ...repeats(document) };
    case "remove":
      // What an object must have is written empty where it is missing.
      return of(NONE, MISSING_IS_ADDED.has(tag) ? BY_CODE.Z : BY_CODE.X);
    case "empty":
      return of(NONE, BY_CODE.Z);
    case "replace":
      return replaceRule(document, vr);
    case "by-type":
      return byTypeRule(document);
    case "uid":
      return of(onlyFor(vr, ["UI"], { kind: "uid" }, "UIDs"), base.fallback);
    case "pseudonym":
      return of(pseudonymTreatment(tag), base.fallback);
    case "shift":
      if (!world.options.includes("retain-longitudinal-modified-dates"))
        throw invalid("action", "Dates move only with the option retain-longitudinal-modified-dates.");
      return of(onlyFor(vr, ["DA", "DT", "TM"], { kind: "shift" }, "dates and times"), base.fallback);
    case "round":
      return of(roundTreatment(document, vr), base.fallback);
    case "clean":
      return of(cleanTreatment(tag, vr, world), base.fallback);
    default:
      if (tag !== PIXEL_DATA) throw invalid("action", "Only Pixel Data is masked.");
      return of(base.treatment, base.fallback);
  }
}

/** A manufacturer may be called like the patient. */
function repeats({ may_repeat: mayRepeat, review }: RuleDocument): Pick<Rule, "mayRepeat"> {
  if (mayRepeat !== true) return {};
  if (review !== undefined) return { mayRepeat };
  const message = "may_repeat needs `review`: an identifier that is found here keeps nothing back.";
  throw new RuleRefusal({ key: "may_repeat", code: "PROFILE_REVIEW_MISSING", message });
}

function pseudonymTreatment(tag: number): Treatment {
  if (tag === PATIENT_ID || tag === PATIENT_NAME) return { kind: "pseudonym" };
  const identifier = IDENTIFIER_TAGS.get(tag);
  if (identifier !== undefined) return { kind: "identifier", of: identifier };
  throw unsupported(
    "Patient ID and name, Accession Number, Study ID, station and serial number become pseudonyms; this does not.",
  );
}

function checkNeeded({ action }: RuleDocument, tag: number): void {
  if (isPixelDescription(tag) && action !== "keep")
    throw invalid("action", "Pixel data cannot be read without it: keep it.");
  if (isIdentifyingUid(tag) && action !== (tag === 0x00080016 ? "keep" : "uid"))
    throw invalid(
      "action",
      "Objects are known by this UID: instances, series and studies get a new one, classes are kept.",
    );
  if (tag === PATIENT_ID && action !== "pseudonym") throw invalid("action", "Patient ID is always the pseudonym.");
  if (tag >>> 16 === 0x7fe0 && action !== "keep" && action !== "mask")
    throw invalid("action", "Pixel data is kept or masked.");
}

function replaceRule(document: RuleDocument, vr: Vr): Rule {
  const rule: Rule = { treatment: NONE, fallback: BY_CODE.D, reason: "profile" };
  if (document.with === undefined) return rule;
  const text = String(document.with);
  const limit = REPLACED_VRS[vr];
  if (limit === undefined)
    throw invalid("with", `A value of VR ${vr} is replaced by its dummy only: leave \`with\` out.`);
  if (text.length > limit.length || !limit.form.test(text))
    throw invalid("with", `This is no single ASCII value of VR ${vr} of up to ${limit.length} characters.`);
  return { ...rule, dummy: text };
}

const PRINTABLE = /^[\x20-\x5b\x5d-\x7e]*$/;
/** What a value of a VR may look like. PS3.5 6.2. */
const REPLACED_VRS: Readonly<Partial<Record<Vr, { readonly length: number; readonly form: RegExp }>>> = {
  AE: { length: 16, form: PRINTABLE },
  AS: { length: 4, form: /^[0-9]{3}[DWMY]$/ },
  CS: { length: 16, form: /^[A-Z0-9_ ]*$/ },
  DA: { length: 8, form: /^[0-9]{8}$/ },
  DS: { length: 16, form: /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$/ },
  DT: { length: 26, form: /^[0-9]{4,14}(?:\.[0-9]{1,6})?(?:[+-][0-9]{4})?$/ },
  IS: { length: 12, form: /^[+-]?[0-9]+$/ },
  LO: { length: 64, form: PRINTABLE },
  LT: { length: 1024, form: PRINTABLE },
  PN: { length: 64, form: PRINTABLE },
  SH: { length: 16, form: PRINTABLE },
  ST: { length: 1024, form: PRINTABLE },
  TM: { length: 13, form: /^[0-9]{2,6}(?:\.[0-9]{1,6})?$/ },
  UC: { length: 1024, form: PRINTABLE },
  UR: { length: 1024, form: PRINTABLE },
  UT: { length: 1024, form: PRINTABLE },
};

function byTypeRule({ code }: RuleDocument): Rule {
  if (code === undefined) throw invalid("code", "by-type needs the combined code: Z/D, X/Z, X/D, X/Z/D or X/Z/U*.");
  const treatment: Treatment = code === "X/Z/U*" ? { kind: "walk", unlessOptional: true } : NONE;
  return { treatment, fallback: BY_CODE[code], reason: "profile" };
}

function roundTreatment({ to }: RuleDocument, vr: Vr): Treatment {
  if (to === undefined) throw invalid("to", "round needs `to`: numbers become multiples of it.");
  if (vr === "IS" && !Number.isInteger(to)) throw invalid("to", "Values of VR IS are whole numbers.");
  return onlyFor(vr, ["DS", "IS"], { kind: "round", step: to }, "number strings");
}

/** PS3.15 E.1.1, C: what the options do with the attribute; sequences are gone through. */
function cleanTreatment(tag: number, vr: Vr, world: RuleWorld): Treatment {
  if (vr === "SQ") return { kind: "walk", unlessOptional: false };
  if (vr === "DA" || vr === "DT" || vr === "TM") {
    if (world.options.includes("retain-longitudinal-modified-dates")) return { kind: "shift" };
    throw invalid("action", "Dates are cleaned by moving them: add the option retain-longitudinal-modified-dates.");
  }
  const { treatment } = world.rulesUnder(["basic", "clean-descriptors"]).ruleOf(tag);
  const isCleaned = !["none", "pseudonym", "uid", "walk"].includes(treatment.kind);
  if (isCleaned) return treatment;
  throw unsupported("Text of this attribute cannot be cleaned.");
}

function privateRule(document: RuleDocument, target: RuleTarget, world: RuleWorld): Rule {
  const { action } = document;
  if (action === "remove") return { treatment: NONE, fallback: BY_CODE.X, reason: "profile" };
  if (action !== "keep") throw invalid("action", "Private elements are kept or removed.");
  if (!world.options.includes("retain-safe-private"))
    throw invalid("action", "Private elements are kept only with the option retain-safe-private.");
  const vr = vrOf(document);
  if (vr === undefined) throw invalid("vr", "A private element is kept only in the VR that the rule says.");
  if (target.kind === "private" && vr === "OB") throw unsupported("Private bytes of VR OB are not kept.");
  const treatment = compileKeep(document, undefined, vr, undefined, world);
  return { treatment, fallback: BY_CODE.X, reason: "profile", options: optionSet("retain-safe-private") };
}

function vrOf({ vr }: RuleDocument): Vr | undefined {
  return vr === undefined ? undefined : vrOfCode((vr.charCodeAt(0) << 8) | vr.charCodeAt(1));
}

function onlyFor(vr: Vr, vrs: readonly Vr[], treatment: Treatment, what: string): Treatment {
  if (vrs.includes(vr)) return treatment;
  throw invalid("action", `The attribute is of VR ${vr}; the action is for ${what}.`);
}

function invalid(key: keyof RuleDocument, message: string): RuleRefusal {
  return new RuleRefusal({ key, code: "PROFILE_RULE_INVALID", message });
}

function unsupported(message: string): RuleRefusal {
  return new RuleRefusal({ key: "action", code: "PROFILE_NOT_SUPPORTED", message });
}

function sortedKeys(document: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
