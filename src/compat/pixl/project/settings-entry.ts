import type { PixlDestination, PixlProject } from "../../../deid/profiles/pixl-project.ts";

export interface SettingsEntryOptions {
  /** PIXL's slug: the name of the project's file. */
  readonly slug: string;
  readonly archives: readonly string[];
  /** Path of the profile from the settings file. */
  readonly profile: string;
  /** Destinations of the settings that are used instead of PIXL's. */
  readonly destinations?: readonly string[] | undefined;
  /** What PIXL keeps in the key vault beside passwords. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly url?: string | undefined;
  readonly username?: string | undefined;
}

/** What goes into the settings file. */
export interface SettingsEntry {
  readonly destinations: readonly Readonly<Record<string, unknown>>[];
  readonly projects: readonly Readonly<Record<string, unknown>>[];
}

/** A file that has to be made, and where its content is. */
export interface NeededFile {
  readonly file: string;
  readonly content: string;
}

export interface PixlSettings {
  readonly entry: SettingsEntry;
  readonly files: readonly NeededFile[];
  /** What is not carried over, and what is still to be filled in; each by its name. */
  readonly notes: readonly string[];
}

/** No host has such a name (RFC 6761 6.4): the check passes, a connection does not. */
const UNKNOWN_HOST = "fill-in.invalid";
const UNKNOWN_USER = "fill-in";

interface Made {
  readonly destination: Readonly<Record<string, unknown>>;
  readonly files: readonly NeededFile[];
  readonly notes: readonly string[];
}

/** A destination of PIXL's as one of ours; undefined for those that take no images. */
const DESTINATIONS: Readonly<
  Record<PixlDestination["dicom"], ((prefix: string, options: SettingsEntryOptions) => Made) | undefined>
> = {
  ftps: (prefix, { slug, host, port, username }) => ({
    destination: {
      name: `${slug}-ftps`,
      kind: "ftps",
      host: host ?? UNKNOWN_HOST,
      ...(port === undefined ? {} : { port }),
      security: "implicit",
      username: username ?? UNKNOWN_USER,
      passwordFile: secretFile(prefix, "ftp", "password"),
    },
    files: [vaultFile(prefix, "ftp", "password")],
    notes: missing(prefix, "ftp", { host, port, username }),
  }),
  dicomweb: (prefix, { slug, url, username }) => ({
    destination: {
      name: `${slug}-dicomweb`,
      kind: "dicomweb",
      url: url ?? `https://${UNKNOWN_HOST}/dicom-web`,
      username: username ?? UNKNOWN_USER,
      passwordFile: secretFile(prefix, "dicomweb", "password"),
    },
    files: [vaultFile(prefix, "dicomweb", "password")],
    notes: missing(prefix, "dicomweb", { url, username }),
  }),
  xnat: (prefix, { slug, url, username }) => ({
    destination: {
      name: `${slug}-xnat`,
      kind: "xnat",
      url: url ?? `https://${UNKNOWN_HOST}`,
      username: username ?? UNKNOWN_USER,
      passwordFile: secretFile(prefix, "xnat", "password"),
      project: slug,
      into: "archive",
      overwrite: "append",
    },
    files: [vaultFile(prefix, "xnat", "password")],
    notes: [
      ...missing(prefix, "xnat", { url, username }),
      "XNAT_DESTINATION and XNAT_OVERWRITE are settings of PIXL's environment: set into and overwrite of the destination by them.",
    ],
  }),
  tre: undefined,
  none: undefined,
};

function secretName(prefix: string, service: string, what: string): string {
  return `${prefix}--${service}--${what}`;
}

function secretFile(prefix: string, service: string, what: string): string {
  return `secrets/${secretName(prefix, service, what)}`;
}

function vaultFile(prefix: string, service: string, what: string): NeededFile {
  const content = `the key vault's secret ${secretName(prefix, service, what)}`;
  return { file: secretFile(prefix, service, what), content };
}

function missing(prefix: string, service: string, values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => value === undefined)
    .map(([what]) => {
      const secret = secretName(prefix, service, what === "url" && service === "xnat" ? "host" : what);
      return `The destination's ${what} is in the key vault, as ${secret}: fill it in.`;
    });
}

/** PIXL's project as an entry of the settings. @returns undefined where PIXL delivers its images nowhere and nothing else is named */
export function pixlSettingsEntry(project: PixlProject, options: SettingsEntryOptions): PixlSettings | undefined {
  const { slug, archives, profile, destinations } = options;
  const prefix = project.secretPrefix ?? slug;
  const { dicom = "none", parquet = "none" } = project.destination ?? {};
  const made = destinations === undefined ? DESTINATIONS[dicom]?.(prefix, options) : undefined;
  const names = destinations ?? (made === undefined ? [] : [String(made.destination.name)]);
  if (names.length === 0) return undefined;
  const pseudonyms = {
    mode: "pixl",
    hashKeyFile: "secrets/pixl-hash-key",
    projectSaltFile: `secrets/pixl-salt-${slug}`,
    localSaltFile: "secrets/pixl-local-salt",
  };
  const keyFile = `keys/${slug}.key`;
  const entry = {
    name: slug,
    archives,
    destinations: names,
    profile,
    keyFile,
    accessionNumbersUnique: false,
    pseudonyms,
  };
  return {
    entry: { destinations: made === undefined ? [] : [made.destination], projects: [entry] },
    files: [
      { file: keyFile, content: `made by radferry project new-key ${keyFile}` },
      { file: pseudonyms.hashKeyFile, content: "the key vault's secret that AZURE_KEY_VAULT_SECRET_NAME names" },
      { file: pseudonyms.projectSaltFile, content: `the key vault's secret ${slug}` },
      { file: pseudonyms.localSaltFile, content: "what the hasher's LOCAL_SALT_VALUE was; empty where it had none" },
      ...(made?.files ?? []),
    ],
    notes: [...(made?.notes ?? []), ...notesOf(project, options, dicom, parquet)],
  };
}

function* notesOf(
  { name, unknown }: PixlProject,
  { slug, destinations }: SettingsEntryOptions,
  dicom: string,
  parquet: string,
): Generator<string> {
  if (name !== undefined && name !== slug)
    yield `project.name (${name}) differs from the file's name: PIXL knows the project as ${slug}.`;
  if (destinations !== undefined && dicom !== "none")
    yield `destination.dicom (${dicom}) is left out: the project delivers to ${destinations.join(", ")}.`;
  if (parquet !== "none")
    yield `destination.parquet (${parquet}) is not carried over: hand on the extract's public part, and IMAGE_LINKER.parquet by radferry cohort export --format pixl-linker.`;
  for (const key of unknown) yield `${key} is not carried over: PIXL itself does not read it.`;
}
