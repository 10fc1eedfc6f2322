import { pino } from "pino";
import pretty from "pino-pretty";
import type { LogFields, Logger } from "../units/logger.ts";
import { redactFields, redactText } from "./redact.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LoggerOptions {
  readonly level: LogLevel;
  /** For people, in colours. Default: when stderr is a terminal. */
  readonly pretty?: boolean;
  /** Takes whole lines. Default: stderr, written at once, so that nothing is lost when the process dies. */
  readonly destination?: { write(line: string): unknown };
  /** Texts that must not get out in any field, besides what redaction recognises by itself. */
  readonly identifiers?: ReadonlySet<string>;
}

const STDERR = 2;
const KNOWN_NOBODY: ReadonlySet<string> = new Set();

/**
 * The real logger: one JSON document a line with `time` (UTC), `level`, `event` and the fields. Only listed fields pass, and only values
 * of the form their name calls for; it is the second safety net, after callers that do not log identifiers in the first place.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, identifiers = KNOWN_NOBODY } = options;
  const sink = pino(
    {
      level,
      // Neither process id nor host name.
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    streamOf(options),
  );
  const write =
    (at: Exclude<LogLevel, "silent">) =>
    (event: string, fields: LogFields = {}): void => {
      sink[at](redactFields(fields, identifiers), redactText(event, identifiers));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function streamOf({ pretty: forPeople, destination }: LoggerOptions): pino.DestinationStream {
  if (destination !== undefined) return { write: (line) => void destination.write(line) };
  if (!(forPeople ?? process.stderr.isTTY)) return pino.destination({ dest: STDERR, sync: true });
  return pretty({ destination: STDERR, sync: true, messageKey: "event", translateTime: "UTC:HH:MM:ss.l'Z'" });
}
