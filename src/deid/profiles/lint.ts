import { dirname } from "node:path";
import type { FileProblem, Finding } from "../../units/file-problems.ts";
import type { YamlPath } from "../../units/yaml-places.ts";
import { formatYamlPath } from "../../units/yaml-places.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { rulesIn } from "./check-profile.ts";
import { isAnyText } from "./compile-keep.ts";
import { compileRule, tableRow } from "./compile-rule.ts";
import { describeRule } from "./describe-rule.ts";
import { explainProfile } from "./explain.ts";
import { idleSettings } from "./lint-settings.ts";
import { loadMasks } from "./load-masks.ts";
import { checkProfileText, readProfileText } from "./load-profile.ts";
import type { ProfileDocument, RuleDocument } from "./profile-document.ts";
import { ProfileError } from "./profile-problems.ts";
import { readYaml } from "./read-profile.ts";
import { covers, parseRulePath, type RulePath } from "./rule-path.ts";
import { formatRuleTarget, parseRuleTarget } from "./rule-target.ts";
import { worldOf } from "./rule-world.ts";
import { listAt, memberAt } from "./values-at.ts";

/** What a profile does that it may not have been meant to do. */
export interface LintWarning {
  readonly code:
    | "dates-constant"
    | "option-without-effect"
    | "rule-unreachable"
    | "rule-without-effect"
    | "setting-without-effect"
    | "text-without-form"
    | "uids-tell-dates";
  /** As `rules[3]`. */
  readonly path: string;
  readonly message: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

export interface LintReport {
  /** They keep the profile from being used. */
  readonly problems: readonly FileProblem[];
  readonly warnings: readonly LintWarning[];
}

type Warning = Omit<LintWarning, "path" | "line" | "column"> & { readonly path: YamlPath };

const DATE_VRS: ReadonlySet<string | undefined> = new Set(["DA", "DT"]);

/** Looks through a profile's text: everything that is wrong with it, and what may be a slip. */
export function lintProfile(text: string): LintReport {
  const { document, problems } = checkProfileText(text);
  if (document === undefined) return { problems, warnings: [] };
  const { locate } = readYaml(text);
  const warnings = warningsOf(document).map((warning): LintWarning => {
    const { line, column } = locate({ path: warning.path, code: "PROFILE_RULE_INVALID" });
    return { ...warning, path: formatYamlPath(warning.path), line, column };
  });
  return { problems, warnings };
}

/**
 * The same of a profile's file, and of the mask files that it names.
 * @throws ProfileError when it cannot be read
 */
export function lintProfileFile(path: string): LintReport {
  const text = readProfileText(path);
  const report = lintProfile(text);
  const { values, locate } = readYaml(text);
  const problems = maskProblems(listAt(memberAt(values, "pixels"), "masks"), dirname(path), locate);
  return problems.length === 0 ? report : { ...report, problems: [...report.problems, ...problems] };
}

function maskProblems(
  files: readonly unknown[],
  folder: string,
  locate: (finding: Finding) => FileProblem,
): readonly FileProblem[] {
  return files.flatMap((file, index): readonly FileProblem[] => {
    if (typeof file !== "string") return [];
    try {
      loadMasks([file], folder, readProfileText);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof ProfileError)) throw thrown;
      const path = ["pixels", "masks", index];
      return thrown.problems.map(({ code, message, remedy }) => locate({ path, code, message, remedy }));
    }
  });
}

/** What may be a slip in a profile that was not written here: there are no lines to name. */
export function lintDocument(document: ProfileDocument): LintReport {
  return {
    problems: [],
    warnings: warningsOf(document).map((warning) => ({ ...warning, path: formatYamlPath(warning.path) })),
  };
}

/** What may be a slip in a profile that can be used. */
function warningsOf(document: ProfileDocument): readonly Warning[] {
  const rules = rulesIn(document);
  return [
    ...rules.flatMap((rule, index) => unreachable(rule, rules.slice(index + 1), document)),
    ...rules.flatMap((rule) => [
      ...withoutEffect(rule, document),
      ...withoutForm(rule, document),
      ...constantDates(rule),
    ]),
    ...optionsWithoutEffect(document),
    ...datesInUids(document),
    ...idleSettings(document).map(({ path, message }) => ({ code: "setting-without-effect", path, message }) as const),
  ];
}

interface PlacedRule {
  readonly document: RuleDocument;
  readonly path: YamlPath;
}

