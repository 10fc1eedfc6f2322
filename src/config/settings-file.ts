import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import { type Finding, problemOf } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { offsetIn, placeAt, type YamlPlace } from "../units/yaml-places.ts";
import type { SettingsProblem } from "./problems.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings file as read: its values, and where each was written. */
export interface SettingsFile {
  /** Absolute; undefined when there is none and none was asked for. */
  readonly file: string | undefined;
  readonly values: unknown;
  readonly problems: readonly SettingsProblem[];
  /** Line and column, from 1, of a key or list item; of the nearest thing above it when it is not there. */
  readonly positionOf: (path: YamlPath) => YamlPlace | undefined;
}

const DEFAULT_FILE = "radferry.yaml";
const SIZE_LIMIT_BYTES = 1 << 20;
/** A file cannot be made to grow without bound by aliases of aliases. */
const ALIAS_LIMIT = 100;

/** Finds and reads the file: the one named, else RADFERRY_CONFIG, else ./radferry.yaml, which alone may be missing when `optional`. */
export async function readSettingsFile(options: {
  readonly file?: string | undefined;
  readonly environment: Environment;
  readonly cwd: string;
  readonly optional: boolean;
}): Promise<SettingsFile> {
  const named = nameOf(options);
  const file = settingsFileOf(options);
  const text = await readText(file);
  if (text !== undefined) return parseSettings(file, text);
  if (named === undefined && options.optional) return without(undefined, []);
  return without(file, [
    problemOf({ path: [], code: "SETTINGS_FILE_MISSING", message: `The settings file ${file} cannot be read.` }),
  ]);
}

interface SettingsPlace {
  readonly file?: string | undefined;
  readonly environment: Environment;
  readonly cwd: string;
}

function nameOf({ file, environment }: SettingsPlace): string | undefined {
  return file ?? (environment.RADFERRY_CONFIG || undefined);
}

/** Where the settings are, or would be. */
export function settingsFileOf(place: SettingsPlace): string {
  return resolve(place.cwd, nameOf(place) ?? DEFAULT_FILE);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(SIZE_LIMIT_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.toString("utf8", 0, length);
      length += bytesRead;
    }
    return undefined;
  } catch {
    return undefined;
  }
}

function parseSettings(file: string, text: string): SettingsFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "silent" });
  const problems = document.errors.map(({ pos: [offset], code }) => malformed(lineCounter, offset, code));
  if (problems.length > 0) return without(file, problems);
  try {
    const values: unknown = document.toJS({ maxAliasCount: ALIAS_LIMIT });
    return { file, values: values ?? {}, problems: [], positionOf: (path) => positionIn(document, lineCounter, path) };
  } catch {
    return without(file, [malformed(lineCounter, 0, "BAD_ALIAS")]);
  }
}

/** The parser's own message may quote the file, so only its code is used. */
function malformed(lineCounter: LineCounter, offset: number, code: string): SettingsProblem {
  const { line, column } = placeAt(lineCounter, offset);
  const finding: Finding = {
    path: [],
    code: "SETTINGS_FILE_MALFORMED",
    message: `The settings file is not valid YAML at line ${line}, column ${column} (${code}).`,
  };
  return { ...problemOf(finding), line, column };
}

function without(file: string | undefined, problems: readonly SettingsProblem[]): SettingsFile {
  return { file, values: {}, problems, positionOf: () => undefined };
}

function positionIn(document: Document.Parsed, lineCounter: LineCounter, path: YamlPath): YamlPlace | undefined {
  const offset = offsetIn(document, path);
  return offset === undefined ? undefined : placeAt(lineCounter, offset);
}
