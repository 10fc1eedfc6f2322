import { z } from "zod";
import { PIXEL_GROUPS } from "../pixels/sop-classes.ts";
import { OPTIONS, type OptionName } from "./options.ts";

/** Options a profile may name: the basic profile is always there. */
export const OPTION_NAMES = Object.keys(OPTIONS).filter(
  (name): name is Exclude<OptionName, "basic"> => name !== "basic",
);

const LONGEST_TEXT = 1024;
const MOST_RULES = 10_000;
const MOST_ENTRIES = 1_000;

const text = z.string().trim().min(1, "must not be empty").max(LONGEST_TEXT);
const pattern = text.meta({ description: "A regular expression between slashes, /…/ or /…/i, or a text." });
const modality = z.string().regex(/^[A-Z0-9_ ]{1,16}$/, "must be a Modality, in capitals");

const ACTIONS = [
  "keep",
  "remove",
  "empty",
  "replace",
  "clean",
  "uid",
  "pseudonym",
  "shift",
  "round",
  "mask",
  "by-type",
] as const;

export const ruleDocument = z
  .strictObject({
    tag: text.meta({ description: 'A keyword, (gggg,eeee), or (gggg,"CREATOR",ee) for a private element.' }),
    action: z.enum(ACTIONS).meta({ description: "What becomes of the attribute, at every depth." }),
    path: text.optional().meta({
      description:
        "Only there: sequences from the top and their items, 0040A730/*/0040A160; **/ in front: at any depth.",
    }),
    form: pattern.optional().meta({ description: "keep: the regular expression every whole value must match." }),
    terms: z.array(text).min(1).max(MOST_ENTRIES).optional().meta({ description: "keep: the only values that stay." }),
    with: z
      .union([text, z.number()])
      .optional()
      .meta({ description: "replace: what is written; without it the dummy value of the VR." }),
    to: z.number().positive().optional().meta({ description: "round: numbers become multiples of this." }),
    code: z
      .enum(["Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"])
      .optional()
      .meta({ description: "by-type: the combined code of PS3.15 E.1.1 that the attribute's Type decides." }),
    vr: z
      .string()
      .regex(/^[A-Z]{2}$/, "must be a VR")
      .optional()
      .meta({ description: "The VR of a private element." }),
    may_repeat: z
      .boolean()
      .optional()
      .meta({ description: "keep: a value that equals an identifier of the patient is none; needs a review." }),
    bulk: z.boolean().optional().meta({ description: "keep: binary values of OB, OW and UN as they are." }),
    review: text.optional().meta({ description: "Who allowed what the confidentiality profile removes, and when." }),
  })
  .meta({ description: "What becomes of one attribute." });

const rules = z.array(ruleDocument).max(MOST_RULES);

const dateShift = z.strictObject({
  days: z.int().min(30).max(36_500).default(3650).meta({ description: "The most days that dates move." }),
  direction: z.enum(["past", "both"]).default("past").meta({ description: "Where dates move to." }),
  keep_weekday: z.boolean().default(false).meta({ description: "Whole weeks only." }),
  per: z.enum(["patient", "project"]).default("patient").meta({ description: "Who shares one shift." }),
});

const pseudonyms = z.strictObject({
  mode: z.enum(["hmac", "pixl"]).default("hmac").meta({ description: "How pseudonyms are made." }),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$/, "must be 1 to 16 letters, digits, hyphens and underscores")
    .optional()
    .meta({ description: "Put before keyed pseudonyms." }),
  lookup: z.enum(["none", "optional", "required"]).default("none").meta({ description: "Use of a lookup table." }),
  issuer: z
    .enum(["ignore", "include"])
    .default("ignore")
    .meta({ description: "The Issuer of Patient ID in what is hashed." }),
  accession: z.enum(["empty", "pseudonym"]).default("empty").meta({ description: "Accession Number." }),
  study_id: z.enum(["empty", "pseudonym"]).default("empty").meta({ description: "Study ID." }),
  device: z.enum(["remove", "pseudonym"]).default("remove").meta({ description: "Serial numbers and stations." }),
  birth_date: z.enum(["empty", "year", "shifted"]).default("empty").meta({ description: "Patient's Birth Date." }),
  derive_age: z.boolean().default(false).meta({ description: "Adds Patient's Age where both dates are there." }),
  date_shift: dateShift.prefault({}).meta({ description: "How dates move with modified dates." }),
});

