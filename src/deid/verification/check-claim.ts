import { hasOption, OPTION_NAMES, OPTIONS, type OptionName, type OptionSet, optionSet } from "../profiles/options.ts";
import type { Rule } from "../rules/rule.ts";
import { splitValues } from "../rules/value-forms.ts";
import { CONTENT_SEQUENCES } from "../tables/content-sequences.ts";
import { DUMMIES } from "../tables/dummies.ts";
import { GRAPHIC_OBJECT_SEQUENCE } from "../tables/presentation-sequences.ts";
import type { Token } from "./tokenizer.ts";

/** What an output may say of the options that were applied to it. */
export interface ExpectedClaim {
  /** Of the profile, in the order of CID 7050. */
  readonly options: readonly OptionName[];
  /** Pixels were blackened. */
  readonly isMasked: boolean;
  /** Content items are judged one by one: those that are left were cleaned. */
  readonly isContentCleaned: boolean;
  /** A rule of the profile keeps dates without an option. */
  readonly mayKeepDates: boolean;
  /** Values that stand for others: dummies among them are no claim. */
  readonly uids: ReadonlySet<string>;
}

export interface ClaimReader {
  /** Of every value of the output, with the rule that holds for it. */
  add(token: Token, bytes: Buffer | undefined, rule: Rule): void;
  /** Why the claim cannot be true; undefined: nothing speaks against it. */
  problem(): string | undefined;
}

const METHOD_CODES = 0x00120064;
const CODE_VALUE = 0x00080100;
const CODING_SCHEME = 0x00080102;
const CODE_MEANING = 0x00080104;
const DATES_MODIFIED = 0x00280303;
const FULL_DATES = "retain-longitudinal-full-dates";
const MODIFIED_DATES = "retain-longitudinal-modified-dates";
const CONTENT = optionSet("clean-structured-content");
const GRAPHICS = optionSet("clean-graphics");

/** Reads (0012,0064) and (0028,0303) beside what they speak of. PS3.15 E.1.1, PS3.3 C.12.1. */
export function createClaimReader(expected: ExpectedClaim): ClaimReader {
  const allowed = new Set(expected.options);
  const entries = new Map<string, string[]>();
  let dates = "";
  let seen: OptionSet = 0;
  return {
    add(token, bytes, rule) {
      if (token.kind !== "value" || bytes?.length === 0) return;
      if (token.parentTag === METHOD_CODES && bytes !== undefined) {
        const entry = entries.get(token.scope) ?? [];
        if (token.tag === CODE_VALUE || token.tag === CODING_SCHEME || token.tag === CODE_MEANING)
          entry.push(splitValues(bytes).join("\\"));
        entries.set(token.scope, entry);
      } else if (token.tag === DATES_MODIFIED && bytes !== undefined) {
        dates = splitValues(bytes).join("\\");
      } else if (
        rule.options !== undefined &&
        (seen & rule.options) !== rule.options &&
        !isStandIn(token, bytes, rule, expected)
      ) {
        seen |= rule.options;
      }
      if (token.parentTag !== 0) seen |= optionsAround(token, expected);
    },
    problem() {
      const claimed = [...entries.values()].map(optionOf);
      const isSound = claimed.every(
        (option, index) =>
          option !== undefined &&
          (option === "clean-pixel-data" ? expected.isMasked : allowed.has(option)) &&
          (index === 0 || OPTION_NAMES.indexOf(option) > OPTION_NAMES.indexOf(claimed[index - 1] ?? option)),
      );
      if (claimed[0] !== "basic" || !isSound) return "method-codes";
      const set = optionSet(...claimed.filter((option) => option !== undefined));
      const applied = seen | (expected.isMasked ? optionSet("clean-pixel-data") : 0);
      const isWhole = OPTION_NAMES.every((option) => {
        const isOfProfile = option === "clean-pixel-data" || allowed.has(option);
        return !isOfProfile || !hasOption(applied, option) || hasOption(set, option);
      });
      if (!isWhole) return "option-not-claimed";
      return datesAllowed(set, seen, expected).includes(dates) ? undefined : "dates-mark";
    },
  };
}

/** The option of one item of (0012,0064): its code, scheme and meaning. */
function optionOf(entry: readonly string[]): OptionName | undefined {
  const [value, scheme, meaning, ...others] = entry;
  if (scheme !== "DCM" || others.length > 0) return undefined;
  return OPTION_NAMES.find((name) => OPTIONS[name].code === value && OPTIONS[name].meaning === meaning);
}

/** A dummy, a new UID: they stand where the option could not keep anything. */
function isStandIn(
  { vr }: Token,
  bytes: Buffer | undefined,
  { dummy = DUMMIES[vr] }: Rule,
  { uids }: ExpectedClaim,
): boolean {
  if (bytes === undefined) return false;
  if (bytes.every((byte) => byte === 0)) return true;
  const values = splitValues(bytes);
  return vr === "UI" ? values.every((uid) => uids.has(uid)) : values.every((value) => value === dummy || value === "");
}

/** What is left of content items and of graphics is left by an option. */
function optionsAround({ within }: Token, { isContentCleaned }: ExpectedClaim): OptionSet {
  if (isContentCleaned && within.some((sequence) => CONTENT_SEQUENCES.has(sequence))) return CONTENT;
  return within.includes(GRAPHIC_OBJECT_SEQUENCE) ? GRAPHICS : 0;
}

function datesAllowed(claimed: OptionSet, seen: OptionSet, { mayKeepDates }: ExpectedClaim): readonly string[] {
  if (hasOption(claimed, FULL_DATES)) return ["UNMODIFIED"];
  if (hasOption(claimed, MODIFIED_DATES)) return ["MODIFIED"];
  if (hasOption(seen, FULL_DATES)) return ["UNMODIFIED"];
  return mayKeepDates ? ["REMOVED", "UNMODIFIED"] : ["REMOVED"];
}
