import { type ErrorDocument, GatewayError } from "../errors/gateway-error.ts";
import { type FileProblem, summaryOf } from "../units/file-problems.ts";

export interface SettingsProblem extends FileProblem {
  /** The environment variable or flag that set the value, when it was not the file. */
  readonly source?: string;
}

export interface SettingsDocument extends ErrorDocument {
  readonly problems: readonly SettingsProblem[];
}

/**
 * Thrown when settings cannot be used. The code is SETTINGS_FILE_MISSING, SETTINGS_FILE_MALFORMED or SETTINGS_INVALID; INIT_ANSWERS_INVALID where there
 * is no file yet that could be looked into.
 */
export class SettingsError extends GatewayError {
  override readonly name: string = "SettingsError";
  readonly problems: readonly SettingsProblem[];

  constructor(
    problems: readonly SettingsProblem[],
    usualCode: "SETTINGS_INVALID" | "INIT_ANSWERS_INVALID" = "SETTINGS_INVALID",
  ) {
    const { code, details } = summaryOf(problems, ["SETTINGS_FILE_MISSING", "SETTINGS_FILE_MALFORMED"]);
    super(code ?? usualCode, details);
    this.problems = problems;
  }

  override toJSON(): SettingsDocument {
    return { ...super.toJSON(), problems: this.problems };
  }
}
