import type { ErrorEntry } from "../error-class.ts";

/** Codes of the client of ScanHub's exam-manager, sorted. */
export const scanhubCodes = {
  SCANHUB_ANSWER_INVALID: {
    class: "permanent",
    summary: "The exam-manager answered with something that is no such document.",
    remedy:
      "Check that the URL is the exam-manager's API, ending in /api/v1/exam, and which version of ScanHub runs there.",
  },
  SCANHUB_ID_INVALID: {
    class: "permanent",
    summary: "An id is not of the form that ScanHub gives out; nothing was asked.",
    remedy: "Tasks and results have UUIDs, sequences have 24 hexadecimal digits. Copy the id whole.",
  },
  SCANHUB_REFUSED: {
    class: "permanent",
    summary: "The exam-manager refused the request.",
    remedy:
      "Look at the status that it answered: 401 means that the user's token has ended, 404 that it does not know the id.",
  },
  SCANHUB_RESULT_UNCERTAIN: {
    class: "ambiguous",
    summary:
      "The answer to the creation of a blank result was lost, and the task's results do not tell whether it was made.",
    remedy: "List the task's results, delete those that are blank and nobody's, and try again.",
  },
  SCANHUB_TASK_TYPE_WRONG: {
    class: "permanent",
    summary: "The task is not an acquisition task.",
    remedy: "Only tasks of the type ACQUISITION run on a scanner. Give the id of one.",
  },
  SCANHUB_UNREACHABLE: {
    class: "transient",
    summary: "The exam-manager did not answer in time, or is not there.",
    remedy: "Check that the exam-manager runs and can be reached from here; the request can be repeated.",
  },
} as const satisfies Record<string, ErrorEntry>;
