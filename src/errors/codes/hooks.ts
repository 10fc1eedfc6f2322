import type { ErrorEntry } from "../error-class.ts";

/** Codes of processing hooks, sorted. */
export const hookCodes = {
  HOOK_CHANGED_INPUT: {
    class: "permanent",
    summary: "The processing hook changed its input: nothing of the study is delivered.",
    remedy: "Have the program write to its output folder alone; then retry the study.",
  },
  HOOK_FAILED: {
    class: "permanent",
    summary: "The processing hook ended with an exit code that means failure, or did not start.",
    remedy:
      "The exit code is in `radferry study show ID`; what the program printed is in hooks/ID below home. Then retry the study.",
  },
  HOOK_FILES_NOT_TAKEN: {
    class: "permanent",
    summary: "A destination that is to get the files of a processing hook takes DICOM alone.",
    remedy: "Name the destinations that take files in the hook's filesTo, or set its outputs to instances.",
  },
  HOOK_NOT_ISOLATED: {
    class: "transient",
    summary: "This machine cannot keep a processing hook from the network, and the settings ask for it: it is not run.",
    remedy:
      "Install util-linux (unshare, setpriv) and allow namespaces to the service, or set the hook's network to allowed if the program is trusted with it.",
  },
  HOOK_OUTPUT_LIMIT: {
    class: "permanent",
    summary: "The processing hook wrote more bytes or files than its settings allow, and was ended.",
    remedy: "Look at what it wrote, or raise maximumOutputMegabytes or maximumOutputFiles; then retry the study.",
  },
  HOOK_OUTPUT_REFUSED: {
    class: "permanent",
    summary: "What the processing hook made may not be delivered: the reason is in the study's events.",
    remedy: "See docs/processing-hook.md for the reason; correct the program, then retry the study.",
  },
  HOOK_PROGRAM_UNUSABLE: {
    class: "permanent",
    summary: "The program of the processing hook is not there, or may not be run.",
    remedy: "Check the path in the hook's command, and that the service's user may run it.",
  },
  HOOK_REJECTED_STUDY: {
    class: "permanent",
    summary: "The processing hook found the study unfit and said so with its exit code.",
    remedy: "Look at what it printed in hooks/ID below home; retry the study, or cancel it.",
  },
  HOOK_TIMED_OUT: {
    class: "permanent",
    summary: "The processing hook did not end in time, and was ended with all that it had started.",
    remedy: "Raise its timeoutSeconds if studies of this size take so long; then retry the study.",
  },
  HOOK_TRY_LATER: {
    class: "transient",
    summary: "The processing hook asked to be run again later.",
    remedy: "None at first: it is run again. If it persists, look at what the program waits for.",
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
