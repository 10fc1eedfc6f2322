import type { Finding } from "../../units/file-problems.ts";
import type { YamlPath } from "../../units/yaml-places.ts";
import { pseudonymsOf } from "./compile-profile.ts";
import { compileRule, unknownTag } from "./compile-rule.ts";
import { PatternError } from "./linear-pattern.ts";
import { EXCLUSIVE_OPTIONS, OPTIONS, type OptionName, SUPPORTED_OPTIONS } from "./options.ts";
import { isPatternText, patternOf } from "./pattern.ts";
import { type PseudonymSettings, USUAL_PSEUDONYMS } from "./profile.ts";
import { profileDocument, type RuleDocument, ruleDocument } from "./profile-document.ts";
import { parseRuleTarget } from "./rule-target.ts";
import { type RuleWorld, worldOf } from "./rule-world.ts";
import { listAt, memberAt } from "./values-at.ts";

/** What the schema cannot see: everything wrong with the parts of a profile that have the right shape. */
export function checkProfile(values: unknown): readonly Finding[] {
  const options = namedOptions(values);
  const supported = options.map(({ option }) => option).filter((option) => SUPPORTED_OPTIONS.has(option));
  const world = worldOf(supported, pseudonymsIn(values));
  return [
    ...options.flatMap(({ option, index }) => optionFindings(option, index, options)),
    ...rulesIn(values).flatMap(({ document, path }) => ruleFindings(document, path, world)),
    ...tagFindings(values),
    ...patternFindings(values),
    ...reportFindings(values),
    ...maskFindings(values),
  ];
}

/** As they are written, where they have the right shape: what may be kept depends on them. */
function pseudonymsIn(values: unknown): PseudonymSettings {
  const parsed = profileDocument.shape.pseudonyms.safeParse(memberAt(values, "pseudonyms"));
  return parsed.success ? pseudonymsOf({ pseudonyms: parsed.data }) : USUAL_PSEUDONYMS;
}

function namedOptions(values: unknown): readonly { readonly option: OptionName; readonly index: number }[] {
  return listAt(values, "options").flatMap((option, index) =>
    typeof option === "string" && isOption(option) ? [{ option, index }] : [],
  );
}

function isOption(name: string): name is OptionName {
  return name !== "basic" && name in OPTIONS;
}

function optionFindings(
  option: OptionName,
  index: number,
  all: readonly { readonly option: OptionName; readonly index: number }[],
): readonly Finding[] {
  const path = ["options", index];
  const findings: Finding[] = [];
  const isBefore = (other: OptionName): boolean => all.some((each) => each.option === other && each.index < index);
  if (isBefore(option)) findings.push({ path, code: "PROFILE_VALUE_INVALID", message: `${option} is named twice.` });
  for (const [a, b] of EXCLUSIVE_OPTIONS) {
    const other = option === a ? b : option === b ? a : undefined;
    if (other !== undefined && isBefore(other))
      findings.push({ path, code: "PROFILE_OPTIONS_EXCLUSIVE", message: `${option} contradicts ${other}.` });
  }
  if (!SUPPORTED_OPTIONS.has(option)) {
    findings.push({ path, code: "PROFILE_NOT_SUPPORTED", message: `The option ${option} is not supported.` });
  }
  return findings;
}

/** Of rules that have not the shape of any: what they are about can be wrong all the same. */
function tagFindings(values: unknown): readonly Finding[] {
  return ruleLists(values).flatMap(({ list, path }) =>
    list.flatMap((one, index): readonly Finding[] => {
      const tag = memberAt(one, "tag");
      if (ruleDocument.safeParse(one).success || typeof tag !== "string" || parseRuleTarget(tag) !== undefined)
        return [];
      return [{ path: [...path, index, "tag"], ...unknownTag(tag) }];
    }),
  );
}

interface PlacedRule {
  readonly document: RuleDocument;
  readonly path: YamlPath;
}

/** Every rule of the right shape, those of the overrides too. */
export function rulesIn(values: unknown): readonly PlacedRule[] {
  return ruleLists(values).flatMap(({ list, path }) =>
    list.flatMap((one, index) => {
      const parsed = ruleDocument.safeParse(one);
      return parsed.success ? [{ document: parsed.data, path: [...path, index] }] : [];
    }),
  );
}

function ruleLists(values: unknown): readonly { readonly list: readonly unknown[]; readonly path: YamlPath }[] {
  const ofOverrides = listAt(values, "overrides").map((one, index) => ({
    list: listAt(one, "rules"),
    path: ["overrides", index, "rules"],
  }));
  return [{ list: listAt(values, "rules"), path: ["rules"] }, ...ofOverrides];
}

function ruleFindings(document: RuleDocument, path: YamlPath, world: RuleWorld): readonly Finding[] {
  const result = compileRule(document, world);
  if (result.ok) return [];
  return result.findings.map(({ key, ...finding }) => ({ ...finding, path: [...path, key] }));
}

/** A report is kept for its cleaned content, or not at all. */
function reportFindings(values: unknown): readonly Finding[] {
  const isCleaned = listAt(values, "options").includes("clean-structured-content");
  if (memberAt(values, "sr") !== "keep" || isCleaned) return [];
  const message = "Reports are kept only with the option clean-structured-content.";
  return [{ path: ["sr"], code: "PROFILE_VALUE_INVALID", message }];
}

/** Pixels are masked by the profile's mask files. */
function maskFindings(values: unknown): readonly Finding[] {
  if (listAt(memberAt(values, "pixels"), "masks").length > 0) return [];
  const message = "There is no mask: name the files that hold them in `pixels.masks`.";
  return rulesIn(values)
    .filter(({ document }) => document.action === "mask")
    .map(({ path }) => ({ path: [...path, "action"], code: "PROFILE_VALUE_INVALID", message }));
}

/** Regular expressions that are searched for in the original. */
function patternFindings(values: unknown): readonly Finding[] {
  const filters = memberAt(values, "filters");
  const ofFilter = (key: string, list: string): (readonly [YamlPath, unknown])[] =>
    listAt(memberAt(filters, key), list).map((one, index) => [["filters", key, list, index], one]);
  const ofNumbers = listAt(memberAt(filters, "series_number"), "by_manufacturer").map(
    (one, index): readonly [YamlPath, unknown] => [
      ["filters", "series_number", "by_manufacturer", index, "manufacturer"],
      memberAt(one, "manufacturer"),
    ],
  );
  const ofDevices = listAt(values, "overrides").flatMap((one, index) =>
    (["manufacturer", "model", "software"] as const).map((key): readonly [YamlPath, unknown] => [
      ["overrides", index, "when", key],
      memberAt(memberAt(one, "when"), key),
    ]),
  );
  const written = [
    ...ofFilter("manufacturer", "allow"),
    ...ofFilter("series_description", "deny"),
    ...ofNumbers,
    ...ofDevices,
  ];
  return written.flatMap(([path, text]) => {
    if (typeof text !== "string" || !isPatternText(text)) return [];
    try {
      patternOf(text, "anywhere");
      return [];
    } catch (thrown) {
      if (!(thrown instanceof PatternError)) throw thrown;
      return [{ path, code: "PROFILE_PATTERN_UNSAFE", message: `Not to be used: ${thrown.message}.` }];
    }
  });
}
