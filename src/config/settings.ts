import { dirname, join, resolve } from "node:path";
import type { ExternalCodec } from "../deid/pixels/external-codec.ts";
import { isProfilePath } from "../deid/profiles/profile-path.ts";
import type { PixlSecretFiles } from "../deid/pseudonyms/pixl-secrets.ts";
import type { AeTitle } from "../dicom/ae-title.ts";
import type { AcceptanceRules, PeerRule } from "../network/dimse/service-types.ts";
import type { HookSettings } from "../pipeline/hook/hook.ts";
import type { Role } from "../units/actor.ts";
import type { Manifest } from "./manifest.ts";
import { FACE_NAMES, type FaceName } from "./manifest-compat.ts";
import type { TlsServerFiles, UserFiles } from "./peer-credentials.ts";
import { type ArchiveSettings, resolveArchive } from "./settings-archives.ts";
import { type DestinationSettings, resolveDestination } from "./settings-destinations.ts";
import { resolveHook } from "./settings-hook.ts";
import { type IntakeSettings, resolveIntake } from "./settings-intake.ts";
import { type NotificationSettings, resolveNotification } from "./settings-notifications.ts";
import { type OidcSettings, resolveOidc } from "./settings-oidc.ts";
import { type AbsolutePath, type AbsolutePathIfAny, resolveTlsClient } from "./settings-peers.ts";
import { resolveSharedStaging, type SharedStagingSettings } from "./settings-staging.ts";

/** Paths are absolute. */
type NodeSettings = Manifest["node"];

/** Paths are absolute. */
export type StoreSettings = Manifest["store"];

/** Settings ready for use: paths are absolute, addresses parsed, defaults filled in. Only what this version can run is in them. */
export interface Settings {
  readonly home: string;
  readonly store: StoreSettings;
  readonly node: NodeSettings;
  readonly dicom: DicomSettings;
  /** Port undefined: 8080, or any free one while that is taken. */
  readonly http: {
    readonly host: string;
    readonly port?: number | undefined;
    readonly tls?: Pick<TlsServerFiles, "certificateFile" | "keyFile">;
    /** Absent: people log in with a token. */
    readonly oidc?: OidcSettings;
  };
  /** Faces of other systems inside the service. */
  readonly compat: { readonly [Name in FaceName]?: FaceSettings };
  /** Absent: staged studies are not given away. */
  readonly imagingSource?: ImagingSourceSettings;
  readonly access: { readonly commandLineRole: Role };
  readonly retry: {
    readonly attempts: number;
    readonly firstDelaySeconds: number;
    readonly maximumDelaySeconds: number;
  };
  readonly staging: {
    readonly path: string;
    readonly reserveGigabytes: number;
    readonly keepDays: number;
    readonly shred: boolean;
    /** Absent: copies that await delivery are on our disk alone. */
    readonly shared?: SharedStagingSettings;
  };
  readonly observe: { readonly traces?: { readonly url: string; readonly share: number } | undefined };
  /** Absent: what is sent unasked is refused. */
  readonly intake?: IntakeSettings;
  readonly archives: readonly ArchiveSettings[];
  readonly destinations: readonly DestinationSettings[];
  /** Programs of the site's for masks on compressed images. */
  readonly codecs: readonly ExternalCodec[];
  readonly notifications: readonly NotificationSettings[];
  readonly projects: readonly ProjectSettings[];
}

export interface FaceSettings {
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly environmentFile?: string | undefined;
}

export type ImagingSourceSettings = NonNullable<Manifest["imagingSource"]>;

interface DicomSettings {
  readonly aeTitle: AeTitle;
  readonly host: string;
  /** Without TLS; not opened when `tls.only`. */
  readonly port: number;
  readonly tls?: { readonly files: TlsServerFiles; readonly port: number; readonly only: boolean };
  readonly maximumPduLength: number;
  /** But for the users. */
  readonly rules: AcceptanceRules;
  /** Who may connect; nobody is asked when there are none. */
  readonly users: readonly UserFiles[];
}

interface LookupSettings {
  readonly lookupFile?: string | undefined;
  /** Several patients may become one. */
  readonly mergePatients?: boolean | undefined;
}

/** Paths are absolute. */
export type ProjectPseudonyms =
  | ({ readonly mode: "hmac" } & LookupSettings)
  | ({ readonly mode: "pixl" } & PixlSecretFiles & LookupSettings);

