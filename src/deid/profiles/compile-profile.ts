import { createHash } from "node:crypto";
import { canonicalJson } from "../../units/canonical-json.ts";
import type { InstanceFilters, TextTest } from "../filters.ts";
import type { PixelMask, PixelSettings } from "../pixels/pixel-settings.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import { layRules, type ProfileRule } from "../rules/profile-rules.ts";
import { compileRule } from "./compile-rule.ts";
import { isPatternText, patternOf } from "./pattern.ts";
import type { DeviceFacts, Profile, PseudonymSettings, ReviewedRule } from "./profile.ts";
import type { ProfileDocument, RuleDocument } from "./profile-document.ts";
import { formatRuleTarget, parseRuleTarget } from "./rule-target.ts";
import { worldOf } from "./rule-world.ts";

/** Devices for which other rules hold. */
interface Override {
  readonly matches: (facts: DeviceFacts) => boolean;
  readonly rules: readonly ProfileRule[];
}

const BURNED_IN_ANNOTATION = "(0028,0301)";

/** A document that `checkProfile` found nothing in, ready to run. */
export function compileProfile(document: ProfileDocument, masks: readonly PixelMask[]): Profile {
  const pseudonyms = pseudonymsOf(document);
  const world = worldOf(document.options, pseudonyms, document.vocabulary);
  const compileAll = (rules: readonly RuleDocument[]): readonly ProfileRule[] =>
    rules.flatMap((rule) => {
      const result = compileRule(rule, world);
      return result.ok ? [result.rule] : [];
    });
  const own = compileAll(document.rules);
  const overrides = document.overrides.map(
    ({ when, rules }): Override => ({ matches: deviceTest(when), rules: compileAll(rules) }),
  );
  const lay = (rules: readonly ProfileRule[]): CompiledRules =>
    layRules(world.base, { rules, unlisted: document.unlisted });
  const bySelection = new Map<string, CompiledRules>();
  const rules = lay(own);
  return {
    name: document.profile,
    version: document.version,
    hash: hashOf(document, rules, overrides, masks),
    onReject: document.on_reject,
    options: world.options,
    rules,
    rulesFor(facts) {
      const chosen = overrides.filter(({ matches }) => matches(facts));
      if (chosen.length === 0) return rules;
      const key = chosen.map((each) => overrides.indexOf(each)).join(" ");
      const known = bySelection.get(key) ?? lay([...own, ...chosen.flatMap((each) => each.rules)]);
      bySelection.set(key, known);
      return known;
    },
    needsMask: (facts) =>
      isMasked(document.rules) ||
      document.overrides.some((one, index) => isMasked(one.rules) && overrides[index]?.matches(facts) === true),
    filters: filtersOf(document),
    pseudonyms,
    pixels: pixelsOf(document, masks),
    sr: document.sr,
    documents: document.documents,
    reviews: reviewsOf(document),
  };
}

/** Whether Pixel Data is to be masked: without a mask that fits, the object stays behind. */
function isMasked(rules: readonly RuleDocument[]): boolean {
  return rules.some(({ action }) => action === "mask");
}

function deviceTest(when: ProfileDocument["overrides"][number]["when"]): Override["matches"] {
  const tests = (["manufacturer", "model", "software"] as const).flatMap((key) => {
    const written = when[key];
    return written === undefined ? [] : [[key, deviceText(written)] as const];
  });
  return (facts) => tests.every(([key, wanted]) => facts[key] !== "" && wanted.test(facts[key]));
}

/** A pattern is searched for; any other text is the whole value, in any letter case. */
function deviceText(written: string): TextTest {
  if (isPatternText(written)) return patternOf(written, "anywhere");
  return { source: written, test: (text) => text.toLowerCase() === written.toLowerCase() };
}

