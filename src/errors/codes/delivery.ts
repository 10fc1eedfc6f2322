import type { ErrorEntry } from "../error-class.ts";

/** Codes of delivery, sorted. */
export const deliveryCodes = {
  DELIVERY_CONFLICT: {
    class: "permanent",
    summary: "Under the name of an instance lies a file that the gateway did not deliver; it is left as it is.",
    remedy: "Move the file that the details name out of the way, or deliver to another folder; then retry.",
  },
  DELIVERY_FILE_CHANGED: {
    class: "transient",
    summary: "A de-identified file that is to be sent changed or vanished while it was read.",
    remedy: "None at first: the study is de-identified and sent again. If it persists, check the disk below home.",
  },
  DELIVERY_INTERRUPTED: {
    class: "ambiguous",
    summary: "The connection to the destination broke while studies were sent.",
    remedy: "None at first: the destination is asked what it holds before anything is sent again.",
  },
  DELIVERY_REFUSED: {
    class: "permanent",
    summary: "The destination refused an instance for good.",
    remedy: "Ask the destination's administrator why; then retry the study.",
  },
  DELIVERY_REFUSED_FOR_NOW: {
    class: "transient",
    summary: "The destination is out of resources.",
    remedy: "None at first: it is retried. If it persists, look at the destination's disk.",
  },
  DELIVERY_UNCONFIRMED: {
    class: "ambiguous",
    summary: "The destination took the study but does not list all of it.",
    remedy:
      "None at first: the destination is read again before anything is sent twice. If it persists, look at the destination's own log.",
  },
  DESTINATION_FOLDER_MISSING: {
    class: "transient",
    summary: "The destination's folder is not there.",
    remedy:
      "Mount the disk or the network share that it is on, or correct its path. A folder that is to be new is made at the service's start where the one above it is there.",
  },
  DESTINATION_FULL: {
    class: "transient",
    summary: "The destination has no room left.",
    remedy: "Free space at the destination; delivery goes on by itself.",
  },
  DESTINATION_NOT_CHECKABLE: {
    class: "permanent",
    summary: "The settings have no such destination any more: what it holds cannot be asked.",
    remedy: "Put the destination back into the settings and check again.",
  },
  DESTINATION_NOT_WRITABLE: {
    class: "permanent",
    summary: "The destination's folder cannot be written.",
    remedy: "Give the gateway's user write access to it, then retry.",
  },
  DESTINATION_UNAVAILABLE: {
    class: "transient",
    summary: "The destination's folder cannot be read or written at the moment.",
    remedy: "Check that its disk or network share is mounted and works; it is retried.",
  },
  REMOVAL_NOT_OFFERED: {
    class: "permanent",
    summary: "The destination's protocol has no way to remove what was delivered.",
    remedy:
      "Have it removed by a person at the destination; then run patient withdraw again, which looks whether it is gone.",
  },
  REMOVAL_OTHERS_LEFT: {
    class: "permanent",
    summary: "Beside the copy that was removed lies what the gateway did not deliver; it is left as it is.",
    remedy:
      "Look at the place of the study at the destination and remove by hand what tells of the patient; then run patient withdraw again.",
  },
  REMOVAL_STUDY_SHARED: {
    class: "permanent",
    summary: "Another patient's study became the same study as the one that is to be removed; it is left as it is.",
    remedy: "Decide at the destination which images are whose, and remove those of the withdrawn patient by hand.",
  },
  REMOVAL_UNCONFIRMED: {
    class: "ambiguous",
    summary: "The destination says that it removed the copy, and still has it.",
    remedy:
      "Run patient withdraw again. If it persists, look at the destination's own log and remove the copy by hand.",
  },
} as const satisfies Record<string, ErrorEntry>;