export interface ProjectSettings {
  readonly name: string;
  /** Names of archives, in the order of fallback. */
  readonly archives: readonly string[];
  readonly destinations: readonly string[];
  /** A shipped profile's name, or the absolute path of a file. */
  readonly profile: string;
  readonly keyFile: string;
  /** Absent: it is not kept who was who. */
  readonly linkageKeyFile?: string | undefined;
  readonly partial: "hold" | "deliver";
  readonly maximumStudiesPerRequest: number;
  readonly accessionNumbersUnique: boolean;
  readonly pseudonyms: ProjectPseudonyms;
  /** Absolute paths of CSV files. */
  readonly optOut: readonly string[];
  /** Absent: what is verified is delivered as it is. */
  readonly hook?: HookSettings | undefined;
  readonly filters: {
    readonly modalities?: readonly string[];
    readonly minimumInstancesPerSeries?: number;
    readonly excludeSeriesDescriptions?: readonly string[];
  };
}

/** @param baseFolder absolute; relative paths count from it. What this version cannot run is left out: the check has reported it. */
export function resolveSettings(values: Manifest, baseFolder: string): Settings {
  const absolute = (path: string): string => resolve(baseFolder, path);
  const ifAny = (path: string | undefined): string | undefined => (path === undefined ? undefined : absolute(path));
  const home = absolute(values.home);
  return {
    home,
    store: resolveStore(values.store, absolute, ifAny),
    node: resolveNode(values.node, ifAny),
    dicom: resolveDicom(values.dicom, absolute, ifAny),
    http: resolveHttp(values.http, absolute, ifAny),
    compat: resolveFaces(values.compat, ifAny),
    ...(values.imagingSource === undefined ? {} : { imagingSource: values.imagingSource }),
    access: values.access,
    retry: values.retry,
    observe: values.observe,
    staging: resolveStaging(values.staging, home, absolute, ifAny),
    ...(values.intake === undefined ? {} : { intake: resolveIntake(values.intake) }),
    archives: values.archives.map((archive) => resolveArchive(archive, ifAny)),
    destinations: values.destinations.map((destination) => resolveDestination(destination, absolute, ifAny)),
    codecs: values.codecs.map((codec) => resolveCodec(codec, absolute)),
    notifications: values.notifications.map((channel) => resolveNotification(channel, ifAny)),
    projects: values.projects.map((project) => resolveProject(project, absolute)),
  };
}

/** The folder that relative paths count from: the file's own, or the working folder when there is no file. */
export function baseFolderOf(file: string | undefined, workingFolder: string): string {
  return file === undefined ? workingFolder : dirname(file);
}

function resolveStore(store: StoreSettings, absolute: AbsolutePath, ifAny: AbsolutePathIfAny): StoreSettings {
  if (store.kind === "sqlite") return store;
  const { urlFile, replicaUrlFile, authoritiesFile } = store;
  return {
    ...store,
    urlFile: absolute(urlFile),
    replicaUrlFile: ifAny(replicaUrlFile),
    authoritiesFile: ifAny(authoritiesFile),
  };
}

function resolveNode({ tls, ...node }: NodeSettings, ifAny: AbsolutePathIfAny): NodeSettings {
  return tls === undefined ? node : { ...node, tls: resolveTlsClient(tls, ifAny) };
}

function resolveStaging(
  { shared, path, ...staging }: Manifest["staging"],
  home: string,
  absolute: AbsolutePath,
  ifAny: AbsolutePathIfAny,
): Settings["staging"] {
  const resolved = { ...staging, path: ifAny(path) ?? join(home, "staging") };
  return shared === undefined ? resolved : { ...resolved, shared: resolveSharedStaging(shared, absolute, ifAny) };
}

function resolveHttp(
  { tls, oidc, ...http }: Manifest["http"],
  absolute: AbsolutePath,
  ifAny: AbsolutePathIfAny,
): Settings["http"] {
  return {
    ...http,
    ...(tls === undefined
      ? {}
      : { tls: { certificateFile: absolute(tls.certificateFile), keyFile: absolute(tls.keyFile) } }),
    ...(oidc === undefined ? {} : { oidc: resolveOidc(oidc, ifAny) }),
  };
}

