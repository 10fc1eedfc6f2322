import type { ErrorEntry } from "../error-class.ts";

/** Codes of RAD-69, sorted. */
export const iheCodes = {
  RAD69_ANSWER_INVALID: {
    class: "permanent",
    summary: "The imaging document source answered with something that is no answer to this request.",
    remedy: "Check the URL; else report it to the source's vendor with the log of the same minute.",
  },
  RAD69_COMMUNITY_UNAVAILABLE: {
    class: "transient",
    summary: "A gateway cannot reach the community that holds the documents.",
    remedy: "None at first: it is retried. If it persists, ask the gateway's administrator.",
  },
  RAD69_COMMUNITY_UNKNOWN: {
    class: "permanent",
    summary: "The home community is missing in the request, or not known there.",
    remedy: "Configure the home community id that the gateway's administrator gives you.",
  },
  RAD69_DOCUMENT_MISSING: {
    class: "permanent",
    summary: "The imaging document source does not hold an instance, or may not give it away.",
    remedy: "Ask the source's administrator whether the instance was deleted, moved or is kept back.",
  },
  RAD69_DOCUMENT_NOT_SENT: {
    class: "transient",
    summary: "The imaging document source left an instance out without saying why.",
    remedy: "None at first: it is asked for again. If it persists, look into the source's log.",
  },
  RAD69_DOCUMENT_OFFLINE: {
    class: "transient",
    summary: "An instance is not available immediately: it is being brought back from slower storage.",
    remedy: "None at first: it is asked for again. If it persists, ask the source's administrator to restore it.",
  },
  RAD69_FAULT_RECEIVER: {
    class: "transient",
    summary: "The imaging document source reports a SOAP fault of its own.",
    remedy: "None at first: it is retried. If it persists, look into the source's log of the same minute.",
  },
  RAD69_FAULT_SENDER: {
    class: "permanent",
    summary: "The imaging document source reports a SOAP fault: it does not take our request.",
    remedy: "Try the other request encoding, mtom or plain; else ask the source's vendor what it expects.",
  },
  RAD69_INCOMPLETE: {
    class: "permanent",
    summary: "Not all instances that were asked for came.",
    remedy: "See the code of each missing instance; ask for them again when the cause is gone.",
  },
  RAD69_LIMIT_EXCEEDED: {
    class: "permanent",
    summary: "The answer of the imaging document source is larger or deeper than a reader will take.",
    remedy: "Ask for fewer instances at once; a sound answer of that size needs higher limits.",
  },
  RAD69_NOT_INSTANCES: {
    class: "permanent",
    summary: "RAD-69 retrieves instances: a study or series alone does not say which.",
    remedy: "Name study, series and SOP instance UIDs, or have an archive that can search list them.",
  },
  RAD69_REPOSITORY_BUSY: {
    class: "transient",
    summary: "The imaging document source is busy or out of resources.",
    remedy: "None at first: it is retried later. If it persists, lower the number of parallel requests.",
  },
  RAD69_REPOSITORY_FAILED: {
    class: "permanent",
    summary: "The imaging document source failed on an instance.",
    remedy: "Look into the source's log of the same minute.",
  },
  RAD69_REPOSITORY_UNKNOWN: {
    class: "permanent",
    summary: "The imaging document source does not know the repository we named.",
    remedy: "Configure the repository unique id that the source's administrator gives you.",
  },
  RAD69_REQUEST_REFUSED: {
    class: "permanent",
    summary: "The imaging document source found the request wrong.",
    remedy: "Check study, series and instance UIDs of the request against each other.",
  },
  RAD69_SERVER_ERROR: {
    class: "permanent",
    summary: "The imaging document source reports an error.",
    remedy: "Look its code up in the source's conformance statement.",
  },
  RAD69_TRANSFER_SYNTAX_REFUSED: {
    class: "permanent",
    summary: "The imaging document source cannot give an instance in any transfer syntax of the request.",
    remedy: "Allow more transfer syntaxes: the one the instance is stored in is always possible.",
  },
} as const satisfies Record<string, ErrorEntry>;
