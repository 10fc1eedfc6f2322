import type { ErrorEntry } from "./error-class.ts";

/** Every code the gateway can report. `docs/errors.md` is generated from this table. Sorted by code within a subject. */
export const errorRegistry = {
  // associations and DIMSE
  ASSOCIATION_ABORTED: {
    class: "transient",
    summary: "The peer ended the association before it was released.",
    remedy: "None at first: it is retried. If it persists, lower the archive's concurrency.",
  },
  ASSOCIATION_REJECTED: {
    class: "permanent",
    summary: "The peer refused the association for good.",
    remedy: "Ask the peer's administrator to register our AE title, address and port.",
  },
  ASSOCIATION_REJECTED_TRANSIENT: {
    class: "transient",
    summary: "The peer refused the association for now: it is busy or at its limit.",
    remedy: "None at first: it is retried. If it persists, lower the archive's concurrency.",
  },
  CANCELLED: {
    class: "permanent",
    summary: "The work was cancelled.",
    remedy: "Retry it if it is wanted after all.",
  },
  CONNECTION_FAILED: {
    class: "transient",
    summary: "No connection to the peer could be made.",
    remedy: "Check that the peer runs and that address, port and firewall are right; it is retried.",
  },
  INTERNAL: {
    class: "permanent",
    summary: "The gateway met a case it was not written for.",
    remedy: "Report it with the log of the same minute.",
  },
  TIMED_OUT: {
    class: "transient",
    summary: "The peer did not answer in time.",
    remedy: "None at first: it is retried. If it persists, ask the peer's administrator.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;
