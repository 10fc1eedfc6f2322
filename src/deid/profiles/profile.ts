import type { InstanceFilters } from "../filters.ts";
import type { PixelSettings } from "../pixels/pixel-settings.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { OptionName } from "./options.ts";

/** What one rejected instance does: it stops its whole study, or it alone stays behind and is counted. */
export type OnReject = "study" | "instance";

/** What the overrides of a profile look at, as the original has it; empty where it has nothing. */
export interface DeviceFacts {
  readonly manufacturer: string;
  readonly model: string;
  readonly software: string;
}

/** How the patient's dates are moved: PS3.15 E.3.6. */
export interface DateShiftSettings {
  /** The most whole days a date moves. */
  readonly days: number;
  readonly direction: "past" | "both";
  /** Only multiples of 7. */
  readonly keepWeekday: boolean;
  readonly per: "patient" | "project";
}

export interface PseudonymSettings {
  readonly mode: "hmac" | "pixl";
  /** Put before keyed pseudonyms; undefined: the project's own, or none. */
  readonly prefix: string | undefined;
  readonly lookup: "none" | "optional" | "required";
  /** `include`: the Issuer of Patient ID (0010,0021) is part of what is hashed. */
  readonly issuer: "ignore" | "include";
  readonly accession: "empty" | "pseudonym";
  readonly studyId: "empty" | "pseudonym";
  readonly device: "remove" | "pseudonym";
  readonly birthDate: "empty" | "year" | "shifted";
  readonly deriveAge: boolean;
  readonly dateShift: DateShiftSettings;
}

/** A decision of the project that departs from the confidentiality profile, for the report. */
export interface ReviewedRule {
  /** "(0018,1030)", or `(0019,"CREATOR",0C)`. */
  readonly tag: string;
  readonly review: string;
}

/** The effective rules of a project, ready to run. */
export interface Profile {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the canonical JSON of the effective rule set, lower-case hexadecimal. */
  readonly hash: string;
  readonly onReject: OnReject;
  /** The options of PS3.15 Annex E this profile applies, in the order of CID 7050. */
  readonly options: readonly OptionName[];
  /** Of an object that no override matches. */
  readonly rules: CompiledRules;
  /** Of an object of this device: the overrides that match it, the later over the earlier. */
  rulesFor(facts: DeviceFacts): CompiledRules;
  /** Whether nothing but a mask that fits lets an object of this device out. */
  needsMask(facts: DeviceFacts): boolean;
  /** They hold besides the project's own. */
  readonly filters: InstanceFilters;
  readonly pseudonyms: PseudonymSettings;
  readonly pixels: PixelSettings;
  readonly sr: "exclude" | "skeleton" | "keep";
  readonly documents: "reject" | "replace";
  readonly reviews: readonly ReviewedRule[];
}

export const USUAL_PSEUDONYMS: PseudonymSettings = {
  mode: "hmac",
  prefix: undefined,
  lookup: "none",
  issuer: "ignore",
  accession: "empty",
  studyId: "empty",
  device: "remove",
  birthDate: "empty",
  deriveAge: false,
  dateShift: { days: 3650, direction: "past", keepWeekday: false, per: "patient" },
};
