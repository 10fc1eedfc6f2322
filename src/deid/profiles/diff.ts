import { type Explanation, explainProfile } from "./explain.ts";
import type { ProfileDocument } from "./profile-document.ts";

/** An attribute that two profiles treat in different ways. */
export interface AttributeDifference {
  readonly tag: string;
  readonly keyword: string;
  readonly a: string;
  readonly b: string;
}

/** A setting, by its path as `filters.modality`, with its value in both; undefined: not there. */
export interface SettingDifference {
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

export interface ProfileDifference {
  readonly attributes: readonly AttributeDifference[];
  readonly settings: readonly SettingDifference[];
}

const NOT_NAMED = "removed";

/** What differs between two profiles: by attribute, and in their settings but for names and versions. */
export function diffProfiles(a: ProfileDocument, b: ProfileDocument): ProfileDifference {
  const ofA = new Map(explainProfile(a).map((each) => [each.tag, each]));
  const ofB = new Map(explainProfile(b).map((each) => [each.tag, each]));
  const attributes = [...new Set([...ofA.keys(), ...ofB.keys()])].flatMap((tag) => {
    const [before, after] = [ofA.get(tag), ofB.get(tag)];
    const [textA, textB] = [actionText(before), actionText(after)];
    return textA === textB ? [] : [{ tag, keyword: before?.keyword ?? after?.keyword ?? "", a: textA, b: textB }];
  });
  return { attributes, settings: settingDifferences(settingsOf(a), settingsOf(b)) };
}

/** Exceptions are part of what happens. */
function actionText(explanation: Explanation | undefined): string {
  if (explanation === undefined) return NOT_NAMED;
  const exceptions = explanation.exceptions.map(({ where, action }) => `${where}: ${action}`);
  return [explanation.action, ...exceptions].join(" | ");
}

function settingsOf(document: ProfileDocument): ReadonlyMap<string, unknown> {
  const { profile: _profile, version: _version, rules: _rules, overrides: _overrides, ...settings } = document;
  const flat = new Map<string, unknown>();
  for (const [key, value] of Object.entries(settings)) {
    if (typeof value !== "object" || Array.isArray(value)) flat.set(key, value);
    else for (const [inner, setting] of Object.entries(value)) flat.set(`${key}.${inner}`, setting);
  }
  return flat;
}

function settingDifferences(
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>,
): readonly SettingDifference[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort().flatMap((path) => {
    const isSame = JSON.stringify(a.get(path)) === JSON.stringify(b.get(path));
    return isSame ? [] : [{ path, a: a.get(path), b: b.get(path) }];
  });
}
