import { resolve } from "node:path";
import { type Clock, systemClock } from "../units/clock.ts";
import { type Finding, problemOf } from "../units/file-problems.ts";
import { formatYamlPath } from "../units/yaml-places.ts";
import { findBlankGroups } from "./blank-groups.ts";
import { checkCredentials } from "./credential-checks.ts";
import { crossCheck } from "./cross-checks.ts";
import { checkFiles } from "./file-checks.ts";
import { type LooseSettings, readLoosely } from "./loose-settings.ts";
import { findNotSupported } from "./not-supported.ts";
import { checkNotificationFiles, checkNotifications } from "./notification-checks.ts";
import { checkOidc } from "./oidc-checks.ts";
import { applyOverrides, environmentOverrides, type Flags, flagOverrides, type Overridden } from "./overrides.ts";
import { SettingsError, type SettingsProblem } from "./problems.ts";
import { findingsOf, parseManifest } from "./schema-findings.ts";
import { baseFolderOf, resolveSettings, type Settings } from "./settings.ts";
import { type Environment, readSettingsFile, type SettingsFile } from "./settings-file.ts";

export interface SettingsSource {
  /** As given by `-c`; else RADFERRY_CONFIG, else ./radferry.yaml. */
  readonly file?: string | undefined;
  readonly environment: Environment;
  /** By setting path: `{"dicom.port": 11113}`. They win over the environment, which wins over the file. */
  readonly flags?: Flags;
  readonly cwd: string;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined;
}

export interface SettingsCheck {
  readonly ok: boolean;
  readonly problems: readonly SettingsProblem[];
}

/** Settings ready for use. Files they name are opened later, by whoever needs them. @throws SettingsError with every problem */
export async function loadSettings(source: SettingsSource): Promise<LoadedSettings> {
  const { settings, file, problems } = await examine(source);
  if (settings === undefined || problems.length > 0) throw new SettingsError(problems);
  return { settings, file };
}

/** Every problem at once, those of key files, certificates, passwords and opt-out lists among them. */
export async function checkSettings(
  source: SettingsSource,
  clock: Pick<Clock, "nowMs"> = systemClock,
): Promise<SettingsCheck> {
  const { read, problems, locate } = await examine(source);
  const ofFiles =
    read === undefined
      ? []
      : [
          ...(await checkFiles(read.loose)),
          ...(await checkCredentials(read.values, read.base, clock.nowMs())),
          ...(await checkNotificationFiles(read.values, read.base)),
        ];
  const all = [...problems, ...ofFiles.map(locate)];
  return { ok: all.length === 0, problems: all };
}

/** As `loadSettings`, once the files that they name are in order too. @throws SettingsError with every problem */
export async function loadCheckedSettings(
  source: SettingsSource,
  clock: Pick<Clock, "nowMs"> = systemClock,
): Promise<LoadedSettings> {
  const { ok, problems } = await checkSettings(source, clock);
  if (!ok) throw new SettingsError(problems);
  return await loadSettings(source);
}

interface Examined {
  /** Undefined when some value is not what it must be. */
  readonly settings: Settings | undefined;
  /** Undefined when the file could not be read at all. */
  readonly read: { readonly values: unknown; readonly loose: LooseSettings; readonly base: string } | undefined;
  readonly file: string | undefined;
  readonly problems: readonly SettingsProblem[];
  readonly locate: (finding: Finding) => SettingsProblem;
}

async function examine(source: SettingsSource): Promise<Examined> {
  const cwd = resolve(source.cwd);
  const overrides = [...environmentOverrides(source.environment), ...flagOverrides(source.flags ?? {})];
  const read = await readSettingsFile({
    file: source.file,
    environment: source.environment,
    cwd,
    optional: overrides.length > 0,
  });
  const overridden = applyOverrides(withoutNulls(read.values), overrides);
  const locate = locator(read, overridden);
  if (read.problems.length > 0) {
    return { settings: undefined, read: undefined, file: read.file, problems: read.problems, locate };
  }

  const base = baseFolderOf(read.file, cwd);
  const { values } = overridden;
  const parsed = parseManifest(values);
  const settings = parsed.success ? resolveSettings(parsed.data, base) : undefined;
  const loose = readLoosely(values, base);
  const invalid = parsed.success ? [] : findingsOf(parsed.error.issues, values);
  const invalidPaths = new Set(invalid.map(({ path }) => formatYamlPath(path)));
  const others = [
    ...findNotSupported(values),
    ...findBlankGroups(read.values),
    ...crossCheck(loose),
    ...checkOidc(values, loose),
    ...checkNotifications(values, loose),
  ];
  const findings = [...invalid, ...others.filter(({ path }) => !invalidPaths.has(formatYamlPath(path)))];
  const ofOverrides = overridden.findings.map((finding) => ({ ...problemOf(finding), source: finding.source }));
  const problems = [...findings.map(locate), ...ofOverrides];
  return { settings, read: { values, loose, base }, file: read.file, problems, locate };
}

/** Adds where the value was written: a variable or flag, else a line of the file. */
function locator(read: SettingsFile, { sources }: Overridden): (finding: Finding) => SettingsProblem {
  return (finding) => {
    const problem = problemOf(finding);
    const source = sources.get(problem.path);
    if (source !== undefined) return { ...problem, source };
    return { ...problem, ...read.positionOf(finding.path) };
  };
}

/** `archives:` with nothing behind it means none, as people expect of YAML. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  );
}