const filters = z.strictObject({
  modality: z
    .strictObject({
      allow: z.array(modality).min(1).max(MOST_ENTRIES).optional().meta({ description: "Modalities that may pass." }),
      deny: z.array(modality).max(MOST_ENTRIES).optional().meta({ description: "Modalities that may not." }),
    })
    .optional()
    .meta({ description: "By Modality (0008,0060)." }),
  manufacturer: z
    .strictObject({
      allow: z.array(pattern).min(1).max(MOST_ENTRIES).meta({ description: "Manufacturers that may pass." }),
      on_missing: z.enum(["exclude", "include"]).default("exclude").meta({ description: "Objects without one." }),
    })
    .optional()
    .meta({ description: "By Manufacturer (0008,0070)." }),
  series_description: z
    .strictObject({
      deny: z.array(pattern).max(MOST_ENTRIES).meta({ description: "A description that holds one is left out." }),
    })
    .optional()
    .meta({ description: "By Series Description (0008,103E), in any letter case." }),
  series_number: z
    .strictObject({
      deny: z.array(z.int()).max(MOST_ENTRIES).default([]).meta({ description: "Series that are left out." }),
      by_manufacturer: z
        .array(z.strictObject({ manufacturer: pattern, deny: z.array(z.int()).max(MOST_ENTRIES).default([]) }))
        .max(MOST_ENTRIES)
        .default([])
        .meta({ description: "Further series of some manufacturers: of the first that matches." }),
      on_missing: z.enum(["exclude", "include"]).default("include").meta({ description: "Objects without one." }),
    })
    .optional()
    .meta({ description: "By Series Number (0020,0011)." }),
  min_instances_per_series: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .meta({ description: "Smaller series are left out." }),
});

const override = z.strictObject({
  when: z
    .strictObject({
      manufacturer: pattern.optional().meta({ description: "Manufacturer (0008,0070)." }),
      model: pattern.optional().meta({ description: "Manufacturer's Model Name (0008,1090)." }),
      software: pattern.optional().meta({ description: "Software Versions (0018,1020)." }),
    })
    .refine((when) => Object.values(when).some((value) => value !== undefined), "must name a device")
    .meta({ description: "All of these must match the original." }),
  rules: rules.min(1).meta({ description: "Rules over those of the profile, for these devices." }),
});

const pixels = z.strictObject({
  default: z
    .enum(["by-class", "reject"])
    .default("by-class")
    .meta({ description: "Objects that no mask and no entry of `allow` speaks of." }),
  allow: z
    .array(z.string().refine((name) => PIXEL_GROUPS.has(name), `must be one of ${[...PIXEL_GROUPS].join(", ")}`))
    .max(MOST_ENTRIES)
    .default([])
    .meta({ description: "Groups of SOP classes whose pixels pass." }),
  masks: z
    .array(text)
    .max(MOST_ENTRIES)
    .default([])
    .meta({ description: "Mask files, by their path from the profile." }),
  allow_absent: z
    .strictObject({ signed_off: text.meta({ description: "Who answers for it, and when." }) })
    .optional()
    .meta({ description: "Lets radiographs pass that do not say whether they are burned in." }),
  clear_high_bits: z
    .enum(["embedded-overlays", "always", "never"])
    .default("embedded-overlays")
    .meta({ description: "Clears bits outside Bits Stored." }),
  jpeg_metadata: z
    .enum(["strip", "reject"])
    .default("strip")
    .meta({ description: "Metadata within compressed frames." }),
});

/** A profile as it is written: YAML 1.2, or the same as JSON. */
export const profileDocument = z.strictObject({
  profile: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, "must be 1 to 40 small letters, digits and hyphens")
    .meta({ description: "Its name, written into every object." }),
  version: z.int().min(1).max(1_000_000).meta({ description: "Raised with every change." }),
  base: z
    .literal("basic-2026c")
    .meta({ description: "The table it builds on: PS3.15 2026c Table E.1-1, basic profile." }),
  unlisted: z
    .enum(["safe-list", "remove"])
    .default("safe-list")
    .meta({ description: "Attributes that no rule names: as the safe list says, or removed." }),
  options: z
    .array(z.enum(OPTION_NAMES))
    .max(OPTION_NAMES.length)
    .default([])
    .meta({ description: "Options of PS3.15 Annex E, by their names." }),
  pseudonyms: pseudonyms.prefault({}).meta({ description: "Replacements of identities." }),
  vocabulary: z
    .array(z.string().regex(/^[\p{L}\p{N}]{2,40}$/u, "must be one word of 2 to 40 letters and digits"))
    .max(MOST_ENTRIES)
    .default([])
    .meta({
      description: "Words that may stay in descriptions, besides the program's own: no names of people or places.",
    }),
  filters: filters.prefault({}).meta({ description: "Objects that are left out, on purpose." }),
  rules: rules.default([]).meta({ description: "Rules over the table and its options; the later wins." }),
  overrides: z.array(override).max(MOST_ENTRIES).default([]).meta({ description: "Rules for devices, in this order." }),
  pixels: pixels.prefault({}).meta({ description: "Whose pixels may leave." }),
  sr: z.enum(["exclude", "skeleton", "keep"]).default("exclude").meta({ description: "Structured reports." }),
  documents: z.enum(["reject", "replace"]).default("reject").meta({ description: "Encapsulated documents." }),
  on_reject: z.enum(["study", "instance"]).default("study").meta({ description: "What one rejected object stops." }),
});

export type ProfileDocument = z.output<typeof profileDocument>;
/** As somebody writes it, without the defaults. */
export type WrittenProfile = z.input<typeof profileDocument>;
export type RuleDocument = z.output<typeof ruleDocument>;

/** JSON Schema (draft 2020-12) of the profile's file, for editors. */
export function profileSchema(): Record<string, unknown> {
  return { title: "Radferry de-identification profile", ...z.toJSONSchema(profileDocument, { io: "input" }) };
}
