import type { Vr } from "../../dicom/vr.ts";
import { type OptionName, optionSet } from "../profiles/options.ts";
import { SAFE_PRIVATE } from "../tables/safe-private.generated.ts";
import type { ByType, Rule, Treatment } from "./rule.ts";

/** What becomes of a private element that is known. */
export interface PrivateRule {
  /** The VR it must have. */
  readonly vr: Vr;
  readonly rule: Rule;
}

/** A private element is known by its group, its creator and its low byte, never by its number. PS3.5 7.8.1. */
export interface PrivateRules {
  /** Undefined: not safe. */
  ruleOf(group: number, creator: string, lowByte: number): PrivateRule | undefined;
  /** Of a creator's own element; undefined: no element of the group is safe under it. */
  creatorRule(group: number, creator: string): PrivateRule | undefined;
}

const REMOVE: ByType = { optional: "remove", empty: "remove", required: "remove", unknown: "remove" };
const SAFE = optionSet("retain-safe-private");
/** What may stay by its VR. Text, bulk and terms of no list stay behind although the table has them. PS3.15 E.3.10. */
const TREATMENTS: ReadonlyMap<string, readonly [Vr, Treatment]> = new Map<string, readonly [Vr, Treatment]>([
  ["US", ["US", { kind: "number" }]],
  ["SS", ["SS", { kind: "number" }]],
  ["UL", ["UL", { kind: "number" }]],
  ["SL", ["SL", { kind: "number" }]],
  ["FL", ["FL", { kind: "number" }]],
  ["FD", ["FD", { kind: "number" }]],
  ["AT", ["AT", { kind: "number" }]],
  ["IS", ["IS", { kind: "number" }]],
  ["DS", ["DS", { kind: "number" }]],
  ["UI", ["UI", { kind: "uid" }]],
  ["SQ", ["SQ", { kind: "walk", unlessOptional: false }]],
]);

/** Nothing is safe without retain-safe-private. The table is a sample that vendors do not vouch for: no value form, no passage. PS3.15 E.3.10. */
export function compilePrivateRules(active: ReadonlySet<OptionName>): PrivateRules {
  const rules = new Map<string, PrivateRule>();
  const creators = new Map<number, Set<string>>();
  if (active.has("retain-safe-private")) {
    for (const [creator, list] of Object.entries(SAFE_PRIVATE)) {
      for (const entry of list.split(",")) {
        const [key = "", listedVr = ""] = entry.split(" ");
        const kept = TREATMENTS.get(listedVr);
        if (kept === undefined) continue;
        const [vr, treatment] = kept;
        const group = Number.parseInt(key.slice(0, 4), 16);
        const rule: Rule = { treatment, fallback: REMOVE, reason: "private", options: SAFE };
        rules.set(keyOf(group, creator, Number.parseInt(key.slice(4), 16)), { vr, rule });
        creators.set(group, (creators.get(group) ?? new Set()).add(creator));
      }
    }
  }
  return {
    ruleOf: (group, creator, lowByte) => rules.get(keyOf(group, creator, lowByte)),
    creatorRule(group, creator) {
      const terms = creators.get(group);
      if (terms?.has(creator) !== true) return undefined;
      return {
        vr: "LO",
        rule: { treatment: { kind: "terms", terms, otherwise: undefined }, fallback: REMOVE, reason: "private" },
      };
    },
  };
}

function keyOf(group: number, creator: string, lowByte: number): string {
  return `${group} ${lowByte} ${creator}`;
}
