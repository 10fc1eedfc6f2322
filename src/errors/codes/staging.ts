import type { ErrorEntry } from "../error-class.ts";

/** Codes of staging, sorted. */
export const stagingCodes = {
  INSTANCE_MISMATCH: {
    class: "permanent",
    summary: "An instance is not the one it was announced as, or its UIDs are none.",
    remedy: "Ask the archive's administrator to check the study; the object's own UIDs must be those of the request.",
  },
  INSTANCE_UNREADABLE: {
    class: "permanent",
    summary: "An instance arrived that is not readable DICOM.",
    remedy: "Ask the archive's administrator to check the study; what it sent cannot be read.",
  },
  INSTANCE_UNSOLICITED: {
    class: "permanent",
    summary: "An instance arrived that nobody had asked for; it was refused.",
    remedy: "Check what sends to our DICOM port.",
  },
  OUTBOX_FULL: {
    class: "transient",
    summary: "The disk of the outbox, where de-identified copies await delivery, is full.",
    remedy: "Free space on the disk that has outbox in the gateway's home; work goes on by itself.",
  },
  OUTBOX_UNAVAILABLE: {
    class: "transient",
    summary:
      "De-identified copies cannot be made: their originals cannot be read, or the outbox cannot be written at the moment.",
    remedy:
      "Check that staging and outbox in the gateway's home belong to the gateway's user and are on a disk that works; it is tried again.",
  },
  SHARED_COPY_DAMAGED: {
    class: "permanent",
    summary: "A de-identified copy in the shared store is not what was put there.",
    remedy:
      "Nothing of it is delivered and the study is fetched again; find out who else writes to the bucket of staging.shared.",
  },
  SHARED_STAGING_UNAVAILABLE: {
    class: "transient",
    summary: "The object store that gateways share for copies awaiting delivery cannot be used at the moment.",
    remedy:
      "Check staging.shared with doctor; the code of the cause is in the details. Studies wait for it a while, then are fetched again.",
  },
  STAGING_FULL: {
    class: "transient",
    summary: "The staging disk is full or below its reserve; retrieval pauses.",
    remedy: "Free space, or lower staging.reserveGigabytes; retrieval goes on by itself.",
  },
  STAGING_UNAVAILABLE: {
    class: "transient",
    summary: "The staging folder cannot be read or written at the moment.",
    remedy: "Check that staging.path exists, belongs to the gateway's user and is on a disk that works; it is retried.",
  },
} as const satisfies Record<string, ErrorEntry>;
