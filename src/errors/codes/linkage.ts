import type { ErrorEntry } from "../error-class.ts";

/** Codes of linkage, sorted. */
export const linkageCodes = {
  LINKAGE_DESTROYED: {
    class: "permanent",
    summary: "The project's linkage was destroyed: nobody can tell any more from it who was who.",
    remedy: "None: it cannot be taken back. When it was done, and what was destroyed, stands in the audit trail.",
  },
  LINKAGE_KEY_SHARED: {
    class: "permanent",
    summary: "The key of the project's linkage is the one that its pseudonyms are made with.",
    remedy: "Make another one, `radferry project new-key FILE`, and name it in linkageKeyFile.",
  },
  LINKAGE_NOT_KEPT: {
    class: "permanent",
    summary: "No linkage is kept of the project.",
    remedy: "Name a key file of its own in the project's linkageKeyFile; studies are linked from then on.",
  },
  LINKAGE_UNREADABLE: {
    class: "permanent",
    summary: "The project's linkage cannot be opened with the key file of its settings, or a link of it was changed.",
    remedy: "Put the key file back that linkageKeyFile named when the linkage was begun, or the store's backup.",
  },
} as const satisfies Record<string, ErrorEntry>;
