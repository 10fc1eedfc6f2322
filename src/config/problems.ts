import { type ErrorDocument, GatewayError } from "../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import { formatYamlPath } from "../units/yaml-places.ts";

/** Where a value is: keys and list positions from the root. */
export type SettingPath = readonly (string | number)[];

/** One thing wrong with the settings. The message never repeats a value: it might be a secret in the wrong place. */
export interface SettingsProblem {
  /** As `archives[0].address`; empty when it is about the file as a whole. */
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** In the settings file, from 1. */
  readonly line?: number;
  readonly column?: number;
  /** The environment variable or flag that set the value, when it was not the file. */
  readonly source?: string;
}

/** A problem before it is known where its value was written. */
export interface Finding {
  readonly path: SettingPath;
  readonly code: ErrorCode;
  /** Default: the summary of the code. */
  readonly message?: string;
  /** Default: the remedy of the code. */
  readonly remedy?: string;
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
    const ofFile = problems.find(({ code }) => code === "SETTINGS_FILE_MISSING" || code === "SETTINGS_FILE_MALFORMED");
    super(ofFile?.code ?? usualCode, {
      problems: problems.length,
      ...(ofFile?.line === undefined ? {} : { line: ofFile.line }),
      ...(ofFile?.column === undefined ? {} : { column: ofFile.column }),
    });
    this.problems = problems;
  }

  override toJSON(): SettingsDocument {
    return { ...super.toJSON(), problems: this.problems };
  }
}

export function problemOf({ path, code, message, remedy }: Finding): SettingsProblem {
  const { summary, remedy: usualRemedy } = errorRegistry[code];
  return { path: formatYamlPath(path), code, message: message ?? summary, remedy: remedy ?? usualRemedy };
}
