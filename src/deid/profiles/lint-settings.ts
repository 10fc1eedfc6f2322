import type { YamlPath } from "../../units/yaml-places.ts";
import { RADIOGRAPH_MODALITIES } from "../pixels/sop-classes.ts";
import type { ProfileDocument } from "./profile-document.ts";

/** A setting that changes nothing beside the others. */
export interface IdleSetting {
  readonly path: YamlPath;
  readonly message: string;
}

interface Check extends IdleSetting {
  readonly isIdle: (document: ProfileDocument) => boolean;
}

const USUAL_SHIFT_DAYS = 3650;

const CHECKS: readonly Check[] = [
  {
    path: ["sr"],
    message: "The modality filter leaves reports out, whatever is said of them here.",
    isIdle: (document) => document.sr !== "exclude" && !admitsSome(document, ["SR"]),
  },
  {
    path: ["documents"],
    message: "The modality filter leaves documents out, whatever is said of them here.",
    isIdle: (document) => document.documents === "replace" && !admitsSome(document, ["DOC"]),
  },
  {
    path: ["pixels", "allow_absent"],
    message: "The modality filter leaves radiographs out: there is nothing to sign off.",
    isIdle: (document) =>
      document.pixels.allow_absent !== undefined && !admitsSome(document, [...RADIOGRAPH_MODALITIES]),
  },
  {
    path: ["vocabulary"],
    message: "No description is cleaned.",
    isIdle: ({ vocabulary, options, rules, overrides }) =>
      vocabulary.length > 0 &&
      !options.includes("clean-descriptors") &&
      ![...rules, ...overrides.flatMap((one) => one.rules)].some(({ action }) => action === "clean"),
  },
  {
    path: ["filters", "min_instances_per_series"],
    message: "Every series has one instance.",
    isIdle: ({ filters }) => filters.min_instances_per_series === 1,
  },
  {
    path: ["pseudonyms", "date_shift"],
    message: "No dates move without retain-longitudinal-modified-dates.",
    isIdle: ({ pseudonyms: { date_shift: shift }, options }) =>
      (shift.days !== USUAL_SHIFT_DAYS ||
        shift.keep_weekday ||
        shift.direction === "both" ||
        shift.per === "project") &&
      !options.includes("retain-longitudinal-modified-dates"),
  },
  {
    path: ["pseudonyms", "derive_age"],
    message: "No age is kept without retain-patient-characteristics.",
    isIdle: ({ pseudonyms, options }) => pseudonyms.derive_age && !options.includes("retain-patient-characteristics"),
  },
  {
    path: ["pseudonyms", "prefix"],
    message: "PIXL's pseudonyms have no prefix.",
    isIdle: ({ pseudonyms }) => pseudonyms.mode === "pixl" && pseudonyms.prefix !== undefined,
  },
  {
    path: ["pseudonyms", "issuer"],
    message: "PIXL hashes the Patient ID alone.",
    isIdle: ({ pseudonyms }) => pseudonyms.mode === "pixl" && pseudonyms.issuer === "include",
  },
];

export function idleSettings(document: ProfileDocument): readonly IdleSetting[] {
  return CHECKS.filter(({ isIdle }) => isIdle(document));
}

function admitsSome({ filters: { modality } }: ProfileDocument, names: readonly string[]): boolean {
  return names.some((name) => modality?.allow?.includes(name) !== false && modality?.deny?.includes(name) !== true);
}
