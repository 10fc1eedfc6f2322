import { createHash } from "node:crypto";
import type { Vr } from "../../dicom/vr.ts";
import { ADDED_WHEN_MISSING } from "../engine/marks.ts";
import { type Ancestors, isWithin, type RulePath } from "../profiles/rule-path.ts";
import { formatRuleTarget, type RuleTarget } from "../profiles/rule-target.ts";
import { BY_CODE, type CompiledRules } from "./compiled-rules.ts";
import type { PrivateRule } from "./private-rules.ts";
import { isNeeded } from "./profile-rules-limits.ts";
import type { Rule } from "./rule.ts";

/** A rule of a profile, ready to be laid over those of the tables. */
export interface ProfileRule {
  readonly target: RuleTarget;
  /** Undefined: at every depth. */
  readonly path: RulePath | undefined;
  readonly rule: Rule;
  /** Of a private element. */
  readonly vr: Vr | undefined;
  /** The rule as written, in one spelling, for the profile's hash. */
  readonly canonical: unknown;
}

export interface LaidRules {
  readonly rules: readonly ProfileRule[];
  /** `remove`: of the attributes that no rule names only those stay that an object cannot be without. */
  readonly unlisted: "safe-list" | "remove";
}

const UNLISTED_REMOVED: Rule = { treatment: { kind: "none" }, fallback: BY_CODE.X, reason: "unlisted" };
const UNLISTED_EMPTIED: Rule = { treatment: { kind: "none" }, fallback: BY_CODE.Z, reason: "unlisted" };

/** The tables' rules with a profile's over them; among the profile's, the later wins. */
export function layRules(base: CompiledRules, { rules, unlisted }: LaidRules): CompiledRules {
  if (rules.length === 0 && unlisted === "safe-list") return base;
  const byTag = new Map<number, ProfileRule[]>();
  const privateElements = new Map<string, PrivateRule | undefined>();
  const creators = new Map<number, Set<string>>();
  for (const rule of rules) {
    const { target } = rule;
    if (target.kind === "standard") byTag.set(target.tag, [rule, ...(byTag.get(target.tag) ?? [])]);
    else {
      const isKept = rule.vr !== undefined && rule.rule.treatment.kind !== "none";
      privateElements.set(formatRuleTarget(target), isKept ? { vr: rule.vr, rule: rule.rule } : undefined);
      if (isKept) creators.set(target.group, (creators.get(target.group) ?? new Set()).add(target.creator));
    }
  }
  const usual = (tag: number): Rule => {
    if (unlisted === "safe-list" || isNeeded(tag)) return base.ruleOf(tag);
    return MISSING_IS_ADDED.has(tag) ? UNLISTED_EMPTIED : UNLISTED_REMOVED;
  };
  return {
    ...base,
    hash: hashOf(base.hash, rules, unlisted),
    keepsDates: base.keepsDates || rules.some(({ rule }) => rule.treatment.kind === "date"),
    ruleOf(tag, ancestors) {
      const found = byTag.get(tag)?.find(({ path }) => path === undefined || isAt(path, ancestors));
      return found?.rule ?? usual(tag);
    },
    privateRules: {
      ruleOf(group, creator, lowByte) {
        const key = formatRuleTarget({ kind: "private", group, creator, lowByte });
        if (privateElements.has(key)) return privateElements.get(key);
        return unlisted === "remove" ? undefined : base.privateRules.ruleOf(group, creator, lowByte);
      },
      creatorRule(group, creator) {
        const terms = creators.get(group);
        if (terms?.has(creator) !== true) return base.privateRules.creatorRule(group, creator);
        return {
          vr: "LO",
          rule: { treatment: { kind: "terms", terms, otherwise: undefined }, fallback: BY_CODE.X, reason: "profile" },
        };
      },
    },
  };
}

const MISSING_IS_ADDED: ReadonlySet<number> = new Set(ADDED_WHEN_MISSING);

/** Where nobody says what is around an element, rules of one place do not hold. */
function isAt(path: RulePath, ancestors: Ancestors | undefined): boolean {
  return ancestors !== undefined && isWithin(path, ancestors);
}

function hashOf(base: string, rules: readonly ProfileRule[], unlisted: string): string {
  return createHash("sha256")
    .update(JSON.stringify({ base, rules: rules.map(({ canonical }) => canonical), unlisted }))
    .digest("hex");
}
