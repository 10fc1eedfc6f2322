/** Values a log line may carry: codes, counts, names from the configuration and pseudonymous ids; never a patient's identifier. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The port; `observe/` makes the real one with its redaction. `event` is a constant text without values in it. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const ignore = (): void => {};

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A logger whose every line carries the fields too. */
export function withFields(logger: Logger, fields: LogFields): Logger {
  const at =
    (level: keyof Logger): Logger["info"] =>
    (event, more = {}) =>
      logger[level](event, { ...fields, ...more });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