function resolveFaces(faces: Manifest["compat"], ifAny: AbsolutePathIfAny): Settings["compat"] {
  const resolved: { [Name in FaceName]?: FaceSettings } = {};
  for (const name of FACE_NAMES) {
    const face = faces[name];
    if (face !== undefined) resolved[name] = { ...face, environmentFile: ifAny(face.environmentFile) };
  }
  return resolved;
}

function resolveDicom(dicom: Manifest["dicom"], absolute: AbsolutePath, ifAny: AbsolutePathIfAny): DicomSettings {
  const { aeTitle, host, port, tls, maximumPduLength, maximumAssociations, acceptUnknownSopClasses } = dicom;
  const rules: AcceptanceRules = {
    maximumAssociations,
    acceptUnknownSopClasses,
    ...(dicom.transferSyntaxes === undefined ? {} : { transferSyntaxUids: dicom.transferSyntaxes }),
    ...(dicom.peers === undefined ? {} : { peers: dicom.peers.map(resolvePeer) }),
  };
  const users = (dicom.users ?? []).map(({ username, passwordFile }) => ({
    username,
    passwordFile: absolute(passwordFile),
  }));
  const plain = { aeTitle, host, port, maximumPduLength, rules, users };
  if (tls === undefined) return plain;
  const files: TlsServerFiles = {
    certificateFile: absolute(tls.certificateFile),
    keyFile: absolute(tls.keyFile),
    clientAuthoritiesFile: ifAny(tls.clientAuthoritiesFile),
  };
  return { ...plain, tls: { files, port: tls.port, only: tls.only } };
}

function resolvePeer(peer: NonNullable<Manifest["dicom"]["peers"]>[number]): PeerRule {
  const { callingAeTitles, addresses, calledAeTitles, sopClasses, transferSyntaxes } = peer;
  return {
    ...(callingAeTitles === undefined ? {} : { callingAeTitles }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(calledAeTitles === undefined ? {} : { calledAeTitles }),
    ...(sopClasses === undefined ? {} : { sopClassUids: sopClasses }),
    ...(transferSyntaxes === undefined ? {} : { transferSyntaxUids: transferSyntaxes }),
  };
}

function resolveCodec(
  { transferSyntaxes, command: [program = "", ...args], timeoutSeconds }: Manifest["codecs"][number],
  absolute: AbsolutePath,
): ExternalCodec {
  const command = [absolute(program), ...args];
  return { transferSyntaxUids: transferSyntaxes, command, timeoutMs: timeoutSeconds * 1_000 };
}

function resolveProject(project: Manifest["projects"][number], absolute: AbsolutePath): ProjectSettings {
  const { hook, ...others } = project;
  const { profile, pseudonyms, filters, linkageKeyFile } = others;
  const { modalities, minimumInstancesPerSeries, excludeSeriesDescriptions } = filters;
  return {
    ...others,
    ...(hook === undefined ? {} : { hook: resolveHook(hook, absolute) }),
    profile: isProfilePath(profile) ? absolute(profile) : profile,
    pseudonyms: resolvePseudonyms(pseudonyms, absolute),
    keyFile: absolute(project.keyFile),
    ...(linkageKeyFile === undefined ? {} : { linkageKeyFile: absolute(linkageKeyFile) }),
    optOut: project.optOut.map(absolute),
    filters: {
      ...(modalities === undefined ? {} : { modalities }),
      ...(minimumInstancesPerSeries === undefined ? {} : { minimumInstancesPerSeries }),
      ...(excludeSeriesDescriptions === undefined ? {} : { excludeSeriesDescriptions }),
    },
  };
}

function resolvePseudonyms(
  pseudonyms: Manifest["projects"][number]["pseudonyms"],
  absolute: AbsolutePath,
): ProjectPseudonyms {
  const { lookupFile, mergePatients } = pseudonyms;
  const lookup = {
    ...(lookupFile === undefined ? {} : { lookupFile: absolute(lookupFile) }),
    ...(mergePatients === undefined ? {} : { mergePatients }),
  };
  if (pseudonyms.mode !== "pixl") return { mode: "hmac", ...lookup };
  return {
    mode: "pixl",
    hashKeyFile: absolute(pseudonyms.hashKeyFile),
    projectSaltFile: absolute(pseudonyms.projectSaltFile),
    localSaltFile: absolute(pseudonyms.localSaltFile),
    ...lookup,
  };
}
