import type { ErrorEntry } from "../error-class.ts";

/** Codes of the command line, sorted. */
export const commandLineCodes = {
  FILE_NOT_WRITABLE: {
    class: "permanent",
    summary: "The file cannot be written.",
    remedy: "Name a file in a folder that exists, that you may write to, and that has room.",
  },
  FILE_UNREADABLE: {
    class: "permanent",
    summary: "A file cannot be read.",
    remedy: "Check its path and that you may read it.",
  },
  INIT_ANSWERS_INVALID: {
    class: "permanent",
    summary: "No settings can be made of the answers: nothing was written.",
    remedy: "Run `radferry init` again with other values for what is named here; --help shows what each may be.",
  },
  INIT_FILE_EXISTS: {
    class: "permanent",
    summary: "There is a file already where init would write one.",
    remedy: "Name another with --output, or change the one that is there; none is overwritten.",
  },
  NO_FILES_FOUND: {
    class: "permanent",
    summary: "There are no files at the paths that were given.",
    remedy: "Name files, or folders that hold some.",
  },
  USAGE_INVALID: {
    class: "permanent",
    summary: "The command line cannot be understood.",
    remedy: "Add --help to the verb to see its arguments, options and examples.",
  },
} as const satisfies Record<string, ErrorEntry>;
