import { type ErrorDocument, GatewayError } from "../../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../../errors/registry.ts";
import { formatYamlPath } from "../../units/yaml-places.ts";

/** Where a value of a profile is: keys and list positions from the root. */
export type ProfilePath = readonly (string | number)[];

/** One thing wrong with a profile. */
export interface ProfileProblem {
  /** As `rules[0].tag`; empty when it is about the file as a whole. */
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** In the profile's file, from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** A problem before it is known where its value was written. */
export interface ProfileFinding {
  readonly path: ProfilePath;
  readonly code: ErrorCode;
  /** Default: the summary of the code. */
  readonly message?: string;
  /** Default: the remedy of the code. */
  readonly remedy?: string;
}

interface ProfileErrorDocument extends ErrorDocument {
  readonly problems: readonly ProfileProblem[];
}

/** Thrown when a profile cannot be used, with everything that is wrong with it. The code is PROFILE_FILE_UNREADABLE, PROFILE_FILE_MALFORMED or PROFILE_INVALID. */
export class ProfileError extends GatewayError {
  override readonly name: string = "ProfileError";
  readonly problems: readonly ProfileProblem[];

  constructor(
    problems: readonly ProfileProblem[],
    usualCode: "PROFILE_INVALID" | "PIXL_OPERATIONS_INVALID" = "PROFILE_INVALID",
  ) {
    const ofFile = problems.find(({ code }) => code === "PROFILE_FILE_UNREADABLE" || code === "PROFILE_FILE_MALFORMED");
    super(ofFile?.code ?? usualCode, {
      problems: problems.length,
      ...(ofFile?.line === undefined ? {} : { line: ofFile.line }),
      ...(ofFile?.column === undefined ? {} : { column: ofFile.column }),
    });
    this.problems = problems;
  }

  override toJSON(): ProfileErrorDocument {
    return { ...super.toJSON(), problems: this.problems };
  }
}

export function profileProblemOf({ path, code, message, remedy }: ProfileFinding): ProfileProblem {
  const { summary, remedy: usualRemedy } = errorRegistry[code];
  return { path: formatYamlPath(path), code, message: message ?? summary, remedy: remedy ?? usualRemedy };
}
