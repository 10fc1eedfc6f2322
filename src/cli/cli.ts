import type { Logger } from "../units/logger.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Printer } from "./printer.ts";
import type { World } from "./world.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface GlobalOptions {
  readonly config?: string;
  readonly logLevel?: LogLevel;
}

/** What every verb is given. */
export interface Cli {
  readonly world: World;
  readonly printer: Printer;
  readonly options: () => GlobalOptions;
  /** The verb tells only what would come of it, by `--dry-run`. */
  readonly isRehearsal: () => boolean;
  /** Logs go to stderr; the level is what a verb logs at unless `--log-level` says otherwise. */
  readonly logger: (usualLevel: LogLevel) => Promise<Logger>;
  /** Makes a commander action of a verb, which answers the exit code. */
  readonly verb: <A extends readonly unknown[]>(
    run: (...parts: A) => Promise<ExitCode>,
  ) => (...parts: A) => Promise<void>;
}
