import { type ErrorDocument, GatewayError } from "../../errors/gateway-error.ts";
import { type FileProblem, summaryOf } from "../../units/file-problems.ts";

interface ProfileErrorDocument extends ErrorDocument {
  readonly problems: readonly FileProblem[];
}

/** Thrown when a profile cannot be used, with everything that is wrong with it. The code is PROFILE_FILE_UNREADABLE, PROFILE_FILE_MALFORMED or PROFILE_INVALID. */
export class ProfileError extends GatewayError {
  override readonly name: string = "ProfileError";
  readonly problems: readonly FileProblem[];

  constructor(
    problems: readonly FileProblem[],
    usualCode: "PROFILE_INVALID" | "PIXL_OPERATIONS_INVALID" = "PROFILE_INVALID",
  ) {
    const { code, details } = summaryOf(problems, ["PROFILE_FILE_UNREADABLE", "PROFILE_FILE_MALFORMED"]);
    super(code ?? usualCode, details);
    this.problems = problems;
  }

  override toJSON(): ProfileErrorDocument {
    return { ...super.toJSON(), problems: this.problems };
  }
}
