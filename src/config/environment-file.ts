import { parseEnv } from "node:util";
import { readSecretText } from "./credential-files.ts";
import type { Environment } from "./settings-file.ts";

const LIMIT_BYTES = 1 << 20;
/** A value that does not begin with a quote, nor with a comment. */
const UNQUOTED = /^([ \t]*(?:export[ \t]+)?[^\s=#]+[ \t]*=[ \t]*)([^\s"'`#][^\r\n]*)/gm;

/** A `.env` file, as containers are given. @throws GatewayError SECRET_FILE_UNREADABLE, SECRET_FILE_READABLE_BY_OTHERS */
export async function readEnvironmentFile(path: string): Promise<Environment> {
  const text = await readSecretText(path, LIMIT_BYTES);
  return parseEnv(text.replace(UNQUOTED, (_, name: string, value: string) => name + quoted(value)));
}

/** Node ends a value at its first `#`, which many a password has; there it is a comment only behind a blank. */
function quoted(written: string): string {
  const value = written.split(/\s#/, 1)[0]?.trimEnd() ?? "";
  const quote = ["'", "`", '"'].find((each) => !value.includes(each));
  return value.includes("#") && quote !== undefined ? `${quote}${value}${quote}` : value;
}
