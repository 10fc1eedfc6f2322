import type { z } from "zod";

/** What would be right where zod found something wrong, in plain words and without the value. A value of several kinds: what each begins with. */
export function expectationOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `${TYPE_NAMES[issue.expected] ?? issue.expected} is expected`;
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? oneOf(issue.options)
        : issue.errors.flatMap(([first]) => (first === undefined ? [] : expectationOf(first))).join(", or ");
    case "invalid_value":
      return oneOf(issue.values);
    case "too_small":
      return issue.origin === "array" ? `at least ${issue.minimum} are needed` : lowerBound(issue);
    case "too_big":
      return `at most ${issue.maximum} is allowed`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a text (in quotes if it looks like a number)",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
};

function lowerBound(issue: Extract<z.core.$ZodIssue, { code: "too_small" }>): string {
  if (issue.origin === "string") return issue.message;
  return issue.inclusive === false ? `more than ${issue.minimum} is expected` : `at least ${issue.minimum} is expected`;
}

function oneOf(choices: readonly unknown[]): string {
  return choices.length === 1 ? `${String(choices[0])} is expected` : `one of ${choices.join(", ")} is expected`;
}
