import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Environment } from "../../config/settings-file.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf } from "../../units/durable-files.ts";

/** What there is no file to read for. */
const NO_FILE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

/**
 * The environment, and beneath it the file `.env` of a folder, as python-decouple reads them for PIXL.
 * @throws GatewayError FILE_UNREADABLE
 */
export async function environmentIn(folder: string, environment: Environment): Promise<Environment> {
  const text = await readFile(resolve(folder, ".env"), "utf8").catch((thrown: unknown) => {
    const reason = systemCodeOf(thrown);
    if (NO_FILE.has(reason)) return "";
    throw reason === undefined ? thrown : new GatewayError("FILE_UNREADABLE", { file: ".env", reason }, thrown);
  });
  const lines = text.split("\n").flatMap((line) => namedValueOf(line.trim()) ?? []);
  return { ...Object.fromEntries(lines), ...environment };
}

/** Node's own reader ends a value at its first `#`, and takes escape sequences out of it: what is in it may be a password. */
function namedValueOf(line: string): readonly (readonly [string, string])[] | undefined {
  const at = line.indexOf("=");
  if (at === -1 || line.startsWith("#")) return undefined;
  const value = line.slice(at + 1).trim();
  const [, , inQuotes = value] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return [[line.slice(0, at).trim(), inQuotes]];
}
