import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import { formatYamlPath, type YamlPath } from "./yaml-places.ts";

/** One thing wrong with a file that a person wrote. The message never repeats a value: it might be a secret in the wrong place. */
export interface FileProblem {
  /** As `archives[0].address`; empty when it is about the file as a whole. */
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** In the file, from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** A problem before it is known where its value was written. */
export interface Finding {
  readonly path: YamlPath;
  readonly code: ErrorCode;
  /** Default: the summary of the code. */
  readonly message?: string;
  /** Default: the remedy of the code. */
  readonly remedy?: string;
}

export function problemOf({ path, code, message, remedy }: Finding): FileProblem {
  const { summary, remedy: usualRemedy } = errorRegistry[code];
  return { path: formatYamlPath(path), code, message: message ?? summary, remedy: remedy ?? usualRemedy };
}

/**
 * What an error that carries all of a file's problems says by itself: its code is that of the file as a whole when there is one, with its
 * place, else the usual one.
 */
export function summaryOf<Code extends ErrorCode>(
  problems: readonly FileProblem[],
  codesOfFile: readonly Code[],
): { readonly code: Code | undefined; readonly details: Readonly<Record<string, number>> } {
  const isCodeOfFile = (code: ErrorCode): code is Code => codesOfFile.some((each) => each === code);
  for (const { code, line, column } of problems) {
    if (!isCodeOfFile(code)) continue;
    const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
    return { code, details: { problems: problems.length, ...place } };
  }
  return { code: undefined, details: { problems: problems.length } };
}
