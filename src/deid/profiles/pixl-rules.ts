import { formatTag, type Tag } from "../../dicom/tag.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { SAFE_PRIVATE } from "../tables/safe-private.generated.ts";
import { compileRule } from "./compile-rule.ts";
import type { PixlOperation } from "./pixl-operations.ts";
import type { RuleDocument } from "./profile-document.ts";
import { formatRuleTarget } from "./rule-target.ts";
import type { RuleWorld } from "./rule-world.ts";

/** What an operation becomes: rules, none where what is not named is removed anyway, or a reason to stop. */
export type PixlRule =
  | { readonly kind: "rules"; readonly rules: readonly RuleDocument[]; readonly warning?: string }
  | { readonly kind: "problem"; readonly message: string };

type Written = Omit<RuleDocument, "tag">;

const REVIEW = "imported";
/** What PIXL writes in the place of values, by VR. */
const CONSTANTS: Readonly<Record<string, Written>> = {
  LO: { action: "replace", with: "ANONYMIZED" },
  LT: { action: "replace", with: "ANONYMIZED" },
  SH: { action: "replace", with: "ANONYMIZED" },
  PN: { action: "replace", with: "ANONYMIZED" },
  CS: { action: "replace", with: "ANONYMIZED" },
  ST: { action: "replace", with: "ANONYMIZED" },
  UT: { action: "replace", with: "ANONYMIZED" },
  DS: { action: "replace", with: "0" },
  IS: { action: "replace", with: "0" },
  FD: { action: "replace" },
  FL: { action: "replace" },
  SS: { action: "replace" },
  US: { action: "replace" },
  SL: { action: "replace" },
  UL: { action: "replace" },
  DA: { action: "replace", with: "00010101" },
  DT: { action: "replace", with: "00010101010101.000000+0000" },
  TM: { action: "replace", with: "000000.00" },
  UI: { action: "uid" },
  SQ: { action: "keep" },
};
const BY_TYPE: Readonly<Record<string, NonNullable<RuleDocument["code"]>>> = {
  empty_or_replace: "Z/D",
  delete_or_empty: "X/Z",
  delete_or_replace: "X/D",
  delete_or_empty_or_replace: "X/Z/D",
  delete_or_empty_or_replace_UID: "X/Z/U*",
};
/** Free text about a whole study or series. */
const DESCRIPTIONS: ReadonlySet<number> = new Set([0x00081030, 0x0008103e]);
const PATIENT_ID = 0x00100020;

export interface PixlRuleContext {
  readonly creators: PixlCreators;
  /** Tags of rules that keep, of all files before: private elements are taken back by rules of their own. */
  readonly kept: ReadonlySet<string>;
  readonly world: RuleWorld;
  readonly acceptFreeText: boolean;
}

/** The rule that does what an operation does, or the strictest one beside it that the engine has. */
export function pixlRule(operation: PixlOperation, context: PixlRuleContext): PixlRule {
  const { tag, op } = operation;
  const { world, acceptFreeText } = context;
  if ((tag >>> 16) % 2 === 1) return privateRule(operation, context);
  const vr = standardVr(tag);
  if (vr === undefined)
    return { kind: "rules", rules: [], warning: `${formatTag(tag)} is no attribute of PS3.6: it is removed.` };
  if (DESCRIPTIONS.has(tag) && op === "keep" && !acceptFreeText)
    return {
      kind: "problem",
      message: `${formatTag(tag)} is free text that would be kept: accept it, and it is cleaned.`,
    };
  const wished = wishes(tag, vr, op);
  if (wished === undefined)
    return { kind: "problem", message: `The operation ${op} cannot be carried out on ${formatTag(tag)} of VR ${vr}.` };
  return firstThatHolds(formatTag(tag), wished, world);
}

/** Rules to try, the one that is meant first; undefined: PIXL itself fails here. */
function wishes(tag: Tag, vr: string, op: string): readonly Written[] | undefined {
  const code = BY_TYPE[op];
  if (code !== undefined) return [{ action: "by-type", code }];
  switch (op) {
    case "keep":
      if (DESCRIPTIONS.has(tag)) return [{ action: "clean" }];
      return [{ action: "keep" }, { action: "keep", review: REVIEW }, ...replacements(vr)];
    case "delete":
      return [{ action: "remove" }];
    case "empty":
      return [{ action: "empty" }];
    case "replace":
      if (CONSTANTS[vr] === undefined) return undefined;
      return tag === PATIENT_ID ? [{ action: "pseudonym" }] : [...replacements(vr), { action: "keep", review: REVIEW }];
    case "replace_UID":
      return vr === "UI" ? [{ action: "uid" }] : undefined;
    case "secure-hash":
      return vr === "LO" ? [{ action: "pseudonym" }] : undefined;
    default:
      return undefined;
  }
}

