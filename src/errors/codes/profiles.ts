import type { ErrorEntry } from "../error-class.ts";

/** Codes of de-identification profiles, sorted. */
export const profilesCodes = {
  PIXL_OPERATIONS_INVALID: {
    class: "permanent",
    summary: "PIXL's tag operations cannot become a profile.",
    remedy: "Correct the operations that are named; nothing was written.",
  },
  PIXL_OPERATION_INVALID: {
    class: "permanent",
    summary: "This tag operation cannot be carried out.",
    remedy: "Use keep, delete, empty, replace, replace_UID or secure-hash, as the attribute's VR allows.",
  },
  PROFILE_FILE_MALFORMED: {
    class: "permanent",
    summary: "The profile is not valid YAML.",
    remedy: "Correct the line that is named.",
  },
  PROFILE_FILE_UNREADABLE: {
    class: "permanent",
    summary: "The profile's file cannot be read.",
    remedy: "Check its path and owner; it may hold up to 1 MB.",
  },
  PROFILE_INVALID: {
    class: "permanent",
    summary: "The de-identification profile cannot be used.",
    remedy: "Correct every problem that is listed; `radferry deid lint PROFILE` lists them again.",
  },
  PROFILE_KEY_UNKNOWN: {
    class: "permanent",
    summary: "Profiles have no such key.",
    remedy: "Look for a typing error.",
  },
  PROFILE_NOT_SUPPORTED: {
    class: "permanent",
    summary: "This version does not do what the profile asks for here.",
    remedy: "Leave it out of the profile: what is not asked for is removed.",
  },
  PROFILE_OPTIONS_EXCLUSIVE: {
    class: "permanent",
    summary: "Two options of the profile contradict each other.",
    remedy: "Choose one of them.",
  },
  PROFILE_PATTERN_UNSAFE: {
    class: "permanent",
    summary: "The regular expression is not of the kind that is matched in linear time.",
    remedy: "Do without back references, look-around and repetition within unlimited repetition.",
  },
  PROFILE_REVIEW_MISSING: {
    class: "permanent",
    summary: "This would keep what the confidentiality profile removes, or text of any form.",
    remedy: "Give the form its values must have, or say in `review` who allowed it and when.",
  },
  PROFILE_RULE_INVALID: {
    class: "permanent",
    summary: "The rule cannot be applied to this attribute.",
    remedy: "Choose an action that the attribute's VR allows.",
  },
  PROFILE_TAG_UNKNOWN: {
    class: "permanent",
    summary: "This is no attribute of the standard.",
    remedy: 'Write a keyword, (gggg,eeee), or (gggg,"CREATOR",ee) for a private element.',
  },
  PROFILE_VALUE_INVALID: {
    class: "permanent",
    summary: "The value is not one that the profile may have here.",
    remedy: "Correct it as the message says.",
  },
} as const satisfies Record<string, ErrorEntry>;
