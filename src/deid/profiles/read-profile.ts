import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { offsetIn, placeAt } from "../../units/yaml-places.ts";
import { type ProfileFinding, type ProfileProblem, profileProblemOf } from "./profile-problems.ts";

/** YAML as read: its values, and where each was written. */
export interface WrittenValues {
  readonly values: unknown;
  readonly problems: readonly ProfileProblem[];
  /** The problem with the line and column of the key or list item it is about, or of the nearest thing above it. */
  readonly locate: (finding: ProfileFinding) => ProfileProblem;
}

/** A file cannot be made to grow without bound by aliases of aliases. */
const ALIAS_LIMIT = 100;

export function readYaml(text: string): WrittenValues {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { version: "1.2", lineCounter, prettyErrors: false, logLevel: "silent" });
  const locate = (finding: ProfileFinding): ProfileProblem => {
    const offset = offsetIn(document, finding.path) ?? document.contents?.range[0];
    return { ...profileProblemOf(finding), ...(offset === undefined ? {} : placeAt(lineCounter, offset)) };
  };
  const malformed = document.errors.map(({ pos: [offset], code }) => malformedAt(lineCounter, offset, code));
  if (malformed.length > 0) return { values: undefined, problems: malformed, locate };
  try {
    const values: unknown = document.toJS({ maxAliasCount: ALIAS_LIMIT });
    return { values, problems: [], locate };
  } catch {
    return { values: undefined, problems: [malformedAt(lineCounter, 0, "BAD_ALIAS")], locate };
  }
}

/** What the schema found, with a code and a plain message. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[]): readonly ProfileFinding[] {
  return issues.flatMap((issue): readonly ProfileFinding[] => {
    const path = issue.path.filter((segment) => typeof segment !== "symbol");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const message = `Profiles have no key ${key} here.`;
        return { path: [...path, key], code: "PROFILE_KEY_UNKNOWN", message };
      });
    }
    return [{ path, code: "PROFILE_VALUE_INVALID", message: `${expectation(issue)}.` }];
  });
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a text (in quotes if it looks like a number)",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
};

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `${TYPE_NAMES[issue.expected] ?? issue.expected} is expected`;
    case "invalid_value":
      return issue.values.length === 1
        ? `${String(issue.values[0])} is expected`
        : `one of ${issue.values.join(", ")} is expected`;
    case "too_small":
      return issue.origin === "string" ? issue.message : `at least ${issue.minimum} is expected`;
    case "too_big":
      return `at most ${issue.maximum} is allowed`;
    default:
      return issue.message;
  }
}

/** The parser's own message may quote the file, so only its code is used. */
function malformedAt(lineCounter: LineCounter, offset: number, code: string): ProfileProblem {
  const place = placeAt(lineCounter, offset);
  const message = `The file is not valid YAML at line ${place.line}, column ${place.column} (${code}).`;
  return { ...profileProblemOf({ path: [], code: "PROFILE_FILE_MALFORMED", message }), ...place };
}
