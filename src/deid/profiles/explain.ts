import { lookupElement } from "../../dicom/dictionary/dictionary.ts";
import { ELEMENT_LINES } from "../../dicom/dictionary/elements.generated.ts";
import { formatTag, type Tag, tagOf } from "../../dicom/tag.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { layRules } from "../rules/profile-rules.ts";
import type { Rule } from "../rules/rule.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { pseudonymsOf } from "./compile-profile.ts";
import { compileRule, tableRow } from "./compile-rule.ts";
import { describeRule } from "./describe-rule.ts";
import type { OptionName } from "./options.ts";
import type { ProfileDocument, RuleDocument } from "./profile-document.ts";
import { formatRuleTarget, parseRuleTarget, type RuleTarget } from "./rule-target.ts";
import { type RuleWorld, worldOf } from "./rule-world.ts";

/** What decides over an attribute, the strongest first. */
export type Decider = "rule" | "option" | "table" | "default";

/** A rule of one place, or of some devices, that decides otherwise. */
export interface Exception {
  /** "within 0040A730/*\/0040A160", or the devices. */
  readonly where: string;
  readonly action: string;
  readonly because: string;
}

/** What a profile does with one attribute, and why. */
export interface Explanation {
  /** "(0008,1030)", or `(0019,"CREATOR",0C)`. */
  readonly tag: string;
  /** Empty for private elements. */
  readonly keyword: string;
  readonly vr: string;
  readonly action: string;
  readonly decider: Decider;
  readonly because: string;
  readonly exceptions: readonly Exception[];
}

interface PlacedRule {
  readonly target: RuleTarget;
  readonly document: RuleDocument;
  /** As `rules[3]`. */
  readonly place: string;
  readonly rule: Rule;
  readonly vr: string;
}

interface ExplainedOverride {
  readonly where: string;
  readonly rules: readonly PlacedRule[];
}

interface Explained {
  readonly document: ProfileDocument;
  readonly world: RuleWorld;
  readonly rules: readonly PlacedRule[];
  readonly overrides: readonly ExplainedOverride[];
  readonly ruleOf: (tag: number) => Rule;
}

/** Every attribute of PS3.6 and every private element that a rule names, in the order of their tags. */
export function explainProfile(document: ProfileDocument): readonly Explanation[] {
  const explained = prepare(document);
  const privates = new Map(
    [...explained.rules, ...explained.overrides.flatMap(({ rules }) => rules)].flatMap(({ target }) =>
      target.kind === "private" ? [[formatRuleTarget(target), target] as const] : [],
    ),
  );
  return [
    ...standardTags().map((tag) => explainStandard(explained, tag)),
    ...[...privates.values()].map((target) => explainPrivate(explained, target)),
  ];
}

/**
 * One attribute, by keyword, "(gggg,eeee)" or `(gggg,"CREATOR",ee)`.
 * @throws GatewayError PROFILE_TAG_UNKNOWN
 */
export function explainAttribute(document: ProfileDocument, attribute: string): Explanation {
  const target = parseRuleTarget(attribute);
  if (target === undefined) throw new GatewayError("PROFILE_TAG_UNKNOWN", { tag: attribute });
  const explained = prepare(document);
  return target.kind === "standard" ? explainStandard(explained, target.tag) : explainPrivate(explained, target);
}

/** Tags of PS3.6, retired ones too; repeating groups by their first tag. */
function standardTags(): readonly Tag[] {
  const tags = ELEMENT_LINES.split("\n")
    .filter((line) => line !== "")
    .map((line) => tagOf(Number.parseInt(line.slice(0, 8).replaceAll("x", "0"), 16)));
  return [...new Set(tags)].sort((a, b) => a - b);
}

function prepare(document: ProfileDocument): Explained {
  const world = worldOf(document.options, pseudonymsOf(document), document.vocabulary);
  const placed = (rules: readonly RuleDocument[], at: string): readonly PlacedRule[] =>
    rules.flatMap((each, index) => {
      const result = compileRule(each, world);
      if (!result.ok) return [];
      const { target, rule, vr } = result.rule;
      return [{ target, document: each, place: `${at}[${index}]`, rule, vr: vr ?? "" }];
    });
  const own = document.rules.flatMap((each) => {
    const result = compileRule(each, world);
    return result.ok ? [result.rule] : [];
  });
  const laid = layRules(world.base, { rules: own, unlisted: document.unlisted });
  return {
    document,
    world,
    rules: placed(document.rules, "rules"),
    overrides: document.overrides.map(({ when, rules }, index) => ({
      where: Object.entries(when)
        .map(([key, value]) => `${key} ${value}`)
        .join(", "),
      rules: placed(rules, `overrides[${index}].rules`),
    })),
    ruleOf: (tag) => laid.ruleOf(tag),
  };
}

