import { type CompiledRules, compileRules } from "../rules/compiled-rules.ts";
import { OPTIONS, type OptionName } from "./options.ts";
import { type PseudonymSettings, USUAL_PSEUDONYMS } from "./profile.ts";

/** What a rule is compiled against. */
export interface RuleWorld {
  readonly options: readonly OptionName[];
  /** The tables' rules under these options. */
  readonly base: CompiledRules;
  /** The tables' rules under some options, to see what the engine can do. */
  readonly rulesUnder: (options: readonly OptionName[]) => CompiledRules;
}

/** The basic profile and these options, in the order of CID 7050. */
function inOrder(options: readonly OptionName[]): readonly OptionName[] {
  const named = new Set<string>(["basic", ...options]);
  return Object.keys(OPTIONS).filter((name): name is OptionName => named.has(name));
}

/** Compiled tables by what they were compiled for: a few are asked for again and again. */
const compiled = new Map<string, CompiledRules>();
const MOST_COMPILED = 64;

/** The tables' rules under options and pseudonyms, and with further words of descriptions. */
function rulesUnder(
  options: readonly OptionName[],
  pseudonyms: PseudonymSettings,
  vocabulary: readonly string[],
): CompiledRules {
  const ordered = inOrder(options);
  const key = JSON.stringify([ordered, pseudonyms, vocabulary]);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = compileRules(ordered, pseudonyms, vocabulary);
  if (compiled.size < MOST_COMPILED) compiled.set(key, made);
  return made;
}

export function worldOf(
  options: readonly OptionName[],
  pseudonyms: PseudonymSettings = USUAL_PSEUDONYMS,
  vocabulary: readonly string[] = [],
): RuleWorld {
  return {
    options: inOrder(options),
    base: rulesUnder(options, pseudonyms, vocabulary),
    rulesUnder: (others) => rulesUnder(others, USUAL_PSEUDONYMS, vocabulary),
  };
}
