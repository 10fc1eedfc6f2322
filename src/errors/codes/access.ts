import type { ErrorEntry } from "../error-class.ts";

/** Codes of roles, releases and the audit trail, sorted. */
export const accessCodes = {
  AUDIT_TRAIL_BROKEN: {
    class: "permanent",
    summary: "The audit trail is not as it was written.",
    remedy:
      "Keep a copy of the home as it is, and find out who could write to it. Each finding names the record, and what became of it.",
  },
  IDENTIFIED_VALUES_NEED_SITE: {
    class: "permanent",
    summary:
      "Values of originals are shown only where a site's configuration says who may see them and keeps the audit trail.",
    remedy:
      "Run it with the site's configuration (-c FILE) and --project, as a user whose role is admin; without --values no value is shown.",
  },
  RELEASE_INVALID: {
    class: "permanent",
    summary: "The study cannot be released in this way.",
    remedy:
      "The problem says what is wrong with it. `radferry study show ID` lists the instances with their numbers and reasons.",
  },
  ROLE_INSUFFICIENT: {
    class: "permanent",
    summary: "Your role does not allow this.",
    remedy:
      "Ask somebody whose role does. The role of who uses the command line on this home is `access.commandLineRole` in the settings.",
  },
  STUDY_NOT_QUARANTINED: {
    class: "permanent",
    summary: "The study is not quarantined: there is nothing to release.",
    remedy:
      "Look at its state with `radferry study show ID`; what failed or was held is queued again by `radferry study retry ID`.",
  },
} as const satisfies Record<string, ErrorEntry>;
