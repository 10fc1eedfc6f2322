import type { ErrorEntry } from "../error-class.ts";

/** Codes of studies that are sent to us unasked, sorted. */
export const intakeCodes = {
  INTAKE_BUSY: {
    class: "transient",
    summary: "As many are storing studies at once as are let in.",
    remedy: "Try again in a moment; send with fewer requests at a time.",
  },
  INTAKE_INSTANCE_TOO_LARGE: {
    class: "permanent",
    summary: "An instance that was sent to us is larger than is taken by HTTP.",
    remedy: "Send it by C-STORE, which has no such limit.",
  },
  INTAKE_NO_RULE: {
    class: "permanent",
    summary: "A study was sent to us, and no rule says which project it is for.",
    remedy: "Give it to a project with `radferry intake assign`, or discard it; then add a rule to intake.rules.",
  },
  INTAKE_JOB_UNDER_WAY: {
    class: "transient",
    summary: "The project's job of this study is under way.",
    remedy: "Try again when `radferry study list` shows that it has ended.",
  },
  INTAKE_NODE_RETURNED: {
    class: "permanent",
    summary: "A study that was sent to us was given up with the gateway that has it, and that gateway came back.",
    remedy: "Give it to a project with `radferry intake assign`, or discard it where it was sent again elsewhere.",
  },
  INTAKE_NOT_HELD: {
    class: "permanent",
    summary: "No study that was sent to us is held under this id.",
    remedy: "Look the id up with `radferry intake list --state held`.",
  },
  INTAKE_PATIENTS_DIFFER: {
    class: "permanent",
    summary: "The instances of a study that was sent to us name different patients.",
    remedy: "Ask the sender which is right; discard the study and have it sent again.",
  },
  INTAKE_REFUSED: {
    class: "permanent",
    summary: "A rule of the intake refuses what was sent.",
    remedy: "None where the rule is right; the sender was told the reason that stands in it.",
  },
  INTAKE_RULES_DIFFER: {
    class: "permanent",
    summary: "The instances of a study that was sent to us match rules of different projects.",
    remedy: "Give it to one project with `radferry intake assign`, or discard it; make the rules agree.",
  },
} as const satisfies Record<string, ErrorEntry>;
