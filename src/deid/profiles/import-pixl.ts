import { type FileProblem, problemOf } from "../../units/file-problems.ts";
import { RADIOGRAPH_MODALITIES } from "../pixels/sop-classes.ts";
import { checkProfile } from "./check-profile.ts";
import type { OptionName } from "./options.ts";
import {
  mergeOperations,
  operationFinding,
  type PixlFile,
  type PixlOperation,
  type PixlOverride,
  readPixlOperations,
  readPixlOverrides,
} from "./pixl-operations.ts";
import { type PixlProject, searched } from "./pixl-project.ts";
import { type PixlCreators, pixlCreators, pixlRule } from "./pixl-rules.ts";
import { OPTION_NAMES, profileDocument, type RuleDocument, type WrittenProfile } from "./profile-document.ts";
import { ProfileError } from "./profile-problems.ts";
import { schemaFindings } from "./read-profile.ts";
import { worldOf } from "./rule-world.ts";

export interface PixlTagOperations {
  /** Base files in order: the later wins, tag by tag. */
  readonly base: readonly PixlFile[];
  readonly manufacturerOverrides?: readonly PixlFile[];
}

export interface PixlImportOptions {
  /** The profile's name. */
  readonly name: string;
  readonly version?: number;
  /** Study and series descriptions that PIXL keeps are cleaned; else they are a reason to refuse. */
  readonly acceptFreeText?: boolean;
  /** What PIXL's configuration of the project says. */
  readonly project?: PixlProject;
  /** Mask files, by their path from the profile. */
  readonly masks?: readonly string[];
  /** Who answers for radiographs that do not say whether they are burned in; without, they are rejected. */
  readonly signedOff?: string;
  /** How patients are hashed: as PIXL does, with its secrets, or with the project's key. Default: pixl. */
  readonly pseudonyms?: "pixl" | "hmac";
}

export interface PixlImport {
  readonly document: WrittenProfile;
  /** What is not as PIXL has it, each once. */
  readonly warnings: readonly string[];
}

const IMPORT_OPTIONS: readonly OptionName[] = ["clean-descriptors", "retain-safe-private"];

/**
 * PIXL's tag operations as a profile that removes whatever they do not name.
 * @throws ProfileError with everything that cannot be read or carried out
 */
export function importPixlTagOperations(files: PixlTagOperations, options: PixlImportOptions): PixlImport {
  const base = files.base.map(readPixlOperations);
  const overrides = (files.manufacturerOverrides ?? []).map(readPixlOverrides);
  const problems = [...base, ...overrides].flatMap((each) => each.problems);
  if (problems.length > 0) throw new ProfileError(problems, "PIXL_OPERATIONS_INVALID");
  const read = { base: base.flatMap((each) => each.read), overrides: overrides.flatMap((each) => each.read) };
  return importPixlOperations(read, options);
}

interface PixlOperations {
  readonly base: readonly PixlOperation[];
  readonly overrides: readonly PixlOverride[];
}

/** The same from operations that are read. @throws ProfileError */
export function importPixlOperations(operations: PixlOperations, options: PixlImportOptions): PixlImport {
  // What needs a review depends on the options, and what is claimed of them on the rules: they are asked for until both fit.
  let named: readonly OptionName[] = IMPORT_OPTIONS;
  for (const _ of IMPORT_OPTIONS) {
    const needed = importUnder(named, operations, options, false).document.options ?? [];
    if (needed.length === named.length) break;
    named = needed;
  }
  return importUnder(named, operations, options, true);
}

function importUnder(
  named: readonly OptionName[],
  { base, overrides }: PixlOperations,
  options: PixlImportOptions,
  isFinal: boolean,
): PixlImport {
  const problems: FileProblem[] = [];
  const warnings = new Set<string>(warningsOf(options));
  const world = worldOf(named);
  const kept = new Set<string>();
  const rulesOf = (operations: readonly PixlOperation[], creators: PixlCreators): RuleDocument[] => {
    const context = { creators, kept, world, acceptFreeText: options.acceptFreeText === true };
    const rules = operations.flatMap((operation): readonly RuleDocument[] => {
      const made = pixlRule(operation, context);
      if (made.kind === "problem") {
        problems.push(problemOf(operationFinding(operation, made.message)));
        return [];
      }
      if (made.warning !== undefined) warnings.add(made.warning);
      return made.rules;
    });
    for (const { tag, action } of rules) if (action === "keep") kept.add(tag);
    return rules;
  };
  const merged = mergeOperations(base);
  const ofBase = pixlCreators(merged);
  const rules = rulesOf(merged, ofBase);
  const written = overrides.map(({ manufacturer, operations }) => {
    const own = mergeOperations(operations);
    return {
      when: { manufacturer: searched(manufacturer) },
      rules: rulesOf(own, new Map([...ofBase, ...pixlCreators(own)])),
    };
  });
  const document = profileOf(
    options,
    rules,
    written.filter((override) => override.rules.length > 0),
  );
  const shape = profileDocument.safeParse(document);
  const findings = [...(shape.success ? [] : schemaFindings(shape.error.issues)), ...checkProfile(document)];
  if (isFinal) problems.push(...findings.map(problemOf));
  if (problems.length > 0) throw new ProfileError(problems, "PIXL_OPERATIONS_INVALID");
  return { document, warnings: [...warnings] };
}

/** What the engine holds back that PIXL lets pass. */
function warningsOf({ project, masks = [], signedOff }: PixlImportOptions): readonly string[] {
  if (project === undefined) return [];
  const warnings: string[] = [];
  const radiographs = project.modalities.filter((modality) => RADIOGRAPH_MODALITIES.has(modality));
  if (radiographs.length > 0 && signedOff === undefined)
    warnings.push(
      `${radiographs.join(", ")}: images that do not say whether they are burned in are rejected without a sign-off in pixels.allow_absent.`,
    );
  if ((project.files.recipes.length > 0 || project.modalities.includes("US")) && masks.length === 0)
    warnings.push(
      "Masks go by the size of the image: without a mask file for their sizes ultrasound images are rejected.",
    );
  return warnings;
}

function profileOf(
  { name, version = 1, pseudonyms = "pixl", project, masks = [], signedOff }: PixlImportOptions,
  rules: readonly RuleDocument[],
  overrides: NonNullable<WrittenProfile["overrides"]>,
): WrittenProfile {
  const pixels = {
    ...(masks.length === 0 ? {} : { masks: [...masks] }),
    ...(signedOff === undefined ? {} : { allow_absent: { signed_off: signedOff } }),
  };
  const all = [...rules, ...overrides.flatMap((override) => override.rules)];
  return {
    profile: name,
    version,
    base: "basic-2026c",
    unlisted: "remove",
    options: optionsFor(all),
    pseudonyms: { mode: pseudonyms },
    ...(project === undefined ? {} : { filters: project.filters }),
    rules: [...rules],
    ...(overrides.length === 0 ? {} : { overrides }),
    ...(Object.keys(pixels).length === 0 ? {} : { pixels }),
  };
}

/** Only what the rules need is claimed. */
function optionsFor(
  rules: readonly { readonly tag: string; readonly action: string }[],
): NonNullable<WrittenProfile["options"]> {
  const needed = new Set<string>();
  if (rules.some(({ action }) => action === "clean")) needed.add("clean-descriptors");
  if (rules.some(({ tag }) => tag.includes('"'))) needed.add("retain-safe-private");
  return OPTION_NAMES.filter((name) => needed.has(name));
}
