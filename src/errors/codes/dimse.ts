import type { ErrorEntry } from "../error-class.ts";

/** Codes of associations and DIMSE, sorted. */
export const dimseCodes = {
  ACCEPTANCE_RULE_INVALID: {
    class: "permanent",
    summary: "A rule about who may associate with us names no valid address, network or AE title.",
    remedy:
      "Write addresses as 10.1.2.3 or 10.0.0.0/8 and AE titles with 1 to 16 characters; the details say which rule.",
  },
  ASSOCIATION_ABORTED: {
    class: "transient",
    summary: "The peer ended the association before it was released.",
    remedy:
      "None at first: studies are tried again by themselves. If it persists, ask the peer's administrator to register our AE title and to allow it what was asked: some, Orthanc among them, end the association of one that they do not know. Else lower the archive's concurrency, and check whether the port expects TLS.",
  },
  ASSOCIATION_REJECTED: {
    class: "permanent",
    summary: "The peer refused the association for good.",
    remedy: "Ask the peer's administrator for the reason in its log, and to register our AE title, address and port.",
  },
  ASSOCIATION_REJECTED_TRANSIENT: {
    class: "transient",
    summary: "The peer refused the association for now: it is busy or at its limit.",
    remedy: "None at first: studies are tried again by themselves. If it persists, lower the archive's concurrency.",
  },
  CALLED_AE_TITLE_UNKNOWN: {
    class: "permanent",
    summary: "The peer does not go by the AE title that we called it by.",
    remedy:
      "Correct the AE title before the @ of the peer's address; its administrator knows it. Small and capital letters differ.",
  },
  CALLING_AE_TITLE_UNKNOWN: {
    class: "permanent",
    summary: "The peer does not know our AE title.",
    remedy:
      "Ask the peer's administrator to register our AE title, address and port: for an archive `radferry doctor` prints the line. Or correct `dicom.aeTitle`.",
  },
  CANCELLED: {
    class: "permanent",
    summary: "The work was cancelled.",
    remedy: "Retry it if it is wanted after all.",
  },
  CONNECTION_FAILED: {
    class: "transient",
    summary: "No connection to the peer could be made.",
    remedy:
      "Check that the peer runs and that address, port and firewall are right; studies are tried again by themselves.",
  },
  COMMITMENT_UNANSWERED: {
    class: "ambiguous",
    summary: "The archive did not say in time whether it commits to keeping the instances.",
    remedy:
      "Check that the archive knows our AE title, address and port: it reports over an association of its own; then ask again.",
  },
  DIMSE_FAILED: {
    class: "permanent",
    summary: "The peer answered a DIMSE request with a failure status.",
    remedy: "Look the status up in the peer's conformance statement and in its log of the same minute.",
  },
  DIMSE_INSTANCE_DUPLICATE: {
    class: "ambiguous",
    summary: "The peer says that it holds an instance with this UID already.",
    remedy: "None at first: what it holds is compared before anything is sent again.",
  },
  DIMSE_PROTOCOL_VIOLATION: {
    class: "permanent",
    summary: "The peer sent something the DICOM protocol does not allow here.",
    remedy: "Check that the port is a DICOM port; else report it to the peer's vendor with the log of the same minute.",
  },
  DIMSE_REFUSED_OUT_OF_RESOURCES: {
    class: "transient",
    summary: "The peer refused a DIMSE request for lack of resources.",
    remedy:
      "None at first: studies are tried again by themselves. If it persists, check the peer's disk and lower the concurrency.",
  },
  FIND_LIMIT_REACHED: {
    class: "permanent",
    summary: "A search has more answers than were allowed, or than the peer gives at once.",
    remedy: "Narrow the search, allow more answers, or raise the peer's own limit.",
  },
  INTERNAL: {
    class: "permanent",
    summary: "The gateway met a case it was not written for.",
    remedy: "Report it with the log of the same minute.",
  },
  NO_PRESENTATION_CONTEXT: {
    class: "permanent",
    summary: "The peer accepted no presentation context for this SOP class and transfer syntax.",
    remedy: "Enable the SOP class and transfer syntax at the peer, or send the object in another transfer syntax.",
  },
  TIMED_OUT: {
    class: "transient",
    summary: "The peer did not answer in time.",
    remedy: "None at first: studies are tried again by themselves. If it persists, ask the peer's administrator.",
  },
  USER_NOT_CONFIRMED: {
    class: "permanent",
    summary: "The peer accepted the association without confirming the user, as it was asked to.",
    remedy: "Enable user identity negotiation at the peer, or configure ours without a positive response.",
  },
} as const satisfies Record<string, ErrorEntry>;