/** A later rule for the same element, wherever this one holds and for the devices of this one, always wins. */
function unreachable(
  rule: PlacedRule,
  later: readonly PlacedRule[],
  { overrides }: ProfileDocument,
): readonly Warning[] {
  // Masks are asked for by any rule, whichever comes later.
  if (rule.document.action === "mask") return [];
  const winner = later.find(
    (other) =>
      nameOf(other.document) === nameOf(rule.document) &&
      holdsForAllOf(devicesOf(other, overrides), devicesOf(rule, overrides)) &&
      covers(pathOf(other.document), pathOf(rule.document)),
  );
  if (winner === undefined) return [];
  const message = `${formatYamlPath(winner.path)} decides over ${nameOf(rule.document)}.`;
  return [{ code: "rule-unreachable", path: rule.path, message }];
}

type Devices = ProfileDocument["overrides"][number]["when"];

/** Rules that are of no override hold for every device. */
function devicesOf({ path: [list, index] }: PlacedRule, overrides: ProfileDocument["overrides"]): Devices {
  return (list === "overrides" && typeof index === "number" ? overrides[index]?.when : undefined) ?? {};
}

/** Whether every condition is one of the others: patterns are compared as they are written. */
function holdsForAllOf(wider: Devices, narrower: Devices): boolean {
  return DEVICE_KEYS.every((key) => wider[key] === undefined || wider[key] === narrower[key]);
}

const DEVICE_KEYS = ["manufacturer", "model", "software"] as const;

function pathOf({ tag, path }: RuleDocument): RulePath | undefined {
  const target = parseRuleTarget(tag);
  return path === undefined || target?.kind !== "standard" ? undefined : parseRulePath(path, target.tag);
}

function nameOf({ tag }: RuleDocument): string {
  const target = parseRuleTarget(tag);
  return target === undefined ? tag : formatRuleTarget(target);
}

/** Without it the same would happen: rules of overrides stand over others, and are left alone. */
function withoutEffect({ document, path }: PlacedRule, profile: ProfileDocument): readonly Warning[] {
  const target = parseRuleTarget(document.tag);
  if (target?.kind !== "standard" || path[0] !== "rules" || profile.unlisted === "remove") return [];
  const world = worldOf(profile.options);
  const compiled = compileRule(document, world);
  const vr = standardVr(target.tag) ?? "";
  if (!compiled.ok || describeRule(compiled.rule.rule, vr) !== describeRule(world.base.ruleOf(target.tag), vr))
    return [];
  return [{ code: "rule-without-effect", path, message: `${nameOf(document)} is treated like this without a rule.` }];
}

function withoutForm({ document, path }: PlacedRule, { options }: ProfileDocument): readonly Warning[] {
  const compiled = compileRule(document, worldOf(options));
  if (!compiled.ok || !isAnyText(compiled.rule.rule.treatment)) return [];
  return [
    { code: "text-without-form", path, message: `${nameOf(document)} is kept whatever it says: give it a form.` },
  ];
}

function constantDates({ document, path }: PlacedRule): readonly Warning[] {
  const target = parseRuleTarget(document.tag);
  const isDate =
    target?.kind === "standard" && DATE_VRS.has(standardVr(target.tag)) && tableRow(target.tag) !== undefined;
  if (document.action !== "replace" || !isDate) return [];
  const message = `${nameOf(document)} becomes the same for everybody: retain-longitudinal-modified-dates keeps intervals.`;
  return [{ code: "dates-constant", path, message }];
}

/** Most devices make UIDs of the day and the time. */
function datesInUids({ options }: ProfileDocument): readonly Warning[] {
  const index = options.indexOf("retain-uids");
  if (index < 0 || options.includes("retain-longitudinal-full-dates")) return [];
  const areMoved = options.includes("retain-longitudinal-modified-dates");
  const message = areMoved
    ? "UIDs that stay mostly hold the true day and time: whoever reads them moves all dates back."
    : "UIDs that stay mostly hold the day and time, which the profile removes elsewhere.";
  return [{ code: "uids-tell-dates", path: ["options", index], message }];
}

/** The tables, rules included, say the same with and without the option. */
function optionsWithoutEffect(document: ProfileDocument): readonly Warning[] {
  const textOf = (one: ProfileDocument): string =>
    explainProfile(one)
      .map(({ action }) => action)
      .join("\n");
  const whole = textOf(document);
  return document.options.flatMap((option, index): readonly Warning[] => {
    if (NOT_OF_ATTRIBUTES[option]?.(document) === true) return [];
    const rest = document.options.filter((other) => other !== option);
    if (textOf({ ...document, options: rest }) !== whole) return [];
    return [{ code: "option-without-effect", path: ["options", index], message: `${option} changes nothing here.` }];
  });
}

/** What they change is not what becomes of a standard attribute: whether there is any of it. */
const NOT_OF_ATTRIBUTES: Readonly<
  Partial<Record<ProfileDocument["options"][number], (document: ProfileDocument) => boolean>>
> = {
  "clean-pixel-data": ({ pixels }) => pixels.masks.length > 0,
  "clean-structured-content": () => true,
  "retain-safe-private": ({ unlisted }) => unlisted === "safe-list",
};