function replacements(vr: string): readonly Written[] {
  const constant = CONSTANTS[vr];
  if (constant === undefined) return [];
  return [constant.action === "keep" ? { ...constant, review: REVIEW } : constant];
}

function firstThatHolds(tag: string, wished: readonly Written[], world: RuleWorld): PixlRule {
  for (const [index, written] of wished.entries()) {
    const rule: RuleDocument = { tag, ...written };
    if (!compileRule(rule, world).ok) continue;
    if (written.action === wished[0]?.action) {
      return written.review === undefined
        ? { kind: "rules", rules: [rule] }
        : { kind: "rules", rules: [rule], warning: `${tag} is kept as imported: the profile would not.` };
    }
    return index === 0
      ? { kind: "rules", rules: [rule] }
      : { kind: "rules", rules: [rule], warning: `${tag} cannot be as PIXL has it: ${written.action} instead.` };
  }
  return { kind: "rules", rules: [], warning: `${tag} is the engine's own: it does with it what its tables say.` };
}

/** Private creators by the tag of their own element, as the names of their own operations have them. */
export type PixlCreators = ReadonlyMap<number, string>;

const SAFE: ReadonlyMap<string, readonly { readonly creator: string; readonly vr: string }[]> = safeElements();

function safeElements(): ReadonlyMap<string, readonly { readonly creator: string; readonly vr: string }[]> {
  const found = new Map<string, { readonly creator: string; readonly vr: string }[]>();
  for (const [creator, list] of Object.entries(SAFE_PRIVATE)) {
    for (const entry of list.split(",")) {
      const [key = "", vr = ""] = entry.split(" ");
      found.set(key, [...(found.get(key) ?? []), { creator, vr }]);
    }
  }
  return found;
}

/** PIXL names private elements by number; the name of the creator's own operation holds the creator, with luck. */
export function pixlCreators(operations: readonly PixlOperation[]): PixlCreators {
  const creators = new Map<number, string>();
  for (const { tag, name } of operations) {
    if ((tag >>> 16) % 2 === 0 || !isCreator(tag)) continue;
    const known = Object.keys(SAFE_PRIVATE).filter((creator) => name.includes(creator));
    const longest = known.sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) creators.set(tag, longest);
  }
  return creators;
}

function isCreator(tag: number): boolean {
  const element = tag & 0xffff;
  return element >= 0x10 && element <= 0xff;
}

function privateRule({ tag, op, name }: PixlOperation, { creators, kept, world }: PixlRuleContext): PixlRule {
  // Creators are written for whatever is kept under them.
  if (isCreator(tag)) return { kind: "rules", rules: [] };
  const group = tag >>> 16;
  const lowByte = tag & 0xff;
  const key = `${group.toString(16).padStart(4, "0")}${lowByte.toString(16).padStart(2, "0")}`.toUpperCase();
  const listed = SAFE.get(key) ?? [];
  const creator = creators.get(group * 0x10000 + ((tag & 0xffff) >>> 8));
  const what = `${formatTag(tag)} (${name})`;
  // Whose element it is the number does not tell: it is kept of every creator whose element of this low byte is safe.
  const entries = listed
    .filter((each) => creator === undefined || each.creator === creator)
    .map((each) => ({
      target: formatRuleTarget({ kind: "private", group, creator: each.creator, lowByte }),
      vr: each.vr,
    }));
  if (op === "delete") return { kind: "rules", rules: takenBack(entries, kept) };
  if (entries.length === 0)
    return {
      kind: "rules",
      rules: [],
      warning: `${what} is kept by its number alone, which tells nothing: it is removed.`,
    };
  const rules = entries
    .map(({ target, vr }): RuleDocument => ({ tag: target, action: "keep", vr }))
    .filter((rule) => op === "keep" && compileRule(rule, world).ok);
  if (rules.length > 0) return { kind: "rules", rules };
  const warning = `${what} cannot be treated by ${op}: it is removed.`;
  return { kind: "rules", rules: takenBack(entries, kept), warning };
}

function takenBack(
  entries: readonly { readonly target: string }[],
  kept: ReadonlySet<string>,
): readonly RuleDocument[] {
  return entries.flatMap(({ target }) => (kept.has(target) ? [{ tag: target, action: "remove" }] : []));
}