function filtersOf({ filters }: ProfileDocument): InstanceFilters {
  const { modality, manufacturer, series_description: description, series_number: number } = filters;
  const minimum = filters.min_instances_per_series;
  return {
    ...(modality?.allow === undefined ? {} : { modalities: modality.allow }),
    ...(modality?.deny === undefined ? {} : { excludeModalities: modality.deny }),
    ...(manufacturer === undefined
      ? {}
      : { manufacturers: { allow: manufacturer.allow.map(deviceText), onMissing: manufacturer.on_missing } }),
    ...(description === undefined
      ? {}
      : {
          excludeSeriesDescriptions: description.deny.filter((text) => !isPatternText(text)),
          excludeSeriesDescriptionPatterns: description.deny
            .filter(isPatternText)
            .map((text) => patternOf(text, "anywhere")),
        }),
    ...(number === undefined
      ? {}
      : {
          seriesNumbers: {
            deny: number.deny,
            onMissing: number.on_missing,
            byManufacturer: number.by_manufacturer.map(({ manufacturer: maker, deny }) => ({
              manufacturer: deviceText(maker),
              deny,
            })),
          },
        }),
    ...(minimum === undefined ? {} : { minimumInstancesPerSeries: minimum }),
  };
}

/** Pseudonyms as a profile sets them. */
export function pseudonymsOf({ pseudonyms }: Pick<ProfileDocument, "pseudonyms">): PseudonymSettings {
  const { date_shift: shift } = pseudonyms;
  return {
    mode: pseudonyms.mode,
    prefix: pseudonyms.prefix,
    lookup: pseudonyms.lookup,
    issuer: pseudonyms.issuer,
    accession: pseudonyms.accession,
    studyId: pseudonyms.study_id,
    device: pseudonyms.device,
    birthDate: pseudonyms.birth_date,
    deriveAge: pseudonyms.derive_age,
    dateShift: { days: shift.days, direction: shift.direction, keepWeekday: shift.keep_weekday, per: shift.per },
  };
}

function pixelsOf({ pixels }: ProfileDocument, masks: readonly PixelMask[]): PixelSettings {
  return {
    default: pixels.default,
    allow: pixels.allow,
    masks,
    allowAbsent: pixels.allow_absent?.signed_off,
    clearHighBits: pixels.clear_high_bits,
    jpegMetadata: pixels.jpeg_metadata,
  };
}

/** Who answers for rules that need it, and for radiographs that do not say whether they are burned in. */
function reviewsOf(document: ProfileDocument): readonly ReviewedRule[] {
  const all = [...document.rules, ...document.overrides.flatMap(({ rules }) => rules)];
  const ofRules = all.flatMap(({ tag, review }) => (review === undefined ? [] : [{ tag: targetText(tag), review }]));
  const signedOff = document.pixels.allow_absent?.signed_off;
  return signedOff === undefined ? ofRules : [...ofRules, { tag: BURNED_IN_ANNOTATION, review: signedOff }];
}

function targetText(tag: string): string {
  const target = parseRuleTarget(tag);
  return target === undefined ? tag : formatRuleTarget(target);
}

/** Of everything that decides what leaves; reviews and the order of keys are not part of it. */
function hashOf(
  document: ProfileDocument,
  rules: CompiledRules,
  overrides: readonly Override[],
  masks: readonly PixelMask[],
): string {
  const { rules: _rules, overrides: writtenOverrides, ...settings } = document;
  const effective = {
    settings: { ...settings, options: [...settings.options].sort() },
    rules: rules.hash,
    masks: masks.map(canonicalMask),
    overrides: overrides.map((override, index) => ({
      when: writtenOverrides[index]?.when,
      rules: override.rules.map(({ canonical }) => canonical),
    })),
  };
  return createHash("sha256").update(canonicalJson(effective)).digest("hex");
}

/** Patterns by their source. */
function canonicalMask({ when, area }: PixelMask): unknown {
  const { manufacturer, model, software } = when;
  return {
    area,
    when: { ...when, manufacturer: manufacturer?.source, model: model?.source, software: software?.source },
  };
}
