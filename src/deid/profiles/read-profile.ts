import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type FileProblem, type Finding, problemOf } from "../../units/file-problems.ts";
import { expectationOf } from "../../units/schema-expectation.ts";
import { offsetIn, placeAt } from "../../units/yaml-places.ts";

/** YAML as read: its values, and where each was written. */
export interface WrittenValues {
  readonly values: unknown;
  readonly problems: readonly FileProblem[];
  /** The problem with the line and column of the key or list item it is about, or of the nearest thing above it. */
  readonly locate: (finding: Finding) => FileProblem;
}

/** A file cannot be made to grow without bound by aliases of aliases. */
const ALIAS_LIMIT = 100;

export function readYaml(text: string): WrittenValues {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { version: "1.2", lineCounter, prettyErrors: false, logLevel: "silent" });
  const locate = (finding: Finding): FileProblem => {
    const offset = offsetIn(document, finding.path) ?? document.contents?.range[0];
    return { ...problemOf(finding), ...(offset === undefined ? {} : placeAt(lineCounter, offset)) };
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
export function schemaFindings(issues: readonly z.core.$ZodIssue[]): readonly Finding[] {
  return issues.flatMap((issue): readonly Finding[] => {
    const path = issue.path.filter((segment) => typeof segment !== "symbol");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const message = `Profiles have no key ${key} here.`;
        return { path: [...path, key], code: "PROFILE_KEY_UNKNOWN", message };
      });
    }
    return [{ path, code: "PROFILE_VALUE_INVALID", message: `${expectationOf(issue)}.` }];
  });
}

/** The parser's own message may quote the file, so only its code is used. */
function malformedAt(lineCounter: LineCounter, offset: number, code: string): FileProblem {
  const place = placeAt(lineCounter, offset);
  const message = `The file is not valid YAML at line ${place.line}, column ${place.column} (${code}).`;
  return { ...problemOf({ path: [], code: "PROFILE_FILE_MALFORMED", message }), ...place };
}