function explainStandard(explained: Explained, tag: Tag): Explanation {
  const vr = standardVr(tag) ?? "";
  const rule = explained.ruleOf(tag);
  const isSame = ({ target }: PlacedRule): boolean => target.kind === "standard" && target.tag === tag;
  const deciding = explained.rules.findLast((each) => isSame(each) && each.document.path === undefined);
  if (tag >>> 16 === FILE_META_GROUP) return fileMeta(tag, vr);
  const { decider, because } = deciding === undefined ? tableReason(explained, tag, rule) : ruleReason(deciding);
  return {
    tag: formatTag(tag),
    keyword: lookupElement(tag)?.keyword ?? "",
    vr,
    action: describeRule(rule, vr),
    decider,
    because,
    exceptions: exceptionsOf(explained, isSame, vr),
  };
}

/** PS3.10 7.1. */
const FILE_META_GROUP = 0x0002;

function fileMeta(tag: Tag, vr: string): Explanation {
  const keyword = lookupElement(tag)?.keyword ?? "";
  const because = "file meta information is never copied";
  return {
    tag: formatTag(tag),
    keyword,
    vr,
    action: "written anew or dropped",
    decider: "default",
    because,
    exceptions: [],
  };
}

function explainPrivate(explained: Explained, target: Extract<RuleTarget, { kind: "private" }>): Explanation {
  const name = formatRuleTarget(target);
  const isSame = (each: PlacedRule): boolean => formatRuleTarget(each.target) === name;
  const deciding = explained.rules.findLast(isSame);
  const safe =
    explained.document.unlisted === "remove"
      ? undefined
      : explained.world.base.privateRules.ruleOf(target.group, target.creator, target.lowByte);
  const rule = deciding?.rule ?? safe?.rule;
  const vr = deciding?.vr ?? safe?.vr ?? "";
  const reason = deciding === undefined ? privateReason(safe !== undefined) : ruleReason(deciding);
  return {
    tag: name,
    keyword: "",
    vr,
    action: rule === undefined ? "removed" : describeRule(rule, vr),
    ...reason,
    exceptions: exceptionsOf(explained, isSame, vr),
  };
}

type Reason = Pick<Explanation, "decider" | "because">;

function privateReason(isSafe: boolean): Reason {
  return isSafe
    ? { decider: "option", because: "retain-safe-private: listed as safe" }
    : { decider: "default", because: "private, and not listed as safe" };
}

function ruleReason({ document, place }: PlacedRule): Reason {
  const review = document.review === undefined ? "" : `; review: ${document.review}`;
  return { decider: "rule", because: `${place}: ${document.action}${review}` };
}

/** Why the tables say what they say. PS3.15 Table E.1-1. */
function tableReason({ document, world }: Explained, tag: number, rule: Rule): Reason {
  const row = tableRow(tag);
  if (document.unlisted === "remove" && rule.reason === "unlisted")
    return { decider: "default", because: "no rule names it: unlisted: remove" };
  if (row !== undefined) {
    const active = world.options.filter((option) => row.options[option] !== undefined);
    const cells = active.map((option: OptionName) => `${option} ${row.options[option]}`).join(", ");
    return cells === ""
      ? { decider: "table", because: `Table E.1-1: basic ${row.basic}` }
      : { decider: "option", because: `Table E.1-1: basic ${row.basic}, ${cells}` };
  }
  if (rule.reason === "structure") return { decider: "default", because: "never copied" };
  return { decider: "default", because: rule.treatment.kind === "none" ? "in no list" : "safe list" };
}

function exceptionsOf(explained: Explained, isSame: (rule: PlacedRule) => boolean, vr: string): readonly Exception[] {
  const exception = (each: PlacedRule, where: string): Exception => ({
    where: each.document.path === undefined ? where : `${where}${where === "" ? "" : ", "}within ${each.document.path}`,
    action: describeRule(each.rule, each.vr === "" ? vr : each.vr),
    because: ruleReason(each).because,
  });
  return [
    ...explained.rules
      .filter((each) => isSame(each) && each.document.path !== undefined)
      .map((each) => exception(each, "")),
    ...explained.overrides.flatMap(({ where, rules }) => rules.filter(isSame).map((each) => exception(each, where))),
  ];
}
