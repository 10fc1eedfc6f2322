import type { ErrorEntry } from "../error-class.ts";

/** Codes of the durable store, sorted. */
export const storeCodes = {
  COHORT_NOT_FOUND: {
    class: "permanent",
    summary: "There is no cohort of this id.",
    remedy: "Check the id against radferry cohort list.",
  },
  JOB_NOT_FOUND: {
    class: "permanent",
    summary: "There is no study job of this id.",
    remedy:
      "Check the id against radferry study list. A job whose study turned out to be another job's was joined to that one.",
  },
  STORE_DAMAGED: {
    class: "permanent",
    summary: "The store's database file is damaged.",
    remedy: "Stop the gateway, keep a copy of the file, check the disk, and restore the database from its backup.",
  },
  STORE_FULL: {
    class: "transient",
    summary: "The store cannot write: the disk that holds it is full.",
    remedy: "Free space on the disk of the gateway's home; work goes on by itself.",
  },
  STORE_NOT_OURS: {
    class: "permanent",
    summary: "The file that should be the store is not a database of Radferry.",
    remedy: "Check home in the settings; move the file away if it does not belong there.",
  },
  STORE_SCHEMA_NEWER: {
    class: "permanent",
    summary: "The store was written by a newer version of Radferry.",
    remedy: "Use that version or a later one, or restore the database from before the update.",
  },
  STORE_UNAVAILABLE: {
    class: "transient",
    summary: "The store cannot be read or written at the moment.",
    remedy:
      "Check that the gateway's home exists, belongs to the gateway's user and is on a disk that works; it is retried.",
  },
} as const satisfies Record<string, ErrorEntry>;
